#include "onward/tensor.h"

#include "api/guard.h"
#include "ir/tensor.h"

namespace onward {
namespace {

size_t element_count(const Dims& dims) {
  try {
    return static_cast<size_t>(ir::element_count(dims));
  } catch (const Error& error) {
    fail_invalid(error.message());
  }
}

size_t counted(const Dims& dims, size_t given, const char* what) {
  const size_t count = element_count(dims);
  if (count == given) return count;
  fail_invalid("a tensor of shape " + ir::shape_text(ir::to_shape(dims)) + " has " + std::to_string(count) +
               " elements, got " + std::to_string(given) + " " + what);
}

}  // namespace

std::string_view dtype_name(DType dtype) { return ir::dtype_name(static_cast<ir::DType>(dtype)); }

Result<Tensor> Tensor::of_bools(Dims dims, const std::vector<bool>& values) {
  return api::guarded([&] {
    const size_t count = counted(dims, values.size(), "values");
    auto bytes = std::make_shared<std::vector<std::byte>>();
    bytes->reserve(count);
    for (const bool value : values) bytes->push_back(std::byte{value});
    Tensor tensor;
    tensor.dtype_ = DType::kBool;
    tensor.dims_ = std::move(dims);
    tensor.count_ = count;
    tensor.bytes_ = *bytes;
    tensor.owner_ = std::move(bytes);
    return tensor;
  });
}

Result<Tensor> Tensor::of_strings(Dims dims, std::vector<std::string> values) {
  return api::guarded([&] {
    Tensor tensor;
    tensor.count_ = counted(dims, values.size(), "values");
    tensor.dtype_ = DType::kString;
    tensor.dims_ = std::move(dims);
    tensor.strings_ = std::make_shared<const std::vector<std::string>>(std::move(values));
    return tensor;
  });
}

Result<Tensor> Tensor::borrow(DType dtype, Dims dims, std::span<const std::byte> bytes,
                              std::shared_ptr<const void> owner) {
  return api::guarded([&] {
    const auto internal = static_cast<ir::DType>(dtype);
    if (ir::dtype_bits(internal) == 0) fail_invalid("a tensor needs a dtype of fixed size", "strings: of_strings()");
    const size_t count = element_count(dims);
    const size_t wanted = ir::dtype_bytes(internal, count);
    if (bytes.size() != wanted) {
      fail_invalid("a " + std::string(dtype_name(dtype)) + " tensor of shape " + ir::shape_text(ir::to_shape(dims)) +
                   " takes " + std::to_string(wanted) + " bytes, got " + std::to_string(bytes.size()));
    }
    Tensor tensor;
    tensor.dtype_ = dtype;
    tensor.dims_ = std::move(dims);
    tensor.count_ = count;
    tensor.bytes_ = bytes;
    tensor.owner_ = std::move(owner);
    return tensor;
  });
}

const std::vector<std::string>& Tensor::strings() const {
  require(DType::kString);
  return *strings_;
}

void Tensor::require(DType dtype) const {
  if (dtype_ == dtype) return;
  detail::value_of_failure(Status(StatusCode::kInvalidArgument, "a tensor of " + std::string(dtype_name(dtype_)) +
                                                                    " was read as " + std::string(dtype_name(dtype))));
}

}  // namespace onward
