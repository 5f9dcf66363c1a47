#include "import/tensorflow/control/branch.h"

#include <set>

#include "base/error.h"
#include "import/tensorflow/control/carry.h"

namespace onward::importer::tf {
namespace {

struct Side {
  std::shared_ptr<ir::Graph> graph = std::make_shared<ir::Graph>();
  State state;
  Items items;
  ir::Values values;
};

void build(Side& side, Call& call, const BranchBody& body) {
  side.state = call.state();
  ir::Builder b = call.b.inner(*side.graph);
  side.items = body(b, side.state);
}

// Variables that either branch assigned, whose values then are further results.
std::vector<const Resource*> assigned(const State& before, Side& a, Side& b) {
  std::set<const Resource*> changed;
  for (const Side* side : {&a, &b}) {
    for (const auto& [resource, item] : side->state.variables) {
      const auto old = before.variables.find(resource);
      const bool same = old != before.variables.end() && same_item(item, old->second);
      if (!same) changed.insert(resource);
    }
  }
  for (const Resource* resource : changed) {
    for (Side* side : {&a, &b}) {
      const auto found = side->state.variables.find(resource);
      side->items.push_back(found == side->state.variables.end() ? Item(Untranslated{}) : found->second);
    }
  }
  return {changed.begin(), changed.end()};
}

}  // namespace

ir::Value* truth(ir::Builder& b, ir::Value* value) {
  if (value->shape && value->shape->empty()) {
    if (value->dtype == ir::DType::kString) {
      return b.Not(b.Equal(value, b.constant(ir::Tensor::of_strings({}, {""}))));
    }
    return b.Cast(value, ir::DType::kBool);
  }
  if (value->dtype == ir::DType::kBool && !value->shape) return b.Reshape(value, std::vector<int64_t>{});
  return b.Greater(b.Size(value), b.i64(0));
}

Items branch(Call& call, ir::Value* condition, const BranchBody& then_body, const BranchBody& else_body) {
  if (condition->is_constant()) {
    return (condition->constant()->as_int() != 0 ? then_body : else_body)(call.b, call.state());
  }
  Side then_side;
  Side else_side;
  build(then_side, call, then_body);
  build(else_side, call, else_body);
  if (then_side.items.size() != else_side.items.size()) fail_data("its branches return different numbers of tensors");
  const size_t own = then_side.items.size();
  const std::vector<const Resource*> variables = assigned(call.state(), then_side, else_side);
  std::vector<Slot> slots;
  for (size_t i = 0; i < then_side.items.size(); ++i) {
    slots.push_back(slot_for(then_side.items[i], else_side.items[i]));
  }
  for (Side* side : {&then_side, &else_side}) {
    ir::Builder b = call.b.inner(*side->graph);
    for (size_t i = 0; i < slots.size(); ++i) {
      if (ir::Value* value = flatten(slots[i], side->items[i], b, call)) side->values.push_back(value);
    }
    call.b.finish(*side->graph, side->values);
  }
  ir::Values outputs;
  if (!then_side.values.empty()) {
    ir::Node* node = call.b.graph().add_node("", "If", {condition}, then_side.values.size());
    node->attrs = {{"then_branch", then_side.graph}, {"else_branch", else_side.graph}};
    node->origin = call.b.origin();
    call.b.inference().infer(*node);
    outputs = node->outputs();
  }
  Items results;
  size_t next = 0;
  for (const Slot& slot : slots) {
    results.push_back(slot.kind == Slot::Kind::kFixed ? slot.fixed : rebuild(slot, outputs[next++]));
  }
  for (size_t i = 0; i < variables.size(); ++i) call.state().variables[variables[i]] = results[own + i];
  results.resize(own);
  return results;
}

}  // namespace onward::importer::tf
