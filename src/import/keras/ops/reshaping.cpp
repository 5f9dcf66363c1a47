// Flatten, Reshape, Permute, RepeatVector, ZeroPadding, Cropping, UpSampling.
#include <limits>
#include <numeric>

#include "import/common/resize.h"
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

// Flatten(data_format): channels_first inputs are flattened as channels_last
ir::Values flatten(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  if (x->rank() == 1) return {b.Unsqueeze(x, {1})};
  if (ctx.channels_first() && x->rank() > 2) x = b.Transpose(x, channels_to_back(x->rank()));
  return {b.Reshape(x, {0, -1})};
}

// Reshape(target_shape): one entry may be -1
ir::Values reshape(Context& ctx) {
  std::vector<int64_t> shape{0};
  bool inferred = false;
  for (const int64_t dim : ctx.config.at("target_shape").as_ints()) {
    inferred = inferred || dim == -1;
    shape.push_back(dim);
  }
  Value* x = ctx.x();
  if (!x->dim(0).is_known() && !inferred) shape[0] = -1;
  return {ctx.b.Reshape(x, shape)};
}

// Permute(dims): counted from 1, batch left out
ir::Values permute(Context& ctx) {
  std::vector<int64_t> perm{0};
  for (const int64_t dim : ctx.config.at("dims").as_ints()) perm.push_back(dim);
  return {ctx.b.Transpose(ctx.x(), perm)};
}

// RepeatVector(n): [batch, features] → [batch, n, features]
ir::Values repeat_vector(Context& ctx) {
  return {ctx.b.Tile(ctx.b.Unsqueeze(ctx.x(), {1}), ctx.b.ints({1, ctx.config.at("n").as_int(), 1}))};
}

// Pairs [before, after] for each spatial axis, from an integer, a list of integers or a list of pairs.
std::vector<std::pair<int64_t, int64_t>> pairs(const Context& ctx, const char* key) {
  const size_t rank = spatial_rank(ctx);
  const Json& given = ctx.config.at(key);
  std::vector<std::pair<int64_t, int64_t>> result;
  if (given.is_number()) return std::vector(rank, std::pair(given.as_int(), given.as_int()));
  if (rank == 1 && given.size() == 2 && given[size_t{0}].is_number()) {
    return {{given[size_t{0}].as_int(), given[size_t{1}].as_int()}};
  }
  for (const Json& item : given.as_array()) {
    if (item.is_number()) {
      result.emplace_back(item.as_int(), item.as_int());
    } else {
      result.emplace_back(item.at(size_t{0}).as_int(), item.at(size_t{1}).as_int());
    }
  }
  ctx.require(result.size() == rank, std::string(key) + " does not fit the layer");
  for (const auto& [before, after] : result) {
    ctx.require(before >= 0 && after >= 0, std::string(key) + " is negative");
  }
  return result;
}

ir::Values zero_padding(Context& ctx) {
  Value* x = ctx.x();
  const size_t rank = x->rank();
  std::vector<int64_t> pads(2 * rank, 0);
  size_t axis = ctx.channels_first() ? 2 : 1;
  for (const auto& [before, after] : pairs(ctx, "padding")) {
    pads[axis] = before;
    pads[axis + rank] = after;
    ++axis;
  }
  return {ctx.b.Pad(x, pads)};
}

ir::Values cropping(Context& ctx) {
  Builder& b = ctx.b;
  std::vector<int64_t> starts;
  std::vector<int64_t> ends;
  std::vector<int64_t> axes;
  for (const auto& [before, after] : pairs(ctx, "cropping")) {
    starts.push_back(before);
    ends.push_back(after == 0 ? std::numeric_limits<int64_t>::max() : -after);
    axes.push_back(static_cast<int64_t>(axes.size()) + (ctx.channels_first() ? 2 : 1));
  }
  return {b.Slice(ctx.x(), b.ints(starts), b.ints(ends), b.ints(axes))};
}

// UpSampling<N>D(size=2, data_format, interpolation="nearest")
ir::Values up_sampling(Context& ctx) {
  Builder& b = ctx.b;
  const size_t rank = spatial_rank(ctx);
  const std::vector<int64_t> size = ctx.ints("size", rank, 2);
  const std::string mode = ctx.config.get("interpolation", "nearest");
  ctx.require(is_resize_method(mode), "interpolation \"" + mode + "\" is unknown");
  return {in_nchw(b, ctx.x(), ctx.channels_first(), [&](Value* x) {
    if (mode != "nearest" && mode != "bilinear") {
      ctx.require(rank == 2, "interpolation \"" + mode + "\" needs images");
      Value* wanted = b.Mul(b.op("Shape", {x}, {{"start", 2}}), b.ints(size));
      return resize_image(b, x, 2, 3, wanted, mode, false);
    }
    std::vector<float> scales{1, 1};
    scales.insert(scales.end(), size.begin(), size.end());
    const auto count = static_cast<int64_t>(scales.size());
    ir::Attrs attrs{{"mode", mode == "nearest" ? "nearest" : "linear"},
                    {"coordinate_transformation_mode", mode == "nearest" ? "asymmetric" : "half_pixel"}};
    if (mode == "nearest") attrs.set("nearest_mode", "floor");
    return b.op("Resize", {x, nullptr, b.constant(ir::Tensor::of<float>({count}, scales))}, attrs);
  })};
}

}  // namespace

void register_reshaping(OpTable& table) {
  table.add("Flatten", {flatten});
  table.add("Reshape", {reshape});
  table.add("Permute", {permute});
  table.add("RepeatVector", {repeat_vector});
  for (const std::string rank : {"1D", "2D", "3D"}) {
    table.add("ZeroPadding" + rank, {zero_padding});
    table.add("Cropping" + rank, {cropping});
    table.add("UpSampling" + rank, {up_sampling});
  }
}

}  // namespace onward::importer::keras
