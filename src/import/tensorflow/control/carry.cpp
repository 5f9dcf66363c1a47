#include "import/tensorflow/control/carry.h"

#include "base/error.h"

namespace onward::importer::tf {
namespace {

Slot list_slot(const ListPtr& list, bool stacked) {
  return {stacked ? Slot::Kind::kStacked : Slot::Kind::kSequence, list};
}

}  // namespace

bool same_item(const Item& a, const Item& b) {
  if (a.tensor() != nullptr) return a.tensor() == b.tensor();
  if (a.resource() != nullptr) return a.resource() == b.resource();
  if (const auto* stored = a.get_if<std::shared_ptr<const Stored>>()) {
    const auto* other = b.get_if<std::shared_ptr<const Stored>>();
    return other != nullptr && *stored == *other;
  }
  return a.list() != nullptr && a.list() == b.list();
}

Slot slot_for(const Item& item) {
  if (const Resource* resource = item.resource(); resource != nullptr && !resource->reference) {
    return {Slot::Kind::kFixed, item};
  }
  if (item.get_if<Complex>() != nullptr) return {Slot::Kind::kComplex, {}};
  if (const ListPtr list = item.list()) return list_slot(list, is_stackable(*list));
  return {Slot::Kind::kTensor, {}};
}

Slot slot_for(const Item& a, const Item& b) {
  if (same_item(a, b) || a.is_untranslated() || b.is_untranslated()) {
    return {Slot::Kind::kFixed, a.is_untranslated() ? a : b};
  }
  const ListPtr list = a.list();
  const ListPtr other = b.list();
  if ((list == nullptr) != (other == nullptr) || (a.resource() != nullptr) != (b.resource() != nullptr)) {
    fail_unsupported("its branches return things of different kinds");
  }
  if (list != nullptr) {
    const auto stackable = [](const List& l) {
      return is_stackable(l) || (l.form == List::Form::kItems && !l.items.empty());
    };
    return list_slot(list->form == List::Form::kStacked ? list : other, stackable(*list) && stackable(*other));
  }
  if (a.resource() != nullptr && !a.resource()->reference) {
    fail_unsupported("its branches return different variables or tables");
  }
  return a.get_if<Complex>() != nullptr ? Slot{Slot::Kind::kComplex, {}} : Slot{Slot::Kind::kTensor, {}};
}

ir::Value* flatten(const Slot& slot, const Item& item, ir::Builder& b, const Call& call) {
  switch (slot.kind) {
    case Slot::Kind::kFixed:
      return nullptr;
    case Slot::Kind::kTensor:
      return call.tensor_of(item, "a carried value");
    case Slot::Kind::kComplex:
      if (item.get_if<Complex>() == nullptr) fail_unsupported("a real value takes the place of a complex one");
      return item.get_if<Complex>()->pairs;
    case Slot::Kind::kStacked:
    case Slot::Kind::kSequence:
      break;
  }
  const ListPtr list = item.list();
  if (list == nullptr) fail_unsupported("a tensor takes the place of a list");
  return slot.kind == Slot::Kind::kStacked ? list_stack(b, *list) : list_sequence(b, *list);
}

Item rebuild(const Slot& slot, ir::Value* value) {
  switch (slot.kind) {
    case Slot::Kind::kFixed:
      return slot.fixed;
    case Slot::Kind::kTensor:
      return value;
    case Slot::Kind::kComplex:
      return Complex{value};
    case Slot::Kind::kStacked:
      return List::stacked(slot.fixed.list()->dtype, slot.fixed.list()->element_shape, value);
    case Slot::Kind::kSequence:
      break;
  }
  return List::sequence(slot.fixed.list()->dtype, slot.fixed.list()->element_shape, value);
}

}  // namespace onward::importer::tf
