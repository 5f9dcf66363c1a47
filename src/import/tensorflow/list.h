// Lists of tensors: TensorFlow's TensorList, and what a TensorArray holds.
//
// A list is kept in the plainest form that will do: reserved (only its length is known), items (each known by itself),
// stacked (one tensor with a leading axis), or an ONNX sequence, where the elements' shapes may differ.
#pragma once

#include "import/tensorflow/item.h"

namespace onward::importer::tf {

struct List {
  enum class Form { kReserved, kItems, kStacked, kSequence };
  Form form = Form::kItems;
  ir::DType dtype = ir::DType::kUndefined;
  tensorflow::PartialShape element_shape;  // as the file declares it
  ir::Value* size = nullptr;               // kReserved: rank 0, int64
  ir::Values items;                        // kItems; null: not written
  ir::Value* data = nullptr;               // kStacked, kSequence

  static ListPtr reserved(ir::DType dtype, tensorflow::PartialShape element_shape, ir::Value* size);
  static ListPtr of(ir::DType dtype, tensorflow::PartialShape element_shape, ir::Values items);
  static ListPtr stacked(ir::DType dtype, tensorflow::PartialShape element_shape, ir::Value* data);
  static ListPtr sequence(ir::DType dtype, tensorflow::PartialShape element_shape, ir::Value* data);
};

// Whether the stacked form's element shape is known without an element.
bool is_stackable(const List& list);

// Rank 0, int64.
ir::Value* list_size(ir::Builder& b, const List& list);
// `index` is rank 0. Elements that were never written are zeros of the declared shape.
ir::Value* list_get(ir::Builder& b, const List& list, ir::Value* index);
ListPtr list_set(ir::Builder& b, const List& list, ir::Value* index, ir::Value* value);
ListPtr list_push(ir::Builder& b, const List& list, ir::Value* value);
ListPtr list_pop(ir::Builder& b, const List& list);
// As one tensor with a leading axis.
ir::Value* list_stack(ir::Builder& b, const List& list);
// The elements joined along their first axis.
ir::Value* list_concat(ir::Builder& b, const List& list);
// The same list as an ONNX sequence.
ir::Value* list_sequence(ir::Builder& b, const List& list);

}  // namespace onward::importer::tf
