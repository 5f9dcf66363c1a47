// Max and average pooling.
#include <algorithm>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"
#include "import/tensorflow/ops/windows.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

struct Pool {
  std::vector<int64_t> sizes;  // of every dimension
  std::vector<int64_t> strides;
  bool channels_first = false;
};

Windows windows_of(const Pool& pool) {
  Windows w;
  w.channels_first = pool.channels_first;
  w.kernel = spatial(pool.sizes, pool.channels_first);
  w.strides = spatial(pool.strides, pool.channels_first);
  w.dilations.assign(w.kernel.size(), 1);
  return w;
}

// Windows over channels: k channels next to each other become one.
Value* pool_channels(Call& c, const Pool& pool, std::string_view reduction) {
  ir::Builder& b = c.b;
  const size_t axis = pool.channels_first ? 1 : pool.sizes.size() - 1;
  const int64_t size = pool.sizes[axis];
  c.require(size == pool.strides[axis], "windows over channels must not overlap");
  Value* x = c.input(0);
  const auto at = static_cast<int64_t>(axis);
  Value* shape = b.Concat({dims(b, x, 0, at), b.ints({-1, size}), dims(b, x, at + 1)}, 0);
  return b.reduce(reduction, reshape(b, x, shape), {at + 1}, false);
}

Value* pooled(Call& c, const Pool& pool, bool max) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const size_t rank = pool.sizes.size();
  c.require(rank >= 3 && pool.strides.size() == rank, "its windows do not fit its rank");
  c.require(pool.sizes[0] == 1 && pool.strides[0] == 1, "windows over the batch are not supported");
  if (pool.sizes[pool.channels_first ? 1 : rank - 1] != 1) {
    return pool_channels(c, pool, max ? "ReduceMax" : "ReduceMean");
  }
  const Windows w = windows_of(pool);
  // ONNX pools floats and bytes.
  const bool bytes = max && (x->dtype == DType::kInt8 || x->dtype == DType::kUInt8);
  Value* wide = ir::is_floating(x->dtype) || bytes ? x : b.Cast(x, DType::kDouble);
  Value* result = in_nchw(b, wide, rank, pool.channels_first, [&](Value* image) {
    ir::Attrs attrs{{"kernel_shape", w.kernel}};
    Value* padded = set_windows(c, image, w, 0, attrs);
    return b.op(max ? "MaxPool" : "AveragePool", {padded}, attrs);
  });
  return b.Cast(result, x->dtype);
}

Pool pool_of(Call& c, const char* format = "NHWC") {
  return {c.integers("ksize"), c.integers("strides"), channels_first(c, format)};
}

// MaxPool(input: T, ksize: ints, strides: ints, padding: string, explicit_paddings: ints = [], data_format: string =
// "NHWC") -> output; MaxPool3D, AvgPool, AvgPool3D likewise
Value* max_pool(Call& c) { return pooled(c, pool_of(c), true); }
Value* avg_pool(Call& c) { return pooled(c, pool_of(c), false); }

// MaxPoolV2(input: T, ksize: int32, strides: int32, padding: string, data_format: string = "NHWC") -> output
Value* max_pool_v2(Call& c) {
  return pooled(c, {c.constant_ints(1, "ksize"), c.constant_ints(2, "strides"), channels_first(c)}, true);
}

// MaxPoolWithArgmax(input: T, ksize: ints, strides: ints, Targmax: type = int64, padding: string,
// include_batch_in_index: bool = false) -> output, argmax: positions in [height, width, channels], or with the batch in
// front
ir::Values max_pool_with_argmax(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const Pool pool{c.integers("ksize"), c.integers("strides"), false};
  const Windows w = windows_of(pool);
  Value* wide = ir::is_floating(x->dtype) ? x : b.Cast(x, DType::kDouble);
  Value* image = b.Transpose(wide, channels_to_front(4));
  ir::Attrs attrs{{"kernel_shape", w.kernel}};
  Value* padded = set_windows(c, image, w, 0, attrs);
  const ir::Values both = b.ops("MaxPool", {padded}, 2, attrs);
  // ONNX counts positions in [batch, channels, height, width].
  Value* plane = product(b, dims(b, image, 2));
  Value* channels = b.dim(image, 1);
  Value* channel = b.Unsqueeze(counting(b, channels), {0, 2, 3});
  Value* position = b.Add(b.Mul(b.Mod(both[1], plane), channels), channel);
  if (c.flag("include_batch_in_index")) {
    Value* batch = b.Unsqueeze(counting(b, b.dim(image, 0)), {1, 2, 3});
    position = b.Add(position, b.Mul(batch, b.Mul(plane, channels)));
  }
  return {b.Cast(b.Transpose(both[0], channels_to_back(4)), x->dtype),
          b.Cast(b.Transpose(position, channels_to_back(4)), c.dtype("Targmax", tensorflow::DataType::kInt64))};
}

}  // namespace

void register_pooling(OpTable& t) {
  t.add("MaxPool", max_pool);
  t.add("MaxPool3D", max_pool);
  t.add("MaxPoolV2", max_pool_v2);
  t.add("AvgPool", avg_pool);
  t.add("AvgPool3D", avg_pool);
  t.add("MaxPoolWithArgmax -> output, argmax", max_pool_with_argmax);
}

}  // namespace onward::importer::tf
