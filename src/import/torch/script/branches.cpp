#include <algorithm>
#include <set>

#include "base/error.h"
#include "import/torch/script/control_flow.h"

namespace onward::importer::script {
namespace {

// What a branch leaves behind.
struct Outcome {
  std::shared_ptr<ir::Graph> graph = std::make_shared<ir::Graph>();
  std::optional<ir::Builder> builder;
  Frame frame;
  Heap::Changes changes;
  std::map<TensorPtr, ir::Value*> tensors;
  std::map<std::shared_ptr<List>, List> lists;
  std::map<std::shared_ptr<Dict>, Dict> dicts;
  std::map<std::pair<std::shared_ptr<Object>, std::string>, Py> attributes;
  std::optional<Raised> raised;
};

// Notes the present value of each tensor that `value` reaches.
void note_tensors(Heap& heap, const Py& value, std::map<TensorPtr, ir::Value*>& tensors, int depth = 0) {
  if (depth > 32) return;
  if (value.is_tensor()) {
    if (!tensors.contains(value.box())) tensors[value.box()] = heap.value(value.box());
  } else if (const auto* list = value.get_if<std::shared_ptr<List>>()) {
    for (const Py& item : (*list)->items) note_tensors(heap, item, tensors, depth + 1);
  } else if (const auto* tuple = value.get_if<std::shared_ptr<Tuple>>()) {
    for (const Py& item : (*tuple)->items) note_tensors(heap, item, tensors, depth + 1);
  } else if (const auto* dict = value.get_if<std::shared_ptr<Dict>>()) {
    for (const auto& entry : (*dict)->entries) note_tensors(heap, entry.second, tensors, depth + 1);
  }
}

void note(Heap& heap, Outcome& outcome, const Frame& before) {
  outcome.changes = heap.changes();
  for (const auto& [name, value] : outcome.frame.names) {
    const auto old = before.names.find(name);
    if (old == before.names.end() || !same_value(old->second, value)) note_tensors(heap, value, outcome.tensors);
  }
  if (outcome.frame.result) note_tensors(heap, *outcome.frame.result, outcome.tensors);
  for (const TensorPtr& tensor : outcome.changes.tensors) outcome.tensors[tensor] = heap.value(tensor);
}

// Contents of changed containers, noted for both branches since the other may leave them alone.
void note_contents(Heap& heap, Outcome& outcome, const Heap::Changes& changes) {
  for (const TensorPtr& tensor : changes.tensors) outcome.tensors[tensor] = heap.value(tensor);
  for (const auto& list : changes.lists) {
    outcome.lists[list] = *list;
    for (const Py& item : list->items) note_tensors(heap, item, outcome.tensors);
  }
  for (const auto& dict : changes.dicts) {
    outcome.dicts[dict] = *dict;
    for (const auto& entry : dict->entries) note_tensors(heap, entry.second, outcome.tensors);
  }
  for (const auto& key : changes.attributes) {
    outcome.attributes[key] = key.first->attributes[key.second];
    note_tensors(heap, outcome.attributes[key], outcome.tensors);
  }
}

// Joins the values of two branches: first collects the pairs of graph values that differ, then, once the If exists,
// puts its outputs in their place.
class Merger {
 public:
  Merger(Outcome& a, Outcome& b) : a_(a), b_(b) {}

  ir::Values then_results;
  ir::Values else_results;

  void give(const ir::Values& outputs) {
    outputs_ = &outputs;
    next_ = 0;
  }

  Py merge(const Py& a, const Py& b) {
    if (a.is<Uninitialized>() && !b.is_tensor() && !b.is_symbolic()) return b;
    if (b.is<Uninitialized>() && !a.is_tensor() && !a.is_symbolic()) return a;
    if (!a.is_tensor() && same_value(a, b)) return a;
    if (a.is_tensor() && b.is_tensor() && a.box() == b.box() && a_.tensors[a.box()] == b_.tensors[b.box()]) return a;
    if (is_leaf(a) && is_leaf(b)) return leaf(a, b);
    if (a.is<std::shared_ptr<Tuple>>() && b.is<std::shared_ptr<Tuple>>()) {
      if (a.items().size() == b.items().size()) return Py::tuple(merge_items(a.items(), b.items()), a.tuple()->names);
    } else if (a.is<std::shared_ptr<List>>() && b.is<std::shared_ptr<List>>()) {
      const bool plain = a.list()->stacked == nullptr && b.list()->stacked == nullptr;
      if (plain && a.list()->items.size() == b.list()->items.size()) {
        return Py::list(merge_items(a.list()->items, b.list()->items));
      }
    } else if (a.is<std::shared_ptr<Dict>>() && b.is<std::shared_ptr<Dict>>()) {
      return merge_dicts(*a.dict(), *b.dict());
    }
    return Uninitialized{};  // an error only where it is used
  }

  Items merge_items(const Items& a, const Items& b) {
    Items items;
    for (size_t i = 0; i < a.size(); ++i) items.push_back(merge(a[i], b[i]));
    return items;
  }

  Py merge_dicts(const Dict& a, const Dict& b) {
    if (a.entries.size() != b.entries.size()) return Uninitialized{};
    std::vector<std::pair<Py, Py>> entries;
    for (size_t i = 0; i < a.entries.size(); ++i) {
      if (!known_equal(a.entries[i].first, b.entries[i].first).value_or(false)) return Uninitialized{};
      entries.emplace_back(a.entries[i].first, merge(a.entries[i].second, b.entries[i].second));
    }
    return Py::dict(std::move(entries));
  }

  ir::Value* merge_tensor(const TensorPtr& tensor) {
    const Py merged = leaf(Py(tensor), Py(tensor));
    return merged.box()->value;
  }

 private:
  static bool is_leaf(const Py& value) { return value.is_tensor() || value.is_number() || value.is<Uninitialized>(); }

  Py leaf(const Py& a, const Py& b) {
    const Py& sample = a.is<Uninitialized>() ? b : a;
    if (!a.is<Uninitialized>() && !b.is<Uninitialized>() && a.is_tensor() != b.is_tensor()) return Uninitialized{};
    const bool tensor = sample.is_tensor();
    const Symbolic::Kind kind = a.is_float() || b.is_float() ? Symbolic::Kind::kFloat
                                : sample.is_bool()           ? Symbolic::Kind::kBool
                                                             : Symbolic::Kind::kInt;
    if (outputs_ != nullptr) {
      ir::Value* output = (*outputs_)[next_++];
      return tensor ? Py::tensor(output) : Py(Symbolic{output, kind});
    }
    ir::Value* x = a.is<Uninitialized>() ? nullptr : value_of(a, a_, kind);
    ir::Value* y = b.is<Uninitialized>() ? nullptr : value_of(b, b_, kind);
    if (x == nullptr) x = filler(*y, *a_.builder);
    if (y == nullptr) y = filler(*x, *b_.builder);
    if (x->dtype != y->dtype) {
      fail_unsupported("the branches of a condition give " + std::string(ir::dtype_name(x->dtype)) + " and " +
                       std::string(ir::dtype_name(y->dtype)) + " for the same tensor");
    }
    then_results.push_back(x);
    else_results.push_back(y);
    return tensor ? Py::tensor(x) : Py(Symbolic{x, kind});
  }

  static ir::Value* value_of(const Py& value, Outcome& outcome, Symbolic::Kind kind) {
    if (value.is_tensor()) return outcome.tensors.at(value.box());
    ir::Builder& b = *outcome.builder;
    const ir::DType dtype = kind == Symbolic::Kind::kFloat  ? ir::DType::kDouble
                            : kind == Symbolic::Kind::kBool ? ir::DType::kBool
                                                            : ir::DType::kInt64;
    if (const auto* symbolic = value.get_if<Symbolic>()) return b.Cast(symbolic->value, dtype);
    if (kind == Symbolic::Kind::kFloat) return b.number(value.as_double(), dtype);
    return kind == Symbolic::Kind::kBool ? b.boolean(value.as_bool()) : b.i64(value.as_int());
  }

  // Something of the same type for a branch whose value is never used.
  static ir::Value* filler(const ir::Value& like, ir::Builder& b) {
    ir::Dims dims;
    for (size_t i = 0; like.shape && i < like.shape->size(); ++i) {
      dims.push_back((*like.shape)[i].is_known() ? (*like.shape)[i].value() : 1);
    }
    return b.constant(ir::Tensor::filled(like.dtype, dims, 0));
  }

  Outcome& a_;
  Outcome& b_;
  const ir::Values* outputs_ = nullptr;
  size_t next_ = 0;
};

// What both branches leave behind, joined; called once to collect and once to put into place.
struct Joined {
  std::map<std::string, Py, std::less<>> names;
  std::optional<Py> result;
  std::map<TensorPtr, ir::Value*> tensors;
  std::map<std::shared_ptr<List>, List> lists;
  std::map<std::shared_ptr<Dict>, Py> dicts;
  std::map<std::pair<std::shared_ptr<Object>, std::string>, Py> attributes;
};

Joined join(Merger& merger, Outcome& a, Outcome& b, const Frame& before, const Heap::Changes& changes) {
  Joined joined;
  for (const auto& [name, value] : a.frame.names) {
    const auto other = b.frame.names.find(name);
    if (other == b.frame.names.end()) continue;
    const auto old = before.names.find(name);
    const bool kept =
        old != before.names.end() && same_value(old->second, value) && same_value(old->second, other->second);
    if (!kept) joined.names[name] = merger.merge(value, other->second);
  }
  if (a.frame.result && b.frame.result) joined.result = merger.merge(*a.frame.result, *b.frame.result);
  for (const TensorPtr& tensor : changes.tensors) joined.tensors[tensor] = merger.merge_tensor(tensor);
  for (const auto& list : changes.lists) {
    const List& x = a.lists.at(list);
    const List& y = b.lists.at(list);
    if (x.items.size() != y.items.size() || x.stacked != y.stacked) {
      fail_unsupported("a list grows in one branch of a condition that only the run can decide");
    }
    List merged = x;
    merged.items = merger.merge_items(x.items, y.items);
    joined.lists[list] = std::move(merged);
  }
  for (const auto& dict : changes.dicts) joined.dicts[dict] = merger.merge_dicts(a.dicts.at(dict), b.dicts.at(dict));
  for (const auto& key : changes.attributes) {
    joined.attributes[key] = merger.merge(a.attributes.at(key), b.attributes.at(key));
  }
  return joined;
}

void apply(const Joined& joined, Heap& heap, Frame& frame) {
  for (const auto& [name, value] : joined.names) frame.names[name] = value;
  if (joined.result) frame.result = joined.result;
  for (const auto& [tensor, value] : joined.tensors) heap.write(tensor, value);
  for (const auto& [list, contents] : joined.lists) heap.set_list(list, contents);
  for (const auto& [dict, contents] : joined.dicts) {
    if (contents.is<Uninitialized>()) fail_unsupported("the branches of a condition leave a dict with different keys");
    heap.set_entries(dict, contents.dict()->entries);
  }
  for (const auto& [key, value] : joined.attributes) heap.set_attribute(key.first, key.second, value);
}

}  // namespace

Trial::Trial(Interpreter& interpreter, ir::Builder& builder)
    : aside_(interpreter, builder),
      interpreter_(interpreter),
      place_(interpreter.place_),
      offset_(interpreter.place_offset_),
      depth_(interpreter.depth_) {}

Trial::~Trial() {
  interpreter_.place_ = place_;
  interpreter_.place_offset_ = offset_;
  interpreter_.depth_ = depth_;
}

void Branches::run(const Run& then_branch, const Run& else_branch) {
  Heap& heap = interpreter_.heap_;
  ir::Builder& outer = *interpreter_.builder_;
  // Each branch is run once for its changes; the contents of what either changes are noted at its end.
  const auto attempt = [&](const Run& branch, Outcome& outcome) {
    outcome.builder.emplace(outer.inner(*outcome.graph));
    const Trial trial(interpreter_, *outcome.builder);
    outcome.frame = frame_;
    try {
      branch(outcome.frame);
    } catch (const Raised& raised) {
      outcome.raised = raised;
      return;
    }
    note(heap, outcome, frame_);
    note_contents(heap, outcome, outcome.changes);
  };
  Outcome a;
  Outcome b;
  attempt(then_branch, a);
  attempt(else_branch, b);
  if (a.raised && b.raised) throw *a.raised;
  if (a.raised || b.raised) {
    (a.raised ? else_branch : then_branch)(frame_);
    return;
  }
  Heap::Changes changes = a.changes;
  changes.merge(b.changes);
  // What only the other branch changed has, in this one, the contents from before.
  for (Outcome* outcome : {&a, &b}) {
    Outcome before;
    before.builder.emplace(outer.inner(*before.graph));
    note_contents(heap, before, changes);
    outcome->tensors.insert(before.tensors.begin(), before.tensors.end());
    outcome->lists.insert(before.lists.begin(), before.lists.end());
    outcome->dicts.insert(before.dicts.begin(), before.dicts.end());
    outcome->attributes.insert(before.attributes.begin(), before.attributes.end());
  }
  for (const auto& [tensor, value] : a.tensors) {
    if (!b.tensors.contains(tensor)) b.tensors[tensor] = value;
  }
  for (const auto& [tensor, value] : b.tensors) {
    if (!a.tensors.contains(tensor)) a.tensors[tensor] = value;
  }
  Merger merger(a, b);
  Joined joined = join(merger, a, b, frame_, changes);
  if (!merger.then_results.empty()) {
    a.builder->finish(*a.graph, merger.then_results);
    b.builder->finish(*b.graph, merger.else_results);
    const ir::Values outputs =
        outer.ops("If", {condition_}, merger.then_results.size(), {{"then_branch", a.graph}, {"else_branch", b.graph}});
    merger.give(outputs);
    joined = join(merger, a, b, frame_, changes);
  }
  apply(joined, heap, frame_);
}

}  // namespace onward::importer::script
