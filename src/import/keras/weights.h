// A model's weights by layer path, from .keras and .h5 files alike.
#pragma once

#include <map>
#include <string>

#include "formats/hdf5/file.h"
#include "formats/zip.h"
#include "import/keras/config.h"
#include "ir/tensor.h"

namespace onward::importer::keras {

// Keys: "<model path>/<layer>/<children>/<variable>"; e.g. "encoder/conv1/kernel", "lstm/cell/bias".
using Weights = std::map<std::string, ir::Tensor>;
// Text files of an archive by "<layer path>/<file>": "string_lookup/vocabulary.txt".
using Assets = std::map<std::string, std::string>;

// From model.weights.h5 of a .keras file: variables lie under the attribute walk of the layer tree
// ("layers/conv2d_1/vars/0").
Weights read_archive_weights(const hdf5::File& file, const Model& model);
// The files under "assets/" that belong to layers, by the same walk.
Assets read_archive_assets(const zip::Archive& archive, const Model& model);

// From a whole-model .h5: the group "model_weights", where each layer lists its weights.
Weights read_h5_weights(const hdf5::File& file, const Model& model);

// Keras' naming.to_snake_case: "Conv2DTranspose" → "conv2d_transpose".
std::string snake_case(std::string_view name);

// The names of a list's members in an archive: "conv2d", "conv2d_1".
class NameCounter {
 public:
  std::string next(std::string_view class_name);

 private:
  std::map<std::string, int> used_;
};

// The key's first part for a layer inside `path`.
std::string layer_path(const std::string& path, const Layer& layer);

}  // namespace onward::importer::keras
