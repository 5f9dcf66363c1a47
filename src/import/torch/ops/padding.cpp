// Padding: pad, constant_pad_nd, reflection, replication.
#include <algorithm>
#include <limits>
#include <utility>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// Negative padding: how much less of an axis there is, as negative numbers. What is cut may still be what an edge
// beside it repeats, so it goes after the padding.
struct Cut {
  int64_t axis;
  int64_t front;
  int64_t back;
};
Value* cut(ir::Builder& b, Value* x, const std::vector<Cut>& cuts) {
  for (const Cut& one : cuts) {
    x = b.Slice(x, -one.front, one.back < 0 ? one.back : std::numeric_limits<int64_t>::max(), one.axis);
  }
  return x;
}

// PyTorch lists pairs from the last dimension on; ONNX wants all begins, then all ends, of the named axes.
Value* padded(Call& c, std::string_view pads_name, const std::string& mode, Value* filler) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const Arg::List* list = c.arg(pads_name).list();
  const size_t pairs = (list == nullptr ? 1 : list->size()) / 2;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < pairs; ++i) axes.push_back(-1 - static_cast<int64_t>(i));
  if (x->has_rank()) {
    for (int64_t& axis : axes) axis += c.rank("self");
  }
  Value* pads = nullptr;
  std::vector<Cut> cuts;
  if (c.known(pads_name)) {
    std::vector<int64_t> values = c.integers(pads_name);
    for (size_t i = 0; i < pairs; ++i) {
      const int64_t front = std::exchange(values[2 * i], std::max<int64_t>(values[2 * i], 0));
      const int64_t back = std::exchange(values[2 * i + 1], std::max<int64_t>(values[2 * i + 1], 0));
      if (front < 0 || back < 0) cuts.push_back({axes[i], std::min<int64_t>(front, 0), std::min<int64_t>(back, 0)});
    }
    if (std::all_of(values.begin(), values.end(), [](int64_t pad) { return pad == 0; })) return cut(b, x, cuts);
    std::vector<int64_t> ordered;
    for (size_t end = 0; end < 2; ++end) {
      for (size_t i = 0; i < pairs; ++i) ordered.push_back(values[2 * i + end]);
    }
    pads = b.ints(ordered);
  } else {
    std::vector<int64_t> order;
    for (size_t end = 0; end < 2; ++end) {
      for (size_t i = 0; i < pairs; ++i) order.push_back(static_cast<int64_t>(2 * i + end));
    }
    pads = b.Gather(c.int_vector(pads_name), b.ints(order), 0);
  }
  const DType dtype = x->dtype;
  const bool narrow = dtype == DType::kBool;  // ONNX Runtime pads no bools in some modes
  if (narrow) x = b.Cast(x, DType::kInt32);
  if (narrow && filler != nullptr) filler = b.Cast(filler, DType::kInt32);
  return cut(b, b.Cast(b.op("Pad", {x, pads, filler, b.ints(axes)}, {{"mode", mode}}), dtype), cuts);
}

// Circular padding joins the far ends, dimension by dimension.
Value* circular(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const std::vector<int64_t> pads = c.integers("pad");
  for (size_t i = 0; 2 * i < pads.size(); ++i) {
    const int64_t axis = static_cast<int64_t>(x->rank()) - 1 - static_cast<int64_t>(i);
    const int64_t before = pads[2 * i];
    const int64_t after = pads[2 * i + 1];
    ir::Values parts;
    if (before > 0) parts.push_back(b.Slice(x, -before, std::numeric_limits<int64_t>::max(), axis));
    const bool cut = before < 0 || after < 0;
    parts.push_back(
        cut ? b.Slice(x, std::max<int64_t>(0, -before), after < 0 ? after : std::numeric_limits<int64_t>::max(), axis)
            : x);
    if (after > 0) parts.push_back(b.Slice(x, 0, after, axis));
    x = b.Concat(parts, axis);
  }
  return x;
}

Value* filler_of(Call& c) {
  if (!c.given("value") || (c.known("value") && c.number("value") == 0)) return nullptr;
  return c.scalar("value", c.tensor("self")->dtype);
}

Value* pad(Call& c) {
  const std::string mode = c.text("mode");
  if (mode == "constant") return padded(c, "pad", mode, filler_of(c));
  if (mode == "circular") return circular(c);
  c.require(mode == "reflect" || mode == "replicate", "mode \"" + mode + "\" is unknown");
  return padded(c, "pad", mode == "reflect" ? "reflect" : "edge", nullptr);
}
Value* constant_pad(Call& c) { return padded(c, "pad", "constant", filler_of(c)); }
Value* reflection(Call& c) { return padded(c, "padding", "reflect", nullptr); }
Value* replication(Call& c) { return padded(c, "padding", "edge", nullptr); }

}  // namespace

void register_padding(OpTable& t) {
  t.add("aten::pad(Tensor self, SymInt[] pad, str mode=\"constant\", float? value=None) -> Tensor", pad);
  t.add("aten::constant_pad_nd(Tensor self, SymInt[] pad, Scalar value=0) -> Tensor", constant_pad);
  t.add("aten::_pad_circular(Tensor self, SymInt[] pad) -> Tensor", circular);
  for (const char n : {'1', '2', '3'}) {
    const std::string end = std::string("_pad") + n + "d(Tensor self, SymInt[] padding) -> Tensor";
    t.add("aten::reflection" + end, reflection);
    t.add("aten::replication" + end, replication);
  }
}

}  // namespace onward::importer::torch
