// Lists of tensors: TensorList* of TF2, TensorArray* of TF1 (whose content travels with the flow).
#include <algorithm>

#include "import/tensorflow/list.h"
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

const List& list_of(Call& c, size_t index) {
  const ListPtr list = c.item(index).list();
  c.require(list != nullptr, "input " + std::to_string(index) + " is no list of tensors");
  return *list;
}

Value* scalar(Call& c, size_t index) {
  return c.b.Reshape(c.b.Cast(c.input(index), DType::kInt64), std::vector<int64_t>{});
}

// An element shape given as a vector with -1 for what is unknown; a scalar -1 says nothing.
tensorflow::PartialShape element_shape(Call& c, size_t index) {
  const auto numbers = c.known_ints(index);
  if (!numbers || (c.input(index)->has_rank() && c.input(index)->rank() == 0)) return std::nullopt;
  return *numbers;
}

// The better known of two declared shapes.
ListPtr refined(const List& list, const tensorflow::PartialShape& shape) {
  auto copy = std::make_shared<List>(list);
  const auto unknown = [](const tensorflow::PartialShape& s) {
    return !s || std::any_of(s->begin(), s->end(), [](int64_t dim) { return dim < 0; });
  };
  if (unknown(copy->element_shape) && shape) copy->element_shape = shape;
  return copy;
}

// 0, 1, … size - 1, as far as can be told.
bool counts_up(const Value* indices) {
  if (indices->is_constant()) {
    const std::vector<int64_t> numbers = indices->constant()->ints();
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] != static_cast<int64_t>(i)) return false;
    }
    return true;
  }
  const ir::Node* node = indices->producer();
  if (node != nullptr && node->is("Cast")) return counts_up(node->input(0));
  if (node == nullptr || !node->is("Range")) return false;
  const Value* start = node->input(0);
  const Value* step = node->input(2);
  return start->is_constant() && step->is_constant() && start->constant()->as_int() == 0 &&
         step->constant()->as_int() == 1;
}

Value* gathered(Call& c, const List& list, Value* indices) {
  Value* stacked = list_stack(c.b, list);
  return counts_up(indices) ? stacked : c.b.Gather(stacked, indices, 0);
}

// `tensor`'s rows at `indices` of a list; the rest are zeros.
ListPtr scattered(Call& c, DType dtype, tensorflow::PartialShape shape, Value* tensor, Value* indices, Value* size) {
  Builder& b = c.b;
  if (counts_up(indices)) return List::stacked(dtype, std::move(shape), tensor);
  Value* at = b.Cast(indices, DType::kInt64);
  Value* needed = b.Add(b.ReduceMax(at, {}, false), b.i64(1));
  Value* length = size == nullptr ? needed : b.Max(size, needed);
  Value* rest = b.Slice(b.Shape(tensor), 1, std::numeric_limits<int64_t>::max(), 0);
  Value* zeros = b.Fill(b.Concat({b.Reshape(length, {1}), rest}, 0), 0, dtype);
  return List::stacked(dtype, std::move(shape), b.op("ScatterND", {zeros, b.Unsqueeze(at, {1}), tensor}));
}

// Parts of `tensor` along its first axis as a list.
ListPtr split(Call& c, DType dtype, Value* tensor, size_t lengths) {
  if (const auto known = c.known_ints(lengths)) {
    ir::Values parts = known->empty() ? ir::Values() : c.b.Split(tensor, *known, 0);
    return List::of(dtype, std::nullopt, std::move(parts));
  }
  Value* sizes = c.b.Cast(c.input(lengths), DType::kInt64);
  return List::sequence(dtype, std::nullopt, c.b.op("SplitToSequence", {tensor, sizes}, {{"axis", 0}}));
}

// The first dimension of each element.
Value* leading_sizes(Call& c, const List& list) {
  Builder& b = c.b;
  c.require(list.form != List::Form::kSequence, "the lengths of a list's elements differ");
  if (list.form == List::Form::kItems) {
    ir::Values sizes;
    for (Value* item : list.items) {
      c.require(item != nullptr, "an element of the list was never written");
      sizes.push_back(b.dim(item, 0));
    }
    return sizes.empty() ? b.ints({}) : b.Concat(sizes, 0);
  }
  Value* stacked = list_stack(b, list);
  return b.Expand(b.dim(stacked, 1), b.dim(stacked, 0));
}

// --- TensorList
// --------------------------------------------------------------------------------------------------------

// EmptyTensorList(element_shape, max_num_elements: int32, element_dtype: type) -> handle
Items empty_list(Call& c) { return {List::of(c.dtype("element_dtype"), element_shape(c, 0), {})}; }

// TensorListReserve(element_shape, num_elements: int32, element_dtype: type) -> handle
Items reserve(Call& c) { return {List::reserved(c.dtype("element_dtype"), element_shape(c, 0), scalar(c, 1))}; }

// TensorListFromTensor(tensor: element_dtype, element_shape) -> output_handle
Items from_tensor(Call& c) { return {List::stacked(c.input(0)->dtype, element_shape(c, 1), c.input(0))}; }

// TensorListStack(input_handle, element_shape: int32, num_elements: int = -1) -> tensor
Value* stack(Call& c) { return list_stack(c.b, *refined(list_of(c, 0), element_shape(c, 1))); }

// TensorListSetItem(input_handle, index: int32, item, resize_if_index_out_of_bounds: bool = false) -> output_handle
Items set_item(Call& c) { return {list_set(c.b, list_of(c, 0), c.input(1), c.input(2))}; }

// TensorListGetItem(input_handle, index: int32, element_shape: int32) -> item
Value* get_item(Call& c) { return list_get(c.b, *refined(list_of(c, 0), element_shape(c, 2)), c.input(1)); }

// TensorListLength(input_handle) -> length: int32
Value* length(Call& c) { return c.b.Cast(list_size(c.b, list_of(c, 0)), DType::kInt32); }

// TensorListPushBack(input_handle, tensor) -> output_handle
Items push_back(Call& c) { return {list_push(c.b, list_of(c, 0), c.input(1))}; }

// TensorListPopBack(input_handle, element_shape: int32) -> output_handle, tensor
Items pop_back(Call& c) {
  const ListPtr list = refined(list_of(c, 0), element_shape(c, 1));
  Value* last = list->form == List::Form::kItems && !list->items.empty()
                    ? list_get(c.b, *list, c.b.i64(static_cast<int64_t>(list->items.size()) - 1))
                    : list_get(c.b, *list, c.b.Sub(list_size(c.b, *list), 1));
  return {list_pop(c.b, *list), last};
}

// TensorListGather(input_handle, indices: int32, element_shape: int32) -> values
Value* gather(Call& c) { return gathered(c, *refined(list_of(c, 0), element_shape(c, 2)), c.input(1)); }

// TensorListScatterV2(tensor, indices: int32, element_shape, num_elements: int32) -> output_handle
Items scatter(Call& c) {
  Value* size = c.input_count() > 3 ? scalar(c, 3) : nullptr;
  return {scattered(c, c.input(0)->dtype, element_shape(c, 2), c.input(0), c.input(1), size)};
}

// TensorListScatterIntoExistingList(input_handle, tensor, indices: int32) -> output_handle
Items scatter_into(Call& c) {
  const List& list = list_of(c, 0);
  Value* data = list_stack(c.b, list);
  Value* at = c.b.Unsqueeze(c.b.Cast(c.input(2), DType::kInt64), {1});
  return {List::stacked(list.dtype, list.element_shape, c.b.op("ScatterND", {data, at, c.input(1)}))};
}

// TensorListConcatV2(input_handle, element_shape, leading_dims: int64) -> tensor, lengths: int64
ir::Values concat(Call& c) {
  const List& list = list_of(c, 0);
  return {list_concat(c.b, list), leading_sizes(c, list)};
}

// TensorListSplit(tensor, element_shape, lengths: int64) -> output_handle
Items split_list(Call& c) { return {split(c, c.input(0)->dtype, c.input(0), 2)}; }

// TensorListConcatLists(input_a, input_b, element_dtype: type) -> output
Items concat_lists(Call& c) {
  const List& a = list_of(c, 0);
  const List& b = list_of(c, 1);
  if (a.form == List::Form::kItems && b.form == List::Form::kItems) {
    ir::Values items = a.items;
    items.insert(items.end(), b.items.begin(), b.items.end());
    return {List::of(a.dtype, a.element_shape, std::move(items))};
  }
  return {List::stacked(a.dtype, a.element_shape, c.b.Concat({list_stack(c.b, a), list_stack(c.b, b)}, 0))};
}

// TensorListElementShape(input_handle, shape_type: type) -> element_shape
Value* list_element_shape(Call& c) {
  const List& list = list_of(c, 0);
  const DType dtype = c.dtype("shape_type", tensorflow::DataType::kInt32);
  if (list.element_shape) return c.b.Cast(c.b.ints(*list.element_shape), dtype);
  return c.b.number(-1, dtype);
}

// TensorListResize(input_handle, size: int32) -> output_handle
Items resize(Call& c) {
  const List& list = list_of(c, 0);
  const auto size = c.known_ints(1);
  if (list.form == List::Form::kReserved) return {List::reserved(list.dtype, list.element_shape, scalar(c, 1))};
  if (list.form == List::Form::kItems && size && size->size() == 1 && (*size)[0] >= 0 && (*size)[0] <= 4096) {
    ir::Values items = list.items;
    items.resize(static_cast<size_t>((*size)[0]), nullptr);
    return {List::of(list.dtype, list.element_shape, std::move(items))};
  }
  Builder& b = c.b;
  Value* data = list_stack(b, list);
  Value* wanted = b.Reshape(scalar(c, 1), {1});
  Value* rest = b.Slice(b.Shape(data), 1, std::numeric_limits<int64_t>::max(), 0);
  Value* missing = b.Max(b.Sub(wanted, b.dim(data, 0)), b.ints({0}));
  Value* more = b.Fill(b.Concat({missing, rest}, 0), 0, list.dtype);
  Value* grown = b.Slice(b.Concat({data, more}, 0), b.ints({0}), wanted, b.ints({0}));
  return {List::stacked(list.dtype, list.element_shape, grown)};
}

// --- TensorArray
// -------------------------------------------------------------------------------------------------------

// TensorArrayV3(size: int32, dtype: type, element_shape: shape, …) -> handle, flow
Items array(Call& c) {
  auto resource = std::make_shared<Resource>();
  resource->kind = Resource::Kind::kArray;
  resource->name = c.node().name;
  resource->type = c.type("dtype");
  resource->shape = c.shape("element_shape");
  ListPtr list = List::reserved(c.dtype("dtype"), resource->shape, scalar(c, 0));
  return {ResourcePtr(std::move(resource)), std::move(list)};
}

// TensorArrayWriteV3(handle, index: int32, value: T, flow_in: float) -> flow_out
Items array_write(Call& c) { return {list_set(c.b, list_of(c, 3), c.input(1), c.input(2))}; }

// TensorArrayReadV3(handle, index: int32, flow_in: float) -> value: dtype
Value* array_read(Call& c) { return list_get(c.b, list_of(c, 2), c.input(1)); }

// TensorArrayGatherV3(handle, indices: int32, flow_in: float, dtype: type, element_shape: shape) -> value
Value* array_gather(Call& c) { return gathered(c, *refined(list_of(c, 2), c.shape("element_shape")), c.input(1)); }

// TensorArrayScatterV3(handle, indices: int32, value: T, flow_in: float) -> flow_out
Items array_scatter(Call& c) {
  const List& list = list_of(c, 3);
  return {scattered(c, c.input(2)->dtype, list.element_shape, c.input(2), c.input(1), list_size(c.b, list))};
}

// TensorArrayConcatV3(handle, flow_in: float) -> value, lengths: int64
ir::Values array_concat(Call& c) {
  const List& list = list_of(c, 1);
  return {list_concat(c.b, list), leading_sizes(c, list)};
}

// TensorArraySplitV3(handle, value: T, lengths: int64, flow_in: float) -> flow_out
Items array_split(Call& c) { return {split(c, c.input(1)->dtype, c.input(1), 2)}; }

// TensorArraySizeV3(handle, flow_in: float) -> size: int32
Value* array_size(Call& c) { return c.b.Cast(list_size(c.b, list_of(c, 1)), DType::kInt32); }

}  // namespace

void register_lists(OpTable& t) {
  t.add("EmptyTensorList", empty_list);
  t.add("TensorListReserve", reserve);
  t.add("TensorListFromTensor", from_tensor);
  t.add("TensorListStack", stack);
  t.add("TensorListSetItem", set_item);
  t.add("TensorListGetItem", get_item);
  t.add("TensorListLength", length);
  t.add("TensorListPushBack", push_back);
  t.add("TensorListPopBack -> output_handle, tensor", pop_back);
  t.add("TensorListGather", gather);
  t.add("TensorListScatter", scatter);
  t.add("TensorListScatterV2", scatter);
  t.add("TensorListScatterIntoExistingList", scatter_into);
  t.add("TensorListConcat -> tensor, lengths", concat);
  t.add("TensorListConcatV2 -> tensor, lengths", concat);
  t.add("TensorListSplit", split_list);
  t.add("TensorListConcatLists", concat_lists);
  t.add("TensorListElementShape", list_element_shape);
  t.add("TensorListResize", resize);
  t.add("TensorArrayV3 -> handle, flow", array);
  t.add("TensorArrayWriteV3", array_write);
  t.add("TensorArrayReadV3", array_read);
  t.add("TensorArrayGatherV3", array_gather);
  t.add("TensorArrayScatterV3", array_scatter);
  t.add("TensorArrayConcatV3 -> value, lengths", array_concat);
  t.add("TensorArraySplitV3", array_split);
  t.add("TensorArraySizeV3", array_size);
  t.ignore("TensorArrayCloseV3");
}

}  // namespace onward::importer::tf
