// Tensors from the files that a user names: .npy, .npz, .png, .jpg and .json.
#pragma once

#include <string>
#include <vector>

#include "runtime/session.h"
#include "serving/images.h"

namespace onward::tasks {

// `given` are "NAME=FILE", or just "FILE" for a model with one input; the result has the model's order. Arrays get the
// input's dtype where no value changes, and its layout as the server does it; pictures as `pixels` says. Throws Error
// that names the input, and lists what the model takes where one is missing.
std::vector<ir::Tensor> read_feeds(const std::vector<std::string>& given, const std::vector<runtime::ValueInfo>& inputs,
                                   serving::PixelRange pixels);

// The inputs from one JSON text: an object of values by input name, or the bare value of the only input.
std::vector<ir::Tensor> read_json_feeds(std::string_view text, const std::vector<runtime::ValueInfo>& inputs);

// The arrays of an .npz file.
std::vector<runtime::NamedTensor> read_npz(const std::string& file);

}  // namespace onward::tasks
