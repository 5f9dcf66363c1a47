#include "ir/eval/table.h"

#include "base/error.h"

namespace onward::ir {
namespace eval {

const Tensor& Call::required(size_t index) const {
  const Tensor* tensor = input(index);
  if (tensor == nullptr) throw Unfit();
  return *tensor;
}

void Call::allow(DType dtype, const Dims& dims) const {
  size_t given = 0;
  for (const Tensor* tensor : inputs) given += tensor != nullptr ? tensor->bytes().size() : 0;
  const auto count = static_cast<size_t>(element_count(dims));
  if (count > (size_t{1} << 40U) || dtype_bytes(dtype, count) > given + max_bytes) throw Unfit();
}

size_t checked_axis(int64_t axis, size_t rank) {
  const auto wide = static_cast<int64_t>(rank);
  if (axis < 0) axis += wide;
  if (axis < 0 || axis >= wide) throw Unfit();
  return static_cast<size_t>(axis);
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  return strides;
}

Dims broadcast_dims(const Dims& a, const Dims& b) {
  Dims dims(std::max(a.size(), b.size()));
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t left = i < a.size() ? a[a.size() - 1 - i] : 1;
    const int64_t right = i < b.size() ? b[b.size() - 1 - i] : 1;
    if (left != right && left != 1 && right != 1) throw Unfit();
    dims[dims.size() - 1 - i] = left == 1 ? right : left;
  }
  return dims;
}

Dims broadcast_strides(const Dims& dims, const Dims& target) {
  const Dims own = strides_of(dims);
  Dims strides(target.size(), 0);
  if (dims.size() > target.size()) throw Unfit();
  const size_t shift = target.size() - dims.size();
  for (size_t i = 0; i < dims.size(); ++i) strides[shift + i] = dims[i] == 1 ? 0 : own[i];
  return strides;
}

size_t element_size(const Tensor& tensor) {
  const size_t bits = dtype_bits(tensor.dtype());
  if (bits < 8) throw Unfit();
  return bits / 8;
}

namespace {

const EvalTable& table() {
  static const EvalTable kTable = [] {
    EvalTable made;
    register_elementwise(made);
    register_layout(made);
    register_reductions(made);
    register_indexing(made);
    return made;
  }();
  return kTable;
}

}  // namespace
}  // namespace eval

std::optional<std::vector<Tensor>> evaluate(std::string_view op_type, const std::vector<const Tensor*>& inputs,
                                            const Attrs& attrs, size_t output_count, size_t max_bytes) {
  const auto found = eval::table().find(op_type);
  if (found == eval::table().end()) return std::nullopt;
  try {
    return found->second({inputs, attrs, output_count, max_bytes});
  } catch (const eval::Unfit&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;  // the schema's inference names the mismatch
  }
}

}  // namespace onward::ir
