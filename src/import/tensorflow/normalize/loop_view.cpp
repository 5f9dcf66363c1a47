#include "import/tensorflow/normalize/loop_view.h"

#include <algorithm>

namespace onward::importer::tf {

using ir::Node;
using ir::Value;

const Node* made_by(const Value* value, std::string_view op) {
  const Node* node = value != nullptr ? value->producer() : nullptr;
  return node != nullptr && node->is(op) ? node : nullptr;
}

Value* behind(Value* value) {
  while (const Node* node = made_by(value, "Identity")) value = node->input(0);
  return value;
}

bool is_all_zero(const Value* value) {
  if (value->is_constant()) {
    const std::vector<double> numbers = value->constant()->doubles();
    return std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == 0; });
  }
  const Node* node = value->producer();
  if (node == nullptr || !node->domain.empty()) return false;
  if (node->is("ConstantOfShape")) {
    const ir::Attr* filling = node->attrs.find("value");
    return filling == nullptr || filling->as_tensor().as_double() == 0;
  }
  const bool moved = node->is("Expand") || node->is("Identity") || node->is("Cast") || node->is("Reshape");
  return moved && is_all_zero(node->input(0));
}

namespace {

// [batch, 1] of what was repeated along the state's last axis.
Value* column_of(Value* condition) {
  condition = behind(condition);
  while (made_by(condition, "Tile") != nullptr || made_by(condition, "Expand") != nullptr) {
    condition = behind(condition->producer()->input(0));
  }
  return condition;
}

}  // namespace

LoopView::LoopView(const Node& loop) : loop_(loop), body_(*loop.attrs.at("body").as_graph()) {
  for (size_t i = 0; i < carried() && mask_ == nullptr; ++i) {
    const Node* where = made_by(after(i), "Where");
    if (where == nullptr || behind(where->input(2)) != before(i)) continue;
    Value* mask = sliced(column_of(where->input(0)));
    const bool column = mask != nullptr && mask->shape && mask->shape->size() == 3 && mask->shape->back() == ir::Dim(1);
    if (column && mask->dtype == ir::DType::kBool) mask_ = mask;
  }
}

const Node* LoopView::choice(const Value* value) const {
  const Node* where = made_by(value, "Where");
  return where != nullptr && mask_ != nullptr && sliced(column_of(where->input(0))) == mask_ ? where : nullptr;
}

Value* LoopView::fresh(size_t i) const {
  const Node* where = choice(after(i));
  return where != nullptr && behind(where->input(2)) == before(i) ? behind(where->input(1)) : after(i);
}

std::optional<LoopView::Masked> LoopView::masked_output(Value* value, const Value* fresh) const {
  const Node* where = choice(value);
  if (where == nullptr || behind(where->input(1)) != fresh) return std::nullopt;
  const Value* otherwise = behind(where->input(2));
  if (is_outside(otherwise)) return is_all_zero(otherwise) ? std::optional(Masked::kZero) : std::nullopt;
  const std::optional<size_t> index = carried_index(otherwise);
  if (!index || after(*index) != value || !is_all_zero(initial(*index))) return std::nullopt;
  return Masked::kHeld;
}

std::optional<size_t> LoopView::carried_index(const Value* value) const {
  for (size_t i = 0; i < carried(); ++i) {
    if (before(i) == value) return i;
  }
  return std::nullopt;
}

bool LoopView::is_round(const Value* value) const {
  while (const Node* node = value->producer()) {
    if (!node->is("Cast") && !node->is("Reshape") && !node->is("Identity") && !node->is("Squeeze")) return false;
    value = node->input(0);
  }
  if (value == body_.inputs()[0]) return true;
  const std::optional<size_t> index = carried_index(value);
  return index && initial(*index)->is_constant() && ir::is_integer(initial(*index)->dtype) &&
         is_all_zero(initial(*index)) && is_next(*index);
}

bool LoopView::is_next(size_t index) const {
  return either_way(after(index), "Add", [&](const Value* a, const Value* one) {
    return a == before(index) && one->is_constant() && one->constant()->count() == 1 && ir::is_integer(one->dtype) &&
           one->constant()->as_int() == 1;
  });
}

Value* LoopView::sliced(const Value* value) const {
  const Node* gather = made_by(value, "Gather");
  if (gather == nullptr || gather->attrs.get("axis", int64_t{0}) != 0 || !is_outside(gather->input(0))) return nullptr;
  return is_round(gather->input(1)) ? gather->input(0) : nullptr;
}

}  // namespace onward::importer::tf
