#include "convert/convert.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "convert/weights_only.h"
#include "import/keras/keras.h"
#include "import/onnx/onnx_reader.h"
#include "import/tensorflow/tensorflow.h"
#include "import/torch/pt2.h"
#include "import/torch/torchscript.h"
#include "passes/opset/lower.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "schema/schema_inference.h"

namespace onward::convert {
namespace {

namespace fs = std::filesystem;

ir::Model import_format(Format format, const fs::path& path, const importer::Options& options) {
  const schema::SchemaInference inference;
  switch (format) {
    case Format::kKeras:
    case Format::kHdf5:
      return importer::read_keras(map_file(path), path.string(), options, inference);
    case Format::kOnnx:
      return importer::read_onnx(map_file(path), path.parent_path());
    case Format::kPt2:
      return importer::read_pt2(map_file(path), path.string(), options, inference);
    case Format::kSavedModel:
      return importer::read_saved_model(path, options, inference);
    case Format::kGraphDef:
    case Format::kGraphDefText:
      return importer::read_graphdef(map_file(path), path.string(), format == Format::kGraphDefText, options,
                                     inference);
    case Format::kTfCheckpoint:
      return importer::read_checkpoint(path, options, inference);
    case Format::kTorchScript:
      return importer::read_torchscript(map_file(path), path.string(), options, inference);
    default:
      break;
  }
  fail_unsupported(fmt::format("{} files are not read yet", format_name(format)));
}

}  // namespace

void check_opset(int opset) {
  if (opset >= kOldestOpset && opset <= schema::newest_opset()) return;
  fail_invalid(
      fmt::format("opset {} is not supported", opset),
      fmt::format("choose one from {} to {} (default {})", kOldestOpset, schema::newest_opset(), kDefaultOpset));
}

ir::Model import_file(const fs::path& path, const importer::Options& options) {
  const Format format = detect(path);
  try {
    if (holds_weights_only(format, path)) fail_weights_only(format, path);
    return import_format(format, path, options);
  } catch (const Error& error) {
    if (error.message().starts_with(path.string())) throw;
    throw error.within(path.string());
  }
}

int optimize(ir::Model& model, const Options& options, std::vector<passes::PassRun>* runs) {
  const schema::SchemaInference inference;
  if (options.layout == Layout::kNchw) passes::images_to_channels_first(*model.graph, inference);
  std::vector<passes::PassRun> done = passes::optimize(*model.graph, inference);
  if (runs != nullptr) *runs = std::move(done);
  if (!options.opset) return passes::lower_to_least_opset(*model.graph, inference, kDefaultOpset);
  passes::lower_opset(*model.graph, inference, *options.opset);
  return *options.opset;
}

exporter::Serialized convert_file(const fs::path& path, const Options& options, const std::string& data_file) {
  if (options.opset) check_opset(*options.opset);
  ir::Model model = import_file(path, options.import);
  const int opset = optimize(model, options);
  return exporter::serialize(model, {.opset = opset}, data_file);
}

}  // namespace onward::convert
