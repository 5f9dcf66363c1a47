// Template bodies of ir/tensor.h.
#pragma once

#include "base/error.h"

namespace onward::ir {

template <class Function>
decltype(auto) with_native(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::kFloat:
      return function(float{});
    case DType::kDouble:
      return function(double{});
    case DType::kInt8:
      return function(int8_t{});
    case DType::kInt16:
      return function(int16_t{});
    case DType::kInt32:
      return function(int32_t{});
    case DType::kInt64:
      return function(int64_t{});
    case DType::kUInt8:
      return function(uint8_t{});
    case DType::kUInt16:
      return function(uint16_t{});
    case DType::kUInt32:
      return function(uint32_t{});
    case DType::kUInt64:
      return function(uint64_t{});
    case DType::kBool:
      return function(bool{});
    default:
      fail_unsupported("no native type for elements of " + std::string(dtype_name(dtype)));
  }
}

}  // namespace onward::ir
