#include "import/tensorflow/list.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::Value;

// A reserved list of a known length up to this many elements is kept item by item when it is written item by item.
constexpr int64_t kMaxItems = 4096;

std::optional<int64_t> known(const Value* value) {
  if (value == nullptr || !value->is_constant() || value->constant()->count() != 1) return std::nullopt;
  return value->constant()->as_int();
}

std::optional<ir::Dims> static_shape(const List& list) {
  const auto& shape = list.element_shape;
  if (!shape || std::any_of(shape->begin(), shape->end(), [](int64_t dim) { return dim < 0; })) return std::nullopt;
  return *shape;
}

// The declared shape, or that of an element that was written, as a vector.
Value* element_shape(Builder& b, const List& list) {
  if (const auto shape = static_shape(list)) return b.ints(*shape);
  for (Value* item : list.items) {
    if (item != nullptr) return b.Shape(item);
  }
  fail_unsupported("a list's element was never written, and its shape is not known");
}

Value* zeros(Builder& b, const List& list) { return b.Fill(element_shape(b, list), 0, list.dtype); }

Value* scalar(Builder& b, Value* index) {
  Value* wide = b.Cast(index, ir::DType::kInt64);
  return wide->shape && wide->shape->empty() ? wide : b.Reshape(wide, std::vector<int64_t>{});
}

Value* vector_of(Builder& b, Value* number) { return b.Reshape(b.Cast(number, ir::DType::kInt64), {1}); }

// A reserved list of known length as items that are not written.
ListPtr opened(const List& list) {
  const std::optional<int64_t> size = known(list.size);
  if (!size || *size < 0 || *size > kMaxItems) return nullptr;
  return List::of(list.dtype, list.element_shape, ir::Values(static_cast<size_t>(*size), nullptr));
}

Value* scatter(Builder& b, Value* data, Value* index, Value* value) {
  return b.op("ScatterND", {data, b.Reshape(b.Cast(index, ir::DType::kInt64), {1, 1}), b.Unsqueeze(value, {0})});
}

Value* filled(Builder& b, const List& list, Value* like) {
  Value* shape = like != nullptr ? b.Shape(like) : element_shape(b, list);
  return b.Fill(b.Concat({vector_of(b, list.size), shape}, 0), 0, list.dtype);
}

}  // namespace

ListPtr List::reserved(ir::DType dtype, tensorflow::PartialShape element_shape, Value* size) {
  return std::make_shared<const List>(List{Form::kReserved, dtype, std::move(element_shape), size, {}, nullptr});
}
ListPtr List::of(ir::DType dtype, tensorflow::PartialShape element_shape, ir::Values items) {
  return std::make_shared<const List>(
      List{Form::kItems, dtype, std::move(element_shape), nullptr, std::move(items), nullptr});
}
ListPtr List::stacked(ir::DType dtype, tensorflow::PartialShape element_shape, Value* data) {
  return std::make_shared<const List>(List{Form::kStacked, dtype, std::move(element_shape), nullptr, {}, data});
}
ListPtr List::sequence(ir::DType dtype, tensorflow::PartialShape element_shape, Value* data) {
  return std::make_shared<const List>(List{Form::kSequence, dtype, std::move(element_shape), nullptr, {}, data});
}

bool is_stackable(const List& list) { return list.form == List::Form::kStacked || static_shape(list).has_value(); }

Value* list_size(Builder& b, const List& list) {
  switch (list.form) {
    case List::Form::kReserved:
      return list.size;
    case List::Form::kItems:
      return b.i64(static_cast<int64_t>(list.items.size()));
    case List::Form::kStacked:
      return b.dim_scalar(list.data, 0);
    case List::Form::kSequence:
      break;
  }
  return b.op("SequenceLength", {list.data});
}

Value* list_get(Builder& b, const List& list, Value* index) {
  Value* at = scalar(b, index);
  switch (list.form) {
    case List::Form::kReserved:
      return zeros(b, list);
    case List::Form::kItems: {
      const std::optional<int64_t> place = known(index);
      if (!place) return b.Gather(list_stack(b, list), at, 0);
      if (*place < 0 || *place >= static_cast<int64_t>(list.items.size())) {
        fail_invalid("element " + std::to_string(*place) + " of a list of " + std::to_string(list.items.size()));
      }
      Value* item = list.items[static_cast<size_t>(*place)];
      return item != nullptr ? item : zeros(b, list);
    }
    case List::Form::kStacked:
      return b.Gather(list.data, at, 0);
    case List::Form::kSequence:
      break;
  }
  return b.op("SequenceAt", {list.data, at});
}

ListPtr list_set(Builder& b, const List& list, Value* index, Value* value) {
  const std::optional<int64_t> place = known(index);
  switch (list.form) {
    case List::Form::kReserved: {
      if (const ListPtr open = place ? opened(list) : nullptr) return list_set(b, *open, index, value);
      return List::stacked(list.dtype, list.element_shape, scatter(b, filled(b, list, value), index, value));
    }
    case List::Form::kItems: {
      if (place && *place >= 0 && *place < kMaxItems) {
        ir::Values items = list.items;
        // A TensorArray may grow.
        items.resize(std::max(items.size(), static_cast<size_t>(*place) + 1), nullptr);
        items[static_cast<size_t>(*place)] = value;
        return List::of(list.dtype, list.element_shape, std::move(items));
      }
      const bool untouched = std::all_of(list.items.begin(), list.items.end(), [](Value* v) { return v == nullptr; });
      if (!untouched)
        return list_set(b, *List::stacked(list.dtype, list.element_shape, list_stack(b, list)), index, value);
      return list_set(b, *List::reserved(list.dtype, list.element_shape, list_size(b, list)), index, value);
    }
    case List::Form::kStacked:
      return List::stacked(list.dtype, list.element_shape, scatter(b, list.data, index, value));
    case List::Form::kSequence:
      break;
  }
  Value* at = scalar(b, index);
  Value* without = b.op("SequenceErase", {list.data, at});
  return List::sequence(list.dtype, list.element_shape, b.op("SequenceInsert", {without, value, at}));
}

ListPtr list_push(Builder& b, const List& list, Value* value) {
  switch (list.form) {
    case List::Form::kReserved: {
      if (const ListPtr open = opened(list)) return list_push(b, *open, value);
      return List::stacked(list.dtype, list.element_shape,
                           b.Concat({filled(b, list, value), b.Unsqueeze(value, {0})}, 0));
    }
    case List::Form::kItems: {
      ir::Values items = list.items;
      items.push_back(value);
      return List::of(list.dtype, list.element_shape, std::move(items));
    }
    case List::Form::kStacked:
      return List::stacked(list.dtype, list.element_shape, b.Concat({list.data, b.Unsqueeze(value, {0})}, 0));
    case List::Form::kSequence:
      break;
  }
  return List::sequence(list.dtype, list.element_shape, b.op("SequenceInsert", {list.data, value}));
}

ListPtr list_pop(Builder& b, const List& list) {
  switch (list.form) {
    case List::Form::kReserved:
      return List::reserved(list.dtype, list.element_shape, b.Sub(list.size, 1));
    case List::Form::kItems: {
      if (list.items.empty()) fail_invalid("an element is taken from an empty list");
      return List::of(list.dtype, list.element_shape, {list.items.begin(), list.items.end() - 1});
    }
    case List::Form::kStacked:
      return List::stacked(list.dtype, list.element_shape, b.Slice(list.data, 0, -1, 0));
    case List::Form::kSequence:
      break;
  }
  return List::sequence(list.dtype, list.element_shape, b.op("SequenceErase", {list.data}));
}

Value* list_stack(Builder& b, const List& list) {
  switch (list.form) {
    case List::Form::kReserved:
      return filled(b, list, nullptr);
    case List::Form::kItems: {
      if (list.items.empty()) return b.Fill(b.Concat({b.ints({0}), element_shape(b, list)}, 0), 0, list.dtype);
      ir::Values rows;
      for (Value* item : list.items) rows.push_back(b.Unsqueeze(item != nullptr ? item : zeros(b, list), {0}));
      return b.Concat(rows, 0);
    }
    case List::Form::kStacked:
      return list.data;
    case List::Form::kSequence:
      break;
  }
  return b.op("ConcatFromSequence", {list.data}, {{"axis", 0}, {"new_axis", 1}});
}

Value* list_concat(Builder& b, const List& list) {
  if (list.form == List::Form::kItems && !list.items.empty()) {
    ir::Values parts;
    for (Value* item : list.items) parts.push_back(item != nullptr ? item : zeros(b, list));
    return b.Concat(parts, 0);
  }
  if (list.form == List::Form::kSequence) return b.op("ConcatFromSequence", {list.data}, {{"axis", 0}});
  Value* stacked = list_stack(b, list);
  // [n, m, …] → [n * m, …]
  Value* shape = b.Shape(stacked);
  Value* rest = b.Slice(shape, 2, std::numeric_limits<int64_t>::max(), 0);
  return b.Reshape(stacked, b.Concat({b.ints({-1}), rest}, 0));
}

Value* list_sequence(Builder& b, const List& list) {
  switch (list.form) {
    case List::Form::kSequence:
      return list.data;
    case List::Form::kStacked:
      return b.op("SplitToSequence", {list.data}, {{"axis", 0}, {"keepdims", 0}});
    case List::Form::kReserved:
      // Fillers, to be replaced.
      return b.op("SplitToSequence", {b.Fill(vector_of(b, list.size), 0, list.dtype)}, {{"axis", 0}, {"keepdims", 0}});
    case List::Form::kItems:
      break;
  }
  if (list.items.empty()) return b.op("SequenceEmpty", {}, {{"dtype", list.dtype}});
  ir::Values items;
  for (Value* item : list.items) items.push_back(item != nullptr ? item : b.number(0, list.dtype));
  return b.op("SequenceConstruct", items);
}

}  // namespace onward::importer::tf
