// Tensors that go into models and come out of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "onward/export.h"
#include "onward/status.h"

namespace onward {

// Element types, numbered as ONNX numbers them.
enum class DType : int32_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUInt8 = 2,
  kInt8 = 3,
  kUInt16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUInt32 = 12,
  kUInt64 = 13,
  kBFloat16 = 16,
};

// numpy's names: "float32", "int64", "bool", "string"; "undefined".
ONWARD_API std::string_view dtype_name(DType dtype);

using Dims = std::vector<int64_t>;

// The element type of a C++ type; kUndefined for one that tensors can't hold.
template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kFloat32;
  if constexpr (std::is_same_v<T, double>) return DType::kFloat64;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kUInt8;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kUInt16;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::kUInt32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::kUInt64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
  return DType::kUndefined;
}

// Dtype, dims and row-major elements in the machine's byte order. Immutable; copies are cheap and share the elements;
// safe to read from several threads.
class ONWARD_API Tensor {
 public:
  // No tensor: kUndefined, no elements.
  Tensor() = default;

  // Takes `values` over without copying them. kInvalidArgument unless there are as many as `dims` say. For float16 and
  // bfloat16 use borrow().
  template <class T>
  static Result<Tensor> from(Dims dims, std::vector<T> values) {
    static_assert(dtype_of<T>() != DType::kUndefined && !std::is_same_v<T, bool>, "use of_bools() or of_strings()");
    const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    return borrow(dtype_of<T>(), std::move(dims), std::as_bytes(std::span(*owner)), owner);
  }
  static Result<Tensor> of_bools(Dims dims, const std::vector<bool>& values);
  static Result<Tensor> of_strings(Dims dims, std::vector<std::string> values);

  // Elements that stay where they are: nothing is copied, and models read them there. `owner` is kept as long as this
  // tensor or a copy of it lives; where it is null, the caller keeps the bytes in place and unchanged that long.
  // kInvalidArgument unless there are exactly as many bytes as dtype and dims say.
  static Result<Tensor> borrow(DType dtype, Dims dims, std::span<const std::byte> bytes,
                               std::shared_ptr<const void> owner = nullptr);
  template <class T>
  static Result<Tensor> borrow(Dims dims, std::span<const T> values, std::shared_ptr<const void> owner = nullptr) {
    static_assert(dtype_of<T>() != DType::kUndefined);
    return borrow(dtype_of<T>(), std::move(dims), std::as_bytes(values), std::move(owner));
  }

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  size_t count() const { return count_; }  // of elements
  // Of strings: none.
  std::span<const std::byte> bytes() const { return bytes_; }

  // The elements as T, whose dtype must be the tensor's: asking for another is a mistake in the program, which then
  // ends. Valid as long as this tensor or a copy of it.
  template <class T>
  std::span<const T> values() const {
    static_assert(dtype_of<T>() != DType::kUndefined);
    require(dtype_of<T>());
    return {reinterpret_cast<const T*>(bytes_.data()), count_};
  }
  // Likewise, of a kString tensor.
  const std::vector<std::string>& strings() const;

 private:
  void require(DType dtype) const;

  DType dtype_ = DType::kUndefined;
  Dims dims_;
  size_t count_ = 0;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
  std::shared_ptr<const std::vector<std::string>> strings_;
};

}  // namespace onward
