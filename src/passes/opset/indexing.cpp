// Trilu, and scattering with a reduction.
#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::DType;
using ir::Node;
using ir::Value;

// Trilu(input, k=0; upper=1)
Outcome trilu(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  const auto counting = [&](int64_t axis) { return b.Range(b.i64(0), b.dim_scalar(x, axis), b.i64(1)); };
  Value* rows = b.Unsqueeze(counting(-2), {1});
  Value* columns = counting(-1);
  if (node.input(1) != nullptr) rows = b.Add(rows, b.Reshape(node.input(1), std::vector<int64_t>{1}));
  Value* mask = node.attrs.get("upper", int64_t{1}) != 0 ? b.LessOrEqual(rows, columns) : b.LessOrEqual(columns, rows);
  if (x->dtype == DType::kBool) return becomes(node, rewrite, b.And(x, mask));
  return becomes(node, rewrite, b.Where(mask, x, b.number_like(0, x)));
}

bool reduces(const Node& node) { return node.attrs.get("reduction", "none") != "none"; }
bool takes_extreme(const Node& node) {
  const std::string reduction = node.attrs.get("reduction", "none");
  return reduction == "min" || reduction == "max";
}
bool has_reduction(const Node& node) { return node.attrs.contains("reduction"); }

Value* combined(ir::Builder& b, const std::string& reduction, Value* a, Value* c) {
  if (reduction == "add") return b.Add(a, c);
  if (reduction == "mul") return b.Mul(a, c);
  return reduction == "max" ? b.Max(a, c) : b.Min(a, c);
}

// ScatterND(data, indices, updates; reduction): one update after another, since places may repeat.
Outcome scatter_nd(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const std::string reduction = node.attrs.get("reduction", "none");
  if (reduction == "none") {
    node.attrs.erase("reduction");
    return Outcome::done();
  }
  Value* data = node.input(0);
  Value* indices = node.input(1);
  if (!indices->shape || !indices->shape->back().is_known()) return Outcome::no("the size of its indices is not known");
  const int64_t depth = indices->shape->back().value();
  Value* rows = b.Reshape(indices, {-1, depth});
  Value* block = b.op("Shape", {data}, {{"start", depth}});
  Value* updates = b.Reshape(node.input(2), b.Concat({b.ints({-1}), block}, 0));
  const ir::Values results =
      b.Loop(b.dim_scalar(rows, 0), nullptr, {data},
             [&](ir::Builder& body, Value* iteration, Value*, const ir::Values& carried) -> ir::Builder::LoopResult {
               Value* at = body.Unsqueeze(iteration, {0});
               Value* row = body.Gather(rows, at, 0);
               Value* now = body.op("GatherND", {carried[0], row});
               Value* next = combined(body, reduction, now, body.Gather(updates, at, 0));
               return {nullptr, {body.op("ScatterND", {carried[0], row, next})}, {}};
             });
  return becomes(node, rewrite, results.front());
}

// ScatterElements(data, indices, updates; axis, reduction) as a ScatterND of single elements.
Outcome scatter_elements(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  if (!reduces(node)) {
    node.attrs.erase("reduction");
    return Outcome::done();
  }
  Value* indices = node.input(1);
  if (!indices->shape) return Outcome::no("the rank of its indices is not known");
  const auto rank = static_cast<int64_t>(indices->rank());
  int64_t axis = node.attrs.get("axis", int64_t{0});
  if (axis < 0) axis += rank;
  Value* places = b.Transpose(b.NonZero(b.Fill(b.Shape(indices), 1, DType::kInt64)), {1, 0});
  ir::Values columns;
  if (axis > 0) columns.push_back(b.Slice(places, 0, axis, 1));
  columns.push_back(b.Cast(b.Reshape(indices, {-1, 1}), DType::kInt64));
  if (axis + 1 < rank) columns.push_back(b.Slice(places, axis + 1, rank, 1));
  Value* updates = b.Reshape(node.input(2), std::vector<int64_t>{-1});
  const ir::Attrs attrs{{"reduction", node.attrs.get("reduction", "none")}};
  return becomes(node, rewrite, b.op("ScatterND", {node.input(0), b.Concat(columns, 1), updates}, attrs));
}

// GridSample's modes have other names from opset 20 on.
Outcome rename_grid_modes(Node& node, Rewrite&) {
  const std::string mode = node.attrs.get("mode", "bilinear");
  node.attrs.set("mode", mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode);
  return Outcome::done();
}

bool has_old_grid_mode(const Node& node) {
  const std::string mode = node.attrs.get("mode", "bilinear");
  return mode == "bilinear" || mode == "bicubic";
}

Outcome old_grid_modes(Node& node, Rewrite&) {
  node.attrs.set("mode", node.attrs.get("mode", "linear") == "linear" ? "bilinear" : "bicubic");
  return Outcome::done();
}

bool has_new_grid_mode(const Node& node) {
  const std::string mode = node.attrs.get("mode", "bilinear");
  return mode == "linear" || mode == "cubic";
}

Outcome no_grid_sample(Node&, Rewrite&) { return Outcome::no("GridSample came with opset 16"); }

// Before opset 16 RoiAlign has no modes and does what "output_half_pixel" says since.
bool has_roi_mode(const Node& node) { return node.attrs.find("coordinate_transformation_mode") != nullptr; }

Outcome old_roi_align(Node& node, Rewrite&) {
  if (node.attrs.get("coordinate_transformation_mode", "half_pixel") != "output_half_pixel") {
    return Outcome::no("RoiAlign with half-pixel coordinates came with opset 16");
  }
  node.attrs.erase("coordinate_transformation_mode");
  return Outcome::done();
}

}  // namespace

void add_indexing(Table& table) {
  below(table, 14, "Trilu", trilu);
  below(table, 16, "ScatterND", scatter_nd, has_reduction);
  below(table, 18, "ScatterND", scatter_nd, takes_extreme);
  below(table, 16, "ScatterElements", scatter_elements, has_reduction);
  below(table, 18, "ScatterElements", scatter_elements, takes_extreme);
  below(table, 16, "GridSample", no_grid_sample);
  below(table, 16, "RoiAlign", old_roi_align, has_roi_mode);
  below(table, 20, "GridSample", old_grid_modes, has_new_grid_mode);
  from(table, 20, "GridSample", rename_grid_modes, has_old_grid_mode);
}

}  // namespace onward::passes::opset
