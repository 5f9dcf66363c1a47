// Gather, Shape, Size, Range, ConstantOfShape, NonZero.
#include <algorithm>
#include <cmath>

#include "ir/eval/table.h"

namespace onward::ir::eval {
namespace {

std::vector<Tensor> gather(const Call& call) {
  const Tensor& x = call.required(0);
  const Tensor& indices = call.required(1);
  const size_t axis = checked_axis(call.attrs.get("axis", int64_t{0}), x.rank());
  Dims dims(x.dims().begin(), x.dims().begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), indices.dims().begin(), indices.dims().end());
  dims.insert(dims.end(), x.dims().begin() + static_cast<std::ptrdiff_t>(axis) + 1, x.dims().end());
  call.allow(x.dtype() == DType::kString ? DType::kUInt8 : x.dtype(), dims);
  std::vector<int64_t> rows = indices.ints();
  for (int64_t& row : rows) row = static_cast<int64_t>(checked_axis(row, static_cast<size_t>(x.dims()[axis])));
  if (x.dtype() == DType::kString) {
    if (x.rank() != 1) throw Unfit();
    std::vector<std::string> picked;
    for (const int64_t row : rows) picked.push_back(x.strings()[static_cast<size_t>(row)]);
    return {Tensor::of_strings(dims, std::move(picked))};
  }
  size_t block = element_size(x);
  for (size_t i = axis + 1; i < x.rank(); ++i) block *= static_cast<size_t>(x.dims()[i]);
  size_t outer = 1;
  for (size_t i = 0; i < axis; ++i) outer *= static_cast<size_t>(x.dims()[i]);
  std::vector<std::byte> bytes;
  bytes.reserve(outer * rows.size() * block);
  for (size_t o = 0; o < outer; ++o) {
    for (const int64_t row : rows) {
      const size_t place = (o * static_cast<size_t>(x.dims()[axis]) + static_cast<size_t>(row)) * block;
      const std::byte* from = x.bytes().data() + place;
      bytes.insert(bytes.end(), from, from + block);
    }
  }
  return {Tensor(x.dtype(), dims, Bytes::from_vector(std::move(bytes)))};
}

std::vector<Tensor> shape(const Call& call) {
  const auto rank = static_cast<int64_t>(call.required(0).rank());
  const auto bound = [rank](int64_t value) { return std::clamp<int64_t>(value < 0 ? value + rank : value, 0, rank); };
  const int64_t start = bound(call.attrs.get("start", int64_t{0}));
  const int64_t end = std::max(start, bound(call.attrs.get("end", rank)));
  const Dims& dims = call.required(0).dims();
  return {Tensor::vector({dims.begin() + start, dims.begin() + end})};
}

std::vector<Tensor> size(const Call& call) { return {Tensor::scalar(static_cast<int64_t>(call.required(0).count()))}; }

std::vector<Tensor> range(const Call& call) {
  const Tensor& start = call.required(0);
  const DType dtype = start.dtype();
  const bool whole = is_integer(dtype);
  const double from = start.as_double();
  const double step = call.required(2).as_double();
  const double length = std::ceil((call.required(1).as_double() - from) / step);
  if (!(std::fabs(length) < 1e6)) throw Unfit();
  const auto count = static_cast<int64_t>(std::max(0.0, length));
  call.allow(dtype, {count});
  if (whole) {
    std::vector<int64_t> values;
    const int64_t first = start.as_int();
    const int64_t pace = call.required(2).as_int();
    for (int64_t i = 0; i < count; ++i) values.push_back(first + i * pace);
    return {Tensor::from_ints(dtype, {count}, values)};
  }
  if (dtype != DType::kFloat && dtype != DType::kDouble) throw Unfit();
  std::vector<double> values;
  if (dtype == DType::kDouble) {
    double value = from;
    for (int64_t i = 0; i < count; ++i, value += step) values.push_back(value);
  } else {
    auto value = static_cast<float>(from);
    for (int64_t i = 0; i < count; ++i, value += static_cast<float>(step)) values.push_back(value);
  }
  return {Tensor::from_doubles(dtype, {count}, values)};
}

std::vector<Tensor> constant_of_shape(const Call& call) {
  const Dims dims = call.required(0).ints();
  Tensor value = Tensor::of<float>({1}, {0.0F});
  if (const Attr* given = call.attrs.find("value")) value = given->as_tensor();
  call.allow(value.dtype(), dims);
  return {strided_copy(value, dims, Dims(dims.size(), 0))};
}

std::vector<Tensor> non_zero(const Call& call) {
  const Tensor& x = call.required(0);
  const std::vector<double> values = x.doubles();
  std::vector<std::vector<int64_t>> places(x.rank());
  const Dims strides = strides_of(x.dims());
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i] == 0) continue;
    for (size_t axis = 0; axis < x.rank(); ++axis) {
      places[axis].push_back(static_cast<int64_t>(i) / strides[axis] % x.dims()[axis]);
    }
  }
  if (x.rank() == 0) throw Unfit();
  std::vector<int64_t> all;
  for (const auto& axis : places) all.insert(all.end(), axis.begin(), axis.end());
  return {Tensor::of<int64_t>({static_cast<int64_t>(x.rank()), static_cast<int64_t>(places[0].size())}, all)};
}

}  // namespace

void register_indexing(EvalTable& table) {
  table["Gather"] = gather;
  table["Shape"] = shape;
  table["Size"] = size;
  table["Range"] = range;
  table["ConstantOfShape"] = constant_of_shape;
  table["NonZero"] = non_zero;
}

}  // namespace onward::ir::eval
