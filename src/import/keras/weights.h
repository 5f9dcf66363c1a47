// A model's weights by layer path, from .keras and .h5 files alike.
#pragma once

#include <map>
#include <string>

#include "formats/hdf5/file.h"
#include "import/keras/config.h"
#include "ir/tensor.h"

namespace onward::importer::keras {

// Keys: "<model path>/<layer>/<child>/<variable>", the child left out where there is none; e.g. "encoder/conv1/kernel".
using Weights = std::map<std::string, ir::Tensor>;

// From model.weights.h5 of a .keras file: variables lie under the attribute walk of the layer tree
// ("layers/conv2d_1/vars/0").
Weights read_archive_weights(const hdf5::File& file, const Model& model);

// From a whole-model .h5: the group "model_weights", where each layer lists its weights.
Weights read_h5_weights(const hdf5::File& file, const Model& model);

// The key's first part for a layer inside `path`.
std::string layer_path(const std::string& path, const Layer& layer);

}  // namespace onward::importer::keras
