#include "import/tensorflow/ops/windows.h"

#include <algorithm>

#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {

using ir::Value;

namespace {

std::vector<int64_t> extents(const Windows& windows) {
  std::vector<int64_t> extents;
  for (size_t i = 0; i < windows.kernel.size(); ++i) {
    extents.push_back((windows.kernel[i] - 1) * windows.dilations[i] + 1);
  }
  return extents;
}

// SAME's pads where they follow from what is known: begins, then ends.
std::optional<std::vector<int64_t>> known_same_pads(const Value* x, const Windows& windows) {
  const std::vector<int64_t> extent = extents(windows);
  const size_t count = extent.size();
  std::vector<int64_t> pads(2 * count);
  for (size_t i = 0; i < count; ++i) {
    int64_t total = extent[i] - windows.strides[i];
    if (windows.strides[i] != 1) {
      const ir::Dim size = x->shape && i + 2 < x->shape->size() ? x->dim(i + 2) : ir::Dim();
      if (!size.is_known()) return std::nullopt;
      const int64_t out = (size.value() + windows.strides[i] - 1) / windows.strides[i];
      total = (out - 1) * windows.strides[i] + extent[i] - size.value();
    }
    total = std::max<int64_t>(total, 0);
    pads[i] = total / 2;
    pads[count + i] = total - total / 2;
  }
  return pads;
}

// explicit_paddings: begin and end of every dimension.
std::vector<int64_t> explicit_pads(Call& c, const Windows& windows) {
  const std::vector<int64_t> all = c.integers("explicit_paddings");
  const size_t count = windows.kernel.size();
  c.require(all.size() == 2 * (count + 2), "its explicit_paddings do not fit its rank");
  const size_t first = windows.channels_first ? 2 : 1;
  std::vector<int64_t> pads(2 * count);
  for (size_t i = 0; i < count; ++i) {
    pads[i] = all[2 * (first + i)];
    pads[count + i] = all[2 * (first + i) + 1];
  }
  return pads;
}

}  // namespace

SamePads same_pads(ir::Builder& b, Value* sizes, const Windows& windows) {
  Value* strides = b.ints(windows.strides);
  Value* out = b.Div(b.Sub(b.Add(sizes, strides), b.i64(1)), strides);
  Value* reach = b.Add(b.Mul(b.Sub(out, b.i64(1)), strides), b.ints(extents(windows)));
  Value* total = b.Max(b.Sub(reach, sizes), b.i64(0));
  Value* begins = b.Div(total, b.i64(2));
  return {begins, b.Sub(total, begins)};
}

Value* set_windows(Call& c, Value* x, const Windows& windows, double filler, ir::Attrs& attrs) {
  ir::Builder& b = c.b;
  const std::string padding = c.text("padding");
  const size_t count = windows.kernel.size();
  attrs.set("strides", windows.strides);
  const bool dilated =
      std::any_of(windows.dilations.begin(), windows.dilations.end(), [](int64_t rate) { return rate != 1; });
  if (dilated) attrs.set("dilations", windows.dilations);
  if (padding == "VALID") return x;
  if (padding == "EXPLICIT") {
    attrs.set("pads", explicit_pads(c, windows));
    return x;
  }
  c.require(padding == "SAME", "its padding \"" + padding + "\" is unknown");
  if (const auto pads = known_same_pads(x, windows)) {
    attrs.set("pads", *pads);
    return x;
  }
  if (!dilated) {
    attrs.set("auto_pad", "SAME_UPPER");
    return x;
  }
  const SamePads pads = same_pads(b, dims(b, x, 2), windows);
  Value* none = b.ints({0, 0});
  Value* all = b.Concat({none, pads.begins, none, pads.ends}, 0);
  Value* padded = b.op("Pad", {x, all, filler == 0 ? nullptr : b.number_like(filler, x)}, {{"mode", "constant"}});
  if (x->shape) {
    padded->shape = ir::Shape(count + 2);
    (*padded->shape)[0] = x->dim(0);
    (*padded->shape)[1] = x->dim(1);
  }
  return padded;
}

}  // namespace onward::importer::tf
