#include "ir/tensor.h"

#include <bit>
#include <cmath>

#include "base/error.h"

namespace onward::ir {
namespace {

// Rounds `value` (an absolute float) to a half's 15 magnitude bits.
uint16_t half_magnitude(float value) {
  if (value >= 65520.0F) return 0x7c00;
  if (value < 6.103515625e-05F) return static_cast<uint16_t>(std::lrintf(value * 16777216.0F));
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = bits + 0xfffU + ((bits >> 13U) & 1U);
  return static_cast<uint16_t>((rounded >> 13U) - (112U << 10U));
}

template <class To>
std::vector<To> convert_all(const Tensor& tensor) {
  std::vector<To> values(tensor.count());
  const std::byte* data = tensor.bytes().data();
  const auto read = [&]<class From>(From sample, auto&& widen) {
    for (size_t i = 0; i < values.size(); ++i) {
      std::memcpy(&sample, data + i * sizeof(From), sizeof(From));
      values[i] = static_cast<To>(widen(sample));
    }
  };
  switch (tensor.dtype()) {
    case DType::kFloat16:
      read(uint16_t{}, half_to_float);
      break;
    case DType::kBFloat16:
      read(uint16_t{}, bfloat16_to_float);
      break;
    case DType::kBool:
      read(uint8_t{}, [](uint8_t value) { return value != 0; });
      break;
    default:
      with_native(tensor.dtype(), [&](auto sample) { read(sample, [](auto value) { return value; }); });
  }
  return values;
}

template <class From>
Tensor convert_from(DType dtype, Dims dims, const std::vector<From>& values) {
  std::vector<std::byte> bytes(dtype_bytes(dtype, values.size()));
  const auto write = [&](auto narrow) {
    for (size_t i = 0; i < values.size(); ++i) {
      const auto value = narrow(values[i]);
      std::memcpy(bytes.data() + i * sizeof(value), &value, sizeof(value));
    }
  };
  switch (dtype) {
    case DType::kFloat16:
      write([](From value) { return float_to_half(static_cast<float>(value)); });
      break;
    case DType::kBFloat16:
      write([](From value) { return float_to_bfloat16(static_cast<float>(value)); });
      break;
    case DType::kBool:
      write([](From value) { return static_cast<uint8_t>(value != From{}); });
      break;
    default:
      with_native(dtype, [&]<class To>(To) {
        write([](From value) {
          if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
            return static_cast<To>(static_cast<int64_t>(value));
          } else {
            return static_cast<To>(value);
          }
        });
      });
  }
  return Tensor(dtype, std::move(dims), Bytes::from_vector(std::move(bytes)));
}

}  // namespace

float half_to_float(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000U) << 16U;
  const uint32_t exponent = (bits >> 10U) & 0x1fU;
  const uint32_t mantissa = bits & 0x3ffU;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) / 16777216.0F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23U) | (mantissa << 13U));
}

uint16_t float_to_half(float value) {
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000U : 0U);
  if (std::isnan(value)) return static_cast<uint16_t>(sign | 0x7e00U);
  return static_cast<uint16_t>(sign | half_magnitude(std::fabs(value)));
}

float bfloat16_to_float(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16U); }

uint16_t float_to_bfloat16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16U) | 0x40U);
  return static_cast<uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

Tensor::Tensor(DType dtype, Dims dims, Bytes data)
    : dtype_(dtype), dims_(std::move(dims)), count_(static_cast<size_t>(element_count(dims_))), data_(std::move(data)) {
  if (dtype_bits(dtype) != 0 && count_ > SIZE_MAX / 16) fail_data("a tensor's size overflows");
  if (const size_t expected = dtype_bytes(dtype, count_); expected != data_.size() || dtype_bits(dtype) == 0) {
    fail_data("a " + std::string(dtype_name(dtype)) + " tensor of shape " + shape_text(to_shape(dims_)) + " needs " +
              std::to_string(expected) + " bytes, found " + std::to_string(data_.size()));
  }
}

Tensor Tensor::of_strings(Dims dims, std::vector<std::string> strings) {
  Tensor tensor;
  tensor.dtype_ = DType::kString;
  tensor.count_ = static_cast<size_t>(element_count(dims));
  tensor.dims_ = std::move(dims);
  if (tensor.count_ != strings.size()) fail_data("a string tensor has the wrong number of strings");
  tensor.strings_ = std::make_shared<const std::vector<std::string>>(std::move(strings));
  return tensor;
}

Tensor Tensor::from_doubles(DType dtype, Dims dims, const std::vector<double>& values) {
  return convert_from(dtype, std::move(dims), values);
}

Tensor Tensor::from_ints(DType dtype, Dims dims, const std::vector<int64_t>& values) {
  return convert_from(dtype, std::move(dims), values);
}

Tensor Tensor::filled(DType dtype, const Dims& dims, double value) {
  const std::vector<double> values(static_cast<size_t>(element_count(dims)), value);
  return from_doubles(dtype, dims, values);
}

const std::vector<std::string>& Tensor::strings() const {
  static const std::vector<std::string> kNone;
  return strings_ ? *strings_ : kNone;
}

std::vector<double> Tensor::doubles() const { return convert_all<double>(*this); }
std::vector<int64_t> Tensor::ints() const { return convert_all<int64_t>(*this); }
std::vector<float> Tensor::floats() const { return convert_all<float>(*this); }

double Tensor::as_double() const {
  if (count_ != 1) fail_invalid("expected a single number, found a tensor of " + std::to_string(count_));
  return doubles().front();
}

int64_t Tensor::as_int() const {
  if (count_ != 1) fail_invalid("expected a single number, found a tensor of " + std::to_string(count_));
  return ints().front();
}

Tensor Tensor::reshaped(Dims dims) const {
  if (static_cast<size_t>(element_count(dims)) != count_) {
    fail_invalid("cannot view a tensor of shape " + shape_text(to_shape(dims_)) + " as " + shape_text(to_shape(dims)));
  }
  Tensor tensor = *this;
  tensor.dims_ = std::move(dims);
  return tensor;
}

bool Tensor::same_content(const Tensor& other) const {
  if (dtype_ != other.dtype_ || dims_ != other.dims_) return false;
  if (dtype_ == DType::kString) return strings() == other.strings();
  return data_.size() == other.data_.size() &&
         (data_.data() == other.data_.data() || std::memcmp(data_.data(), other.data_.data(), data_.size()) == 0);
}

}  // namespace onward::ir
