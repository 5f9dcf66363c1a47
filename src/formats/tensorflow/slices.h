// Parts of tensors: how a bundle names them, and how they are put together and cut.
#pragma once

#include "formats/tensorflow/bundle.h"

namespace onward::tensorflow {

// The binary key of a part: an order-preserving code of the name and the slice.
std::string slice_key(const std::string& name, const std::vector<int64_t>& start, const std::vector<int64_t>& length);

// Copies `part` into `data`, a row-major tensor of `shape`. Throws Error(kDataLoss) where it does not fit.
void paste(const Array& part, const std::vector<int64_t>& start, const std::vector<int64_t>& length,
           const std::vector<int64_t>& shape, size_t element, std::vector<std::byte>& data, const std::string& what);

}  // namespace onward::tensorflow
