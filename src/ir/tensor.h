// A constant tensor: dtype, dims and bytes it shares with whatever they lie in (a mapped file, a vector). Immutable.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bytes.h"
#include "ir/dtype.h"
#include "ir/shape.h"

namespace onward::ir {

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::kFloat;
  if constexpr (std::is_same_v<T, double>) return DType::kDouble;
  if constexpr (std::is_same_v<T, int8_t>) return DType::kInt8;
  if constexpr (std::is_same_v<T, int16_t>) return DType::kInt16;
  if constexpr (std::is_same_v<T, int32_t>) return DType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kInt64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kUInt8;
  if constexpr (std::is_same_v<T, uint16_t>) return DType::kUInt16;
  if constexpr (std::is_same_v<T, uint32_t>) return DType::kUInt32;
  if constexpr (std::is_same_v<T, uint64_t>) return DType::kUInt64;
  if constexpr (std::is_same_v<T, bool>) return DType::kBool;
}

float half_to_float(uint16_t bits);
uint16_t float_to_half(float value);  // round to nearest even
float bfloat16_to_float(uint16_t bits);
uint16_t float_to_bfloat16(float value);  // round to nearest even

// Copies are cheap and share the bytes; safe to read from several threads.
class Tensor {
 public:
  Tensor() = default;
  // `data` is row-major little-endian and must be exactly as long as dtype and dims say; throws Error otherwise. It
  // need not be aligned.
  Tensor(DType dtype, Dims dims, Bytes data);
  static Tensor of_strings(Dims dims, std::vector<std::string> strings);

  // From native numbers (T one of the arithmetic types of dtype_of).
  template <class T>
  static Tensor of(Dims dims, const std::vector<T>& values) {
    std::vector<std::byte> bytes(values.size() * sizeof(T));
    if constexpr (std::is_same_v<T, bool>) {
      for (size_t i = 0; i < values.size(); ++i) bytes[i] = std::byte{values[i]};
    } else if (!values.empty()) {
      std::memcpy(bytes.data(), values.data(), bytes.size());
    }
    return Tensor(dtype_of<T>(), std::move(dims), Bytes::from_vector(std::move(bytes)));
  }
  template <class T>
  static Tensor scalar(T value) {
    return of<T>({}, std::vector<T>{value});
  }
  static Tensor vector(const std::vector<int64_t>& values) {
    return of<int64_t>({static_cast<int64_t>(values.size())}, values);
  }
  // `values` rounded or wrapped to `dtype` as a C cast would (any numeric dtype or bool).
  static Tensor from_doubles(DType dtype, Dims dims, const std::vector<double>& values);
  static Tensor from_ints(DType dtype, Dims dims, const std::vector<int64_t>& values);
  // Every element `value`.
  static Tensor filled(DType dtype, const Dims& dims, double value);

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  size_t rank() const { return dims_.size(); }
  size_t count() const { return count_; }
  const Bytes& bytes() const { return data_; }
  const std::vector<std::string>& strings() const;

  // All elements converted to double or int64 (from any numeric dtype or bool; throws for strings).
  std::vector<double> doubles() const;
  std::vector<int64_t> ints() const;
  std::vector<float> floats() const;
  // The only element; throws when there isn't exactly one.
  double as_double() const;
  int64_t as_int() const;

  // The same bytes under other dims of the same count.
  Tensor reshaped(Dims dims) const;
  bool same_content(const Tensor& other) const;

 private:
  DType dtype_ = DType::kUndefined;
  Dims dims_;
  size_t count_ = 0;
  Bytes data_;
  std::shared_ptr<const std::vector<std::string>> strings_;
};

// Calls `function(T{})` with the native type that stores `dtype` (bool for kBool; 16-bit floats and strings are refused
// with an Error: convert those first).
template <class Function>
decltype(auto) with_native(DType dtype, Function&& function);

}  // namespace onward::ir

#include "ir/tensor_inl.h"
