// Op<narrow>(x) → Cast<narrow>(Op<wide>(Cast<wide>(x)))
//
// where ONNX Runtime's CPU provider has no kernel of the operator for `narrow` (Add on bool, Max on int16, Conv on
// double …). Small integers wrap as they would in their own type; double and the half floats compute in float where
// there is no other kernel.

#include <array>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ir/builder.h"
#include "passes/passes.h"

namespace onward::passes {
namespace {

using ir::DType;
using ir::Value;

// The inputs and outputs (as bits) that share one type parameter of an operator, and the element types (as bits, by
// ONNX's numbers) that there is a kernel for.
struct Row {
  std::string_view op_type;
  uint32_t inputs;
  uint32_t outputs;
  uint32_t types;
};
constexpr auto kRows = std::to_array<Row>({
#include "passes/kernel_types.inc"
    // Of a later opset than the table's; lowered, it needs Erf and Tanh: float float16.
    {"Gelu", 0x1, 0x1, 0x402},
});
constexpr uint32_t kVariadic = 0xffff;

bool takes(uint32_t types, DType dtype) { return ((types >> static_cast<uint32_t>(dtype)) & 1U) != 0; }

// Wider types that hold every value of `dtype`, or come nearest, best first.
std::vector<DType> wider(DType dtype, std::string_view op_type) {
  if (op_type == "NonZero") return {DType::kBool};  // whatever else could round to zero
  switch (dtype) {
    case DType::kBool:
      return {DType::kUInt8, DType::kInt32, DType::kInt64, DType::kFloat};
    case DType::kInt8:
    case DType::kUInt8:
    case DType::kInt16:
    case DType::kUInt16:
      return {DType::kInt32, DType::kInt64, DType::kFloat, DType::kDouble};
    case DType::kInt32:
    case DType::kUInt32:
      return {DType::kInt64, DType::kDouble, DType::kFloat};
    case DType::kInt64:
    case DType::kUInt64:
      return {DType::kInt64, DType::kDouble, DType::kFloat, DType::kInt32};
    case DType::kFloat16:
    case DType::kBFloat16:
    case DType::kDouble:
      return {DType::kFloat};
    default:
      return {};
  }
}

std::optional<DType> computed_in(DType dtype, const Row& row) {
  for (const DType wide : wider(dtype, row.op_type)) {
    if (takes(row.types, wide)) return wide;
  }
  return std::nullopt;
}

bool covers(uint32_t places, size_t index) { return places == kVariadic || (index < 32 && ((places >> index) & 1U)); }

// The next node, to build before; null at the end of the graph.
ir::Node* after(ir::Node& node) {
  auto& nodes = node.graph()->nodes();
  for (auto it = nodes.begin(); it != nodes.end(); ++it) {
    if (&*it == &node) return ++it == nodes.end() ? nullptr : &*it;
  }
  return nullptr;
}

bool apply(ir::Node& node, const Row& row, const ir::Inference& inference) {
  DType narrow = DType::kUndefined;
  for (size_t i = 0; i < node.inputs().size() && narrow == DType::kUndefined; ++i) {
    if (covers(row.inputs, i) && node.input(i) != nullptr) narrow = node.input(i)->dtype;
  }
  if (narrow == DType::kUndefined || takes(row.types, narrow)) return false;
  const std::optional<DType> wide = computed_in(narrow, row);
  if (!wide) return false;
  ir::Builder before(*node.graph(), inference, &node);
  before.set_origin(node.origin);
  for (size_t i = 0; i < node.inputs().size(); ++i) {
    Value* input = node.input(i);
    if (covers(row.inputs, i) && input != nullptr && input->dtype == narrow)
      node.set_input(i, before.Cast(input, *wide));
  }
  ir::Builder behind(*node.graph(), inference, after(node));
  behind.set_origin(node.origin);
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    Value* output = node.output(i);
    if (!covers(row.outputs, i) || output->dtype != narrow) continue;
    output->dtype = *wide;
    if (output->uses().empty()) continue;
    Value* cast = behind.Cast(output, narrow);
    std::swap(cast->name, output->name);
    ir::Graph::replace_uses(output, cast);
    cast->producer()->set_input(0, output);  // which replace_uses turned to the cast itself
  }
  return true;
}

const std::unordered_multimap<std::string_view, const Row*>& rows_by_operator() {
  static const auto kIndex = [] {
    std::unordered_multimap<std::string_view, const Row*> index;
    for (const Row& row : kRows) index.emplace(row.op_type, &row);
    return index;
  }();
  return kIndex;
}

}  // namespace

bool cast_around_kernels(ir::Graph& graph, const ir::Inference& inference) {
  bool changed = false;
  for (ir::Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](ir::Graph& inner) { changed = cast_around_kernels(inner, inference) || changed; });
    if (!node.domain.empty()) continue;
    const auto [begin, end] = rows_by_operator().equal_range(node.op_type);
    for (auto it = begin; it != end; ++it) changed = apply(node, *it->second, inference) || changed;
  }
  return changed;
}

}  // namespace onward::passes
