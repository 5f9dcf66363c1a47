#include "import/keras/refused.h"

namespace onward::importer::keras {

const std::map<std::string, const char*, std::less<>>& refused_layers() {
  static const std::map<std::string, const char*, std::less<>> kRefused = {
      {"Lambda", "holds Python bytecode, which is never run"},
      {"TFSMLayer", "holds another SavedModel; convert that one"},
      {"JaxLayer", "holds a JAX function, which a model file does not carry"},
      {"FlaxLayer", "holds a Flax module, which a model file does not carry"},
      {"TorchModuleWrapper", "holds a pickled PyTorch module, which is never run"},
      {"TensorFlowOpLayer", "holds a TensorFlow node of its own; export a SavedModel and convert that"},
      {"DenseFeatures", "holds feature columns; export a SavedModel and convert that"},
      {"Equalization", "equalizes histograms, which is not translated yet"},
      {"ContrastLimitedAdaptiveHistogramEqualization", "equalizes histograms, which is not translated yet"},
      {"MaxNumBoundingBoxes", "works on bounding boxes while data is prepared, not on model inputs"}};
  return kRefused;
}

}  // namespace onward::importer::keras
