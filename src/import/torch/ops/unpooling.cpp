// Max unpooling, and fractional max pooling, whose windows start where given samples say.
#include <algorithm>
#include <cmath>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor: indices count within a plane.
Value* max_unpool(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const auto front = static_cast<int64_t>(x->rank() - spatial_rank(c));
  Value* outer = b.Slice(b.Shape(x), 0, front, 0);
  Value* shape = b.Concat({outer, c.int_vector("output_size")}, 0);
  Value* zeros = b.Fill(shape, 0, x->dtype);
  const auto flat = [&](Value* value) { return b.Reshape(value, b.Concat({outer, b.ints({-1})}, 0)); };
  Value* filled = b.op("ScatterElements", {flat(zeros), flat(c.tensor("indices")), flat(x)}, {{"axis", front}});
  return b.Reshape(filled, shape);
}

// Where the windows of one axis start: [batch, channels, outputs].
Value* fractional_starts(ir::Builder& b, Value* size, int64_t kernel, int64_t outputs, Value* samples) {
  Value* room = b.Cast(b.Sub(size, b.ints({kernel})), samples->dtype);
  if (outputs == 1) return b.Cast(b.Expand(room, b.Shape(b.Unsqueeze(samples, {-1}))), DType::kInt64);
  Value* alpha = b.Div(room, static_cast<double>(outputs - 1));
  Value* sample = b.Unsqueeze(samples, {-1});
  std::vector<double> steps;
  for (int64_t i = 0; i + 1 < outputs; ++i) steps.push_back(static_cast<double>(i));
  Value* first = b.Floor(b.Mul(sample, alpha));
  Value* places = b.Sub(b.Floor(b.Mul(b.Add(sample, vector_of(b, steps, samples->dtype)), alpha)), first);
  Value* last = b.Expand(room, b.Shape(sample));
  return b.Cast(b.Concat({places, last}, -1), DType::kInt64);
}

// aten::fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples) -> (Tensor,
// Tensor)
ir::Values fractional_max_pool(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t spatial = spatial_rank(c);
  const bool single = static_cast<int64_t>(x->rank()) == spatial + 1;
  if (single) x = b.Unsqueeze(x, {0});
  const auto count = static_cast<size_t>(spatial);
  const std::vector<int64_t> kernel = c.integers("kernel_size", count);
  const std::vector<int64_t> outputs = c.integers("output_size", count);
  Value* samples = b.Cast(c.tensor("random_samples"), x->dtype);
  // The place in the plane of each element of each window: [n, c, out…, kernel…].
  Value* places = nullptr;
  for (size_t i = 0; i < count; ++i) {
    const auto axis = static_cast<int64_t>(i);
    // A plane's samples start with its last dimension, a volume's with its first.
    Value* own = b.Select(samples, spatial == 2 ? 1 - axis : axis, -1);
    Value* size = b.dim(x, 2 + axis);
    Value* starts = fractional_starts(b, size, kernel[i], outputs[i], own);
    Value* inside = counting(b, b.i64(kernel[i]));
    std::vector<int64_t> shape(2 * count + 2, 1);
    shape[0] = 0;
    shape[1] = 0;
    shape[2 + i] = outputs[i];
    std::vector<int64_t> inside_shape(2 * count, 1);
    inside_shape[count + i] = kernel[i];
    Value* at = b.Add(b.Reshape(starts, shape), b.Reshape(inside, inside_shape));
    places = places == nullptr ? at : b.Add(b.Mul(places, size), at);
  }
  Value* outer = b.Concat({b.dim(x, 0), b.dim(x, 1)}, 0);
  Value* plane = b.Reshape(x, b.Concat({outer, b.ints({-1})}, 0));
  int64_t windows = 1;
  int64_t elements = 1;
  for (size_t i = 0; i < count; ++i) {
    windows *= outputs[i];
    elements *= kernel[i];
  }
  Value* index = b.Reshape(places, b.Concat({outer, b.ints({windows * elements})}, 0));
  const auto in_windows = [&](Value* value) {
    return b.Reshape(value, b.Concat({outer, b.ints({windows, elements})}, 0));
  };
  Value* found = in_windows(b.op("GatherElements", {plane, index}, {{"axis", 2}}));
  Value* best = b.ArgMax(found, -1, true);
  Value* shape = b.Concat({outer, b.ints(outputs)}, 0);
  ir::Values results{b.Reshape(b.op("GatherElements", {found, best}, {{"axis", -1}}), shape),
                     b.Reshape(b.op("GatherElements", {in_windows(index), best}, {{"axis", -1}}), shape)};
  for (Value*& result : results) result = single ? b.Squeeze(result, {0}) : result;
  return results;
}

}  // namespace

void register_unpooling(OpTable& t) {
  t.add("aten::max_unpool2d(Tensor self, Tensor indices, SymInt[2] output_size) -> Tensor", max_unpool);
  t.add(
      "aten::max_unpool3d(Tensor self, Tensor indices, SymInt[3] output_size, int[3] stride, int[3] padding) -> Tensor",
      max_unpool);
  for (const char* n : {"2", "3"}) {
    t.add("aten::fractional_max_pool" + std::string(n) +
              "d(Tensor self, int[] kernel_size, int[] output_size, Tensor random_samples) -> (Tensor, Tensor)",
          fractional_max_pool);
  }
}

}  // namespace onward::importer::torch
