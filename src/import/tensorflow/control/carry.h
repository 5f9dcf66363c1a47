// Items as tensors, for crossing into and out of branches and loops.
#pragma once

#include "import/tensorflow/call.h"
#include "import/tensorflow/list.h"

namespace onward::importer::tf {

struct Slot {
  enum class Kind {
    kFixed,  // the same before, in and after: handles
    kTensor,
    kComplex,
    kStacked,   // a list as one tensor
    kSequence,  // a list as an ONNX sequence
  };
  Kind kind = Kind::kTensor;
  Item fixed = {};  // kFixed: the item; lists: one with the dtype and element shape
};

// Whether both are the same value, handle or list.
bool same_item(const Item& a, const Item& b);

// How `item` crosses alone (a loop's variable), or when it may be either (a branch's result). Throws
// Error(kUnimplemented) where the two don't go together.
Slot slot_for(const Item& item);
Slot slot_for(const Item& a, const Item& b);

// `item` in the form of `slot`; null for kFixed. `as_tensor` gives tensors for what stands for one.
ir::Value* flatten(const Slot& slot, const Item& item, ir::Builder& b, const Call& call);
Item rebuild(const Slot& slot, ir::Value* value);

}  // namespace onward::importer::tf
