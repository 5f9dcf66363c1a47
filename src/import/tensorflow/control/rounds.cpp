#include "import/tensorflow/control/rounds.h"

#include "import/tensorflow/control/equal.h"
#include "import/tensorflow/list.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

bool starts_at_zero(const Item& item) { return first_values({item})(0) == 0; }

Value* scalar(ir::Builder& b, Value* value) {
  Value* wide = b.Cast(value, ir::DType::kInt64);
  return wide->shape && wide->shape->empty() ? wide : b.Reshape(wide, std::vector<int64_t>{});
}

}  // namespace

Collecting collects(const LoopShape& shape, size_t variable, const Items& initial) {
  const ListPtr list = initial[variable].list();
  if (list == nullptr) return Collecting::kNo;
  const std::optional<Collected> found = shape.collected(variable);
  if (!found) return Collecting::kNo;
  if (!found->index) {
    const bool grows = list->form == List::Form::kItems || list->form == List::Form::kStacked;
    return grows ? Collecting::kAll : Collecting::kNo;
  }
  if (list->form != List::Form::kReserved) return Collecting::kNo;
  const std::optional<size_t> counter = shape.variable(*found->index);
  if (counter && shape.is_counter(*counter) && starts_at_zero(initial[*counter])) return Collecting::kAll;
  const bool single = list->size->is_constant() && list->size->constant()->as_int() == 1;
  return single && shape.is_constant(*found->index, 0) ? Collecting::kLast : Collecting::kNo;
}

FirstValue first_values(const Items& initial) {
  return [&initial](size_t variable) -> std::optional<int64_t> {
    const Value* value = initial[variable].tensor();
    const bool known =
        value != nullptr && value->is_constant() && value->constant()->count() == 1 && ir::is_integer(value->dtype);
    return known ? std::optional(value->constant()->as_int()) : std::nullopt;
  };
}

Value* count_rounds(Call& call, const LoopShape& shape, Scope& scope, const Items& initial) {
  const auto bounds = shape.bounds();
  if (!bounds || bounds->empty()) return nullptr;
  ir::Builder& b = call.b;
  Value* rounds = nullptr;
  for (const LoopShape::Bound& bound : *bounds) {
    Value* start = initial[bound.counter].tensor();
    const Item given =
        bound.limit_variable ? initial[*bound.limit_variable] : call.evaluator().evaluate(scope, bound.limit);
    Value* limit = given.tensor();
    if (start == nullptr || limit == nullptr || !ir::is_integer(limit->dtype)) return nullptr;
    Value* own = scalar(b, limit);
    if (!starts_at_zero(initial[bound.counter])) own = b.Sub(own, scalar(b, start));
    if (rounds == nullptr) {
      rounds = own;
    } else if (!surely_equal(rounds, own)) {
      rounds = b.Min(rounds, own);
    }
  }
  return rounds->is_constant() && rounds->constant()->as_int() < 0 ? b.i64(0) : rounds;
}

}  // namespace onward::importer::tf
