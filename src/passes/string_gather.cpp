// Gather<string>(x, i)  →  Transpose(GatherND(Transpose(x), Unsqueeze(i)))
//
// where an element of the axis is more than one string: ONNX Runtime's Gather copies the first string of each only.
// Where the axis is the last, or what lies behind it is one string wide, Gather stays.
#include <numeric>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

Outcome gather(Node& node, Rewrite& rewrite) {
  Value* x = node.input(0);
  Value* indices = node.input(1);
  if (x->dtype != ir::DType::kString) return Outcome::no("no strings");
  if (!x->has_rank() || !indices->has_rank()) return Outcome::no("a rank is unknown");
  const auto rank = static_cast<int64_t>(x->rank());
  const ir::Attr* given = node.attrs.find("axis");
  int64_t axis = given == nullptr ? 0 : given->as_int();
  axis += axis < 0 ? rank : 0;
  bool single = true;
  for (int64_t i = axis + 1; i < rank; ++i) {
    const ir::Dim dim = x->dim(static_cast<size_t>(i));
    single = single && dim.is_known() && dim.value() == 1;
  }
  if (single) return Outcome::no("one string at a time");
  ir::Builder& b = rewrite.b;
  std::vector<int64_t> front(static_cast<size_t>(rank));
  std::iota(front.begin(), front.end(), 0);
  front.erase(front.begin() + axis);
  front.insert(front.begin(), axis);
  Value* found = b.op("GatherND", {b.Transpose(x, front), b.Unsqueeze(b.Cast(indices, ir::DType::kInt64), {-1})});
  // [places…, before the axis…, behind it…] → [before…, places…, behind…]
  const auto places = static_cast<int64_t>(indices->rank());
  std::vector<int64_t> order;
  for (int64_t i = 0; i < axis; ++i) order.push_back(places + i);
  for (int64_t i = 0; i < places; ++i) order.push_back(i);
  for (int64_t i = axis; i < rank - 1; ++i) order.push_back(places + i);
  rewrite.replace(node.output(), b.Transpose(found, order));
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Gather", gather}};

}  // namespace

bool gather_strings(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
