// Max, average and adaptive pooling.
#include <algorithm>
#include <limits>
#include <numeric>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

struct Window {
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> padding;

  int64_t size() const { return std::accumulate(kernel.begin(), kernel.end(), int64_t{1}, std::multiplies<>()); }
};
Window window_of(Call& c, size_t spatial) {
  Window window;
  window.kernel = c.integers("kernel_size", spatial);
  const std::vector<int64_t> strides = c.integers("stride");
  window.strides = strides.empty() ? window.kernel : c.integers("stride", spatial);
  window.padding = c.integers("padding", spatial);
  return window;
}
ir::Attrs pool_attrs(Call& c, const Window& window) {
  std::vector<int64_t> pads = window.padding;
  pads.insert(pads.end(), window.padding.begin(), window.padding.end());
  return {
      {"kernel_shape", window.kernel}, {"strides", window.strides}, {"pads", pads}, {"ceil_mode", c.flag("ceil_mode")}};
}

// Adds the batch dimension that ONNX's pooling needs, and takes it away again.
class Batched {
 public:
  Batched(Call& c, size_t spatial) : c_(c), added_(c.tensor("self")->shape && c.tensor("self")->rank() == spatial + 1) {
    x = added_ ? c.b.Unsqueeze(c.tensor("self"), {0}) : c.tensor("self");
  }
  Value* x;
  Value* out(Value* result) const { return added_ ? c_.b.Squeeze(result, {0}) : result; }

 private:
  Call& c_;
  bool added_;
};

ir::Values max_pool_values(Call& c, bool indices) {
  const size_t spatial = spatial_rank(c);
  const Window window = window_of(c, spatial);
  ir::Attrs attrs = pool_attrs(c, window);
  attrs.set("dilations", c.integers("dilation", spatial));
  const Batched in(c, spatial);
  if (!indices) return {in.out(c.b.op("MaxPool", {in.x}, attrs))};
  // ONNX counts positions over the whole tensor, PyTorch within each channel's plane.
  const ir::Values both = c.b.ops("MaxPool", {in.x}, 2, attrs);
  ir::Values dims;
  for (size_t i = 0; i < spatial; ++i) dims.push_back(c.b.dim(in.x, static_cast<int64_t>(2 + i)));
  Value* plane = c.b.ReduceProd(c.b.Concat(dims, 0), {}, false);
  return {in.out(both[0]), in.out(c.b.Mod(both[1], plane))};
}
Value* max_pool(Call& c) { return max_pool_values(c, false)[0]; }
ir::Values max_pool_with_indices(Call& c) { return max_pool_values(c, true); }

// Padded so far that whole windows cover what ceil_mode's windows do: the last one starts inside the input or the
// padding before it.
Value* padded_for_ceil(Call& c, Value* x, const Window& window) {
  ir::Builder& b = c.b;
  ir::Values begins{b.ints({0, 0})};
  ir::Values ends{b.ints({0, 0})};
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    const int64_t kernel = window.kernel[i];
    const int64_t stride = window.strides[i];
    const int64_t padding = window.padding[i];
    Value* size = b.dim(x, static_cast<int64_t>(2 + i));
    Value* before_last = b.Div(b.Add(size, b.ints({2 * padding - kernel + stride - 1})), b.ints({stride}));
    Value* most = b.Div(b.Add(size, b.ints({padding - 1})), b.ints({stride}));  // of those that start inside
    Value* reach = b.Add(b.Mul(b.Min(before_last, most), b.ints({stride})), b.ints({kernel}));
    begins.push_back(b.ints({padding}));
    ends.push_back(b.Max(b.Sub(reach, b.Add(size, b.ints({padding}))), b.ints({0})));
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  return b.op("Pad", {x, b.Concat(begins, 0)});
}

// By what a mean over whole windows is too small where the last ones reach past the padding: PyTorch counts what lies
// inside it only.
Value* shares_beyond(Call& c, Value* x, Value* mean, const Window& window) {
  ir::Builder& b = c.b;
  Value* shares = nullptr;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    const auto axis = static_cast<int64_t>(2 + i);
    const int64_t kernel = window.kernel[i];
    Value* starts = b.Mul(counting(b, b.dim(mean, axis)), b.i64(window.strides[i]));
    Value* inside = b.Min(b.Sub(b.Add(b.dim(x, axis), b.ints({2 * window.padding[i]})), starts), b.i64(kernel));
    Value* share = b.Div(b.number(static_cast<double>(kernel), DType::kFloat), b.Cast(inside, DType::kFloat));
    share = along(b, share, axis, mean->rank());
    shares = shares == nullptr ? share : b.Mul(shares, share);
  }
  return shares;
}

// Quotients of whole numbers by at most `divisor`, which PyTorch rounds towards zero: what float arithmetic gives for
// one lies much nearer to it than the next quotient does.
Value* truncated(ir::Builder& b, Value* quotient, int64_t divisor, DType dtype) {
  const double share = 0.5 / static_cast<double>(std::abs(divisor));
  return b.Cast(b.Add(quotient, b.Mul(b.Sign(quotient), share)), dtype);
}

// The window's sum over `divisor`, padding counting as zeros, of a floating `x`.
Value* divided_pool(Call& c, Value* x, const Window& window, ir::Attrs attrs) {
  attrs.set("count_include_pad", 1);
  if (c.flag("ceil_mode")) {  // zeros for what the last windows reach beyond the padding
    x = padded_for_ceil(c, x, window);
    attrs.set("pads", std::vector<int64_t>(2 * window.kernel.size(), 0));
    attrs.set("ceil_mode", 0);
  }
  Value* mean = c.b.op("AveragePool", {x}, attrs);
  return c.b.Mul(mean, static_cast<double>(window.size()) / static_cast<double>(c.integer("divisor_override")));
}

Value* mean_pool(Call& c, Value* x, const Window& window, ir::Attrs attrs) {
  const bool padded = std::any_of(window.padding.begin(), window.padding.end(), [](int64_t pad) { return pad != 0; });
  if (c.flag("ceil_mode") && c.flag("count_include_pad") && padded) {
    attrs.set("pads", std::vector<int64_t>(2 * window.kernel.size(), 0));
    attrs.set("ceil_mode", 0);
    Value* mean = c.b.op("AveragePool", {padded_for_ceil(c, x, window)}, attrs);
    return c.b.Mul(mean, c.b.Cast(shares_beyond(c, x, mean, window), mean->dtype));
  }
  // What the last windows of ceil_mode reach beyond an unpadded input counts as padding for ONNX, not for PyTorch.
  if (!padded) attrs.set("count_include_pad", 0);
  return c.b.op("AveragePool", {x}, attrs);
}

Value* avg_pool(Call& c) {
  const size_t spatial = spatial_rank(c);
  const Window window = window_of(c, spatial);
  ir::Attrs attrs = pool_attrs(c, window);
  attrs.set("count_include_pad", c.flag("count_include_pad"));
  const bool divided = c.has("divisor_override") && c.given("divisor_override");
  const Batched in(c, spatial);
  const DType dtype = in.x->dtype;
  const bool whole = ir::is_integer(dtype);
  Value* x = whole ? c.b.Cast(in.x, DType::kFloat) : in.x;
  Value* y = divided ? divided_pool(c, x, window, attrs) : mean_pool(c, x, window, attrs);
  if (!whole) return in.out(y);
  return in.out(truncated(c.b, y, divided ? c.integer("divisor_override") : window.size(), dtype));
}

// --- adaptive --------------------------------------------------------------------------------------------------------

// The cells of one axis: from floor(i * in / out) to ceil((i + 1) * in / out). Axis by axis is enough: each cell of the
// result averages equally many elements along each axis.
Value* pool_axis(Call& c, Value* x, int64_t axis, int64_t cells, std::string_view reduction) {
  ir::Builder& b = c.b;
  if (cells == 1) return b.reduce(reduction, x, {axis}, true);
  const ir::Dim size = x->dim(static_cast<size_t>(axis));
  if (size.is_known() && size.value() == cells) return x;
  Value* length = b.dim(x, axis);
  ir::Values parts;
  for (int64_t i = 0; i < cells; ++i) {
    Value* start = b.Div(b.Mul(length, b.ints({i})), b.ints({cells}));
    Value* end = b.Div(b.Add(b.Mul(length, b.ints({i + 1})), b.ints({cells - 1})), b.ints({cells}));
    parts.push_back(b.reduce(reduction, b.Slice(x, start, end, b.ints({axis})), {axis}, true));
  }
  return b.Concat(parts, axis);
}

// The same for a number of cells that only the run will know (rank 0).
Value* pool_computed_axis(Call& c, Value* x, int64_t axis, Value* cells, bool max) {
  ir::Builder& b = c.b;
  Value* length = b.dim_scalar(x, axis);
  Value* cell = counting(b, cells);
  Value* starts = b.Div(b.Mul(cell, length), cells);
  Value* ends = b.Div(b.Add(b.Mul(b.Add(cell, b.i64(1)), length), b.Sub(cells, b.i64(1))), cells);
  Value* places = b.Unsqueeze(counting(b, length), {0});
  Value* inside = b.And(b.GreaterOrEqual(places, b.Unsqueeze(starts, {1})), b.Less(places, b.Unsqueeze(ends, {1})));
  Value* last = move_axis(b, x, axis, -1);
  Value* result = nullptr;
  if (max) {
    Value* none = b.number_like(-std::numeric_limits<double>::infinity(), x);
    result = b.ReduceMax(b.Where(inside, b.Unsqueeze(last, {-2}), none), {-1}, false);
  } else {
    Value* sizes = b.Cast(b.Unsqueeze(b.Sub(ends, starts), {1}), x->dtype);
    result = b.MatMul(last, b.Transpose(b.Div(b.Cast(inside, x->dtype), sizes), {1, 0}));
  }
  return move_axis(b, result, -1, axis);
}

// The output size of one spatial axis; neither keeps the input's.
struct Cells {
  std::optional<int64_t> known;
  Value* computed = nullptr;
};

bool is_size_of(const Value* size, const Value* x, size_t axis) {
  return size->content && size->content->size() == 1 && x->has_rank() && axis < x->rank() &&
         !x->dim(axis).is_unknown() && size->content->front() == x->dim(axis);
}

std::vector<Cells> wanted_cells(Call& c, const Value* x, size_t spatial) {
  std::vector<Cells> cells;
  const Arg::List* list = c.arg("output_size").list();
  for (size_t i = 0; i < spatial; ++i) {
    const Arg& item = list == nullptr ? c.arg("output_size") : list->at(list->size() == 1 ? 0 : i);
    const auto* number = std::get_if<int64_t>(&item.data);
    const auto* symbol = std::get_if<SymbolArg>(&item.data);
    c.require(number != nullptr || item.is_none() || symbol != nullptr, "an output size is no integer");
    Cells size;
    if (number != nullptr && *number >= 0) size.known = *number;
    // A size that is the input's own (as code writes for None) changes nothing.
    if (symbol != nullptr && !is_size_of(symbol->value, x, 2 + i)) size.computed = symbol->value;
    cells.push_back(size);
  }
  return cells;
}

// Where every axis divides evenly (and is known), one pooling operator does it.
std::optional<std::vector<int64_t>> even_kernel(Value* x, const std::vector<Cells>& sizes) {
  std::vector<int64_t> kernel;
  for (size_t i = 0; i < sizes.size(); ++i) {
    const ir::Dim dim = x->dim(2 + i);
    if (!dim.is_known() || sizes[i].computed != nullptr) return std::nullopt;
    const int64_t cells = sizes[i].known.value_or(dim.value());
    if (cells == 0 || dim.value() % cells != 0) return std::nullopt;
    kernel.push_back(dim.value() / cells);
  }
  return kernel;
}

Value* adaptive(Call& c, bool max) {
  const size_t spatial = spatial_rank(c);
  const Batched in(c, spatial);
  const std::vector<Cells> sizes = wanted_cells(c, in.x, spatial);
  const bool global = std::all_of(sizes.begin(), sizes.end(), [](const Cells& size) { return size.known == 1; });
  if (global) return in.out(c.b.op(max ? "GlobalMaxPool" : "GlobalAveragePool", {in.x}));
  if (in.x->has_rank()) {
    if (const auto kernel = even_kernel(in.x, sizes)) {
      return in.out(c.b.op(max ? "MaxPool" : "AveragePool", {in.x}, {{"kernel_shape", *kernel}, {"strides", *kernel}}));
    }
  }
  Value* x = in.x;
  for (size_t i = 0; i < spatial; ++i) {
    const auto axis = static_cast<int64_t>(2 + i);
    if (sizes[i].computed != nullptr) x = pool_computed_axis(c, x, axis, sizes[i].computed, max);
    if (sizes[i].known) x = pool_axis(c, x, axis, *sizes[i].known, max ? "ReduceMax" : "ReduceMean");
  }
  return in.out(x);
}
Value* adaptive_avg_pool(Call& c) { return adaptive(c, false); }

// The position of each maximum within its channel's plane.
ir::Values adaptive_max_pool(Call& c) {
  const size_t spatial = spatial_rank(c);
  ir::Builder& b = c.b;
  const Batched in(c, spatial);
  const std::vector<Cells> sizes = wanted_cells(c, in.x, spatial);
  const auto kernel = in.x->has_rank() ? even_kernel(in.x, sizes) : std::nullopt;
  if (kernel) {
    const ir::Values both = b.ops("MaxPool", {in.x}, 2, {{"kernel_shape", *kernel}, {"strides", *kernel}});
    const int64_t plane = [&] {
      int64_t count = 1;
      for (size_t i = 0; i < spatial; ++i) count *= in.x->dim(2 + i).value();
      return count;
    }();
    return {in.out(both[0]), in.out(b.Mod(both[1], b.i64(plane)))};
  }
  // Axis by axis, last first, carrying the place found so far.
  Value* values = in.x;
  Value* places = nullptr;
  for (size_t k = spatial; k-- > 0;) {
    const auto axis = static_cast<int64_t>(2 + k);
    Value* length = b.dim(in.x, axis);
    const int64_t cells = sizes[k].known.value_or(-1);
    c.require(cells > 0, "an output size that is the input's own needs a size that is known");
    ir::Values best;
    ir::Values where;
    for (int64_t i = 0; i < cells; ++i) {
      Value* start = b.Div(b.Mul(length, b.ints({i})), b.ints({cells}));
      Value* end = b.Div(b.Add(b.Mul(length, b.ints({i + 1})), b.ints({cells - 1})), b.ints({cells}));
      Value* part = b.Slice(values, start, end, b.ints({axis}));
      Value* at = b.ArgMax(part, axis, true);
      best.push_back(b.reduce("ReduceMax", part, {axis}, true));
      Value* place = b.Add(at, start);
      if (places != nullptr) {  // index along this axis times the size of the ones behind, plus the place found there
        Value* behind = b.op("GatherElements", {b.Slice(places, start, end, b.ints({axis})), at}, {{"axis", axis}});
        ir::Values dims;
        for (size_t j = k + 1; j < spatial; ++j) dims.push_back(b.dim(in.x, static_cast<int64_t>(2 + j)));
        place = b.Add(b.Mul(place, b.ReduceProd(b.Concat(dims, 0), {}, false)), behind);
      }
      where.push_back(place);
    }
    values = b.Concat(best, axis);
    places = b.Concat(where, axis);
  }
  return {in.out(values), in.out(places)};
}

}  // namespace

void register_pooling(OpTable& t) {
  for (const char n : {'1', '2', '3'}) {
    const std::string d = std::string(1, n) + "d";
    const std::string window = "(Tensor self, int[] kernel_size, int[] stride=[], int[] padding=0, ";
    t.add("aten::max_pool" + d + window + "int[] dilation=1, bool ceil_mode=False) -> Tensor", max_pool);
    t.add(
        "aten::max_pool" + d + "_with_indices" + window + "int[] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
        max_pool_with_indices);
    const std::string divisor = n == '1' ? "" : ", int? divisor_override=None";
    t.add("aten::avg_pool" + d + window + "bool ceil_mode=False, bool count_include_pad=True" + divisor + ") -> Tensor",
          avg_pool);
    t.add("aten::adaptive_avg_pool" + d + "(Tensor self, SymInt[] output_size) -> Tensor", adaptive_avg_pool);
    t.add("aten::_adaptive_avg_pool" + d + "(Tensor self, SymInt[] output_size) -> Tensor", adaptive_avg_pool);
    t.add("aten::adaptive_max_pool" + d + "(Tensor self, int[] output_size) -> (Tensor, Tensor)", adaptive_max_pool);
  }
}

}  // namespace onward::importer::torch
