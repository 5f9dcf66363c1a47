// Transposes that follow each other become one or none:
//
//   Transpose<q>(Transpose<p>(x))                →  Transpose<p∘q>(x), or x where that is in order
//   Transpose<p⁻¹>(f(Transpose<p>(x)))           →  f(x)     f: element-wise, used only here
//   Reshape(Transpose(x), constant)              →  Reshape(x, constant)   where only axes of length 1 changed place
//   Reshape(Reshape(x, …), constant)             →  Reshape(x, constant)   likewise Flatten, Squeeze, Unsqueeze before
//   it Cast<b>(Cast<a>(x))                          →  Cast<b>(x)   where a holds every value of x's type
#include <algorithm>

#include "passes/layout/roles.h"
#include "passes/passes.h"
#include "passes/rewrite.h"
#include "passes/views.h"

namespace onward::passes {
namespace {

using ir::Attr;
using ir::Node;
using ir::Value;

Attr::Ints composed(const Attr::Ints& first, const Attr::Ints& second) {
  Attr::Ints both;
  for (const int64_t axis : second) both.push_back(first.at(static_cast<size_t>(axis)));
  return both;
}

Outcome merge_transposes(Node& node, Rewrite& rewrite) {
  const Node* before = produced_by(node.input(0), "Transpose");
  if (before == nullptr) return Outcome::no("no transpose before it");
  const Attr::Ints first = permutation_of(*before);
  const Attr::Ints second = permutation_of(node);
  if (first.empty() || first.size() != second.size()) return Outcome::no("the rank is unknown");
  rewrite.replace(node.output(), rewrite.b.Transpose(before->input(0), composed(first, second)));
  return Outcome::done();
}

bool is_plain_unary(const Node& node) {
  return node.domain.empty() && node.inputs().size() == 1 && node.outputs().size() == 1 &&
         layout::is_unary_elementwise(node.op_type);
}

Outcome cancel_through_unary(Node& node, Rewrite& rewrite) {
  std::vector<const Node*> chain;
  const Value* at = node.input(0);
  while (at->producer() != nullptr && has_single_use(at) && is_plain_unary(*at->producer())) {
    chain.push_back(at->producer());
    at = at->producer()->input(0);
  }
  const Node* before = produced_by(at, "Transpose");
  if (before == nullptr || chain.empty()) return Outcome::no("no transpose before a chain of unary operators");
  const Attr::Ints first = permutation_of(*before);
  const Attr::Ints second = permutation_of(node);
  if (first.size() != second.size()) return Outcome::no("the rank is unknown");
  const Attr::Ints both = composed(first, second);
  if (!std::is_sorted(both.begin(), both.end())) return Outcome::no("the transposes do not cancel");
  Value* value = before->input(0);
  for (auto step = chain.rbegin(); step != chain.rend(); ++step) {
    value = layout::rebuild(**step, rewrite.b, {value}).front();
  }
  rewrite.replace(node.output(), value);
  return Outcome::done();
}

bool is_view(const Node* node) {
  if (node == nullptr || !node->domain.empty()) return false;
  return node->op_type == "Reshape" || node->op_type == "Flatten" || node->op_type == "Squeeze" ||
         node->op_type == "Unsqueeze" || (node->op_type == "Transpose" && keeps_order(*node));
}

Outcome reshape_of_view(Node& node, Rewrite& rewrite) {
  const auto target = constant_ints(node.input(1));
  if (!target || std::count(target->begin(), target->end(), 0) > 0) return Outcome::no("the target is relative");
  Value* source = node.input(0);
  while (is_view(source->producer())) source = source->producer()->input(0);
  if (source == node.input(0)) return Outcome::no("no view before it");
  rewrite.replace(node.output(), rewrite.b.Reshape(source, node.input(1)));
  return Outcome::done();
}

// Whether every value of `from` has its place in `to`.
bool holds_all(ir::DType from, ir::DType to) {
  using ir::DType;
  const size_t bits = ir::dtype_bits(from);
  if (bits == 0 || ir::dtype_bits(to) < 8 || ir::is_complex(from) || ir::is_complex(to)) return false;
  if (from == DType::kBool) return ir::is_numeric(to);
  if (ir::is_floating(from)) {
    if (from == DType::kFloat) return to == DType::kDouble;
    return (from == DType::kFloat16 || from == DType::kBFloat16) && (to == DType::kFloat || to == DType::kDouble);
  }
  const size_t room = to == DType::kDouble ? 53 : to == DType::kFloat ? 24 : 0;
  if (room > 0) return bits < room;
  if (ir::is_unsigned_integer(from)) return ir::is_integer(to) && ir::dtype_bits(to) > bits;
  return ir::is_signed_integer(to) && ir::dtype_bits(to) > bits;
}

Outcome merge_casts(Node& node, Rewrite& rewrite) {
  const Node* before = produced_by(node.input(0), "Cast");
  if (before == nullptr) return Outcome::no("no cast before it");
  if (!holds_all(before->input(0)->dtype, before->output()->dtype))
    return Outcome::no("the first cast loses something");
  rewrite.replace(node.output(), rewrite.b.Cast(before->input(0), node.output()->dtype));
  return Outcome::done();
}

constexpr Rule kRules[] = {
    {"Transpose", merge_transposes},
    {"Transpose", cancel_through_unary},
    {"Reshape", reshape_of_view},
    {"Cast", merge_casts},
};

}  // namespace

bool merge_views(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
