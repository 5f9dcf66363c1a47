#include <algorithm>
#include <set>

#include "base/error.h"
#include "import/torch/script/control_flow.h"

namespace onward::importer::script {
namespace {

using torchscript::Expr;
using torchscript::Stmt;

constexpr int kMaxRounds = 24;

// The loop's body turned out, on wider shapes, to change more than was seen before.
struct Unsettled {};

void assigned_names(const std::vector<Stmt>& body, const Stmt* except, std::set<std::string>& names) {
  for (const Stmt& stmt : body) {
    if (&stmt == except) continue;
    for (const Expr& target : stmt.targets) {
      if (target.kind == Expr::Kind::kName) names.insert(target.text);
    }
    assigned_names(stmt.body, except, names);
    assigned_names(stmt.orelse, except, names);
  }
}

Symbolic::Kind kind_of(const Py& a, const Py& b) {
  if (a.is_float() || b.is_float()) return Symbolic::Kind::kFloat;
  return a.is_bool() && b.is_bool() ? Symbolic::Kind::kBool : Symbolic::Kind::kInt;
}

ir::DType dtype_of(Symbolic::Kind kind) {
  return kind == Symbolic::Kind::kFloat  ? ir::DType::kDouble
         : kind == Symbolic::Kind::kBool ? ir::DType::kBool
                                         : ir::DType::kInt64;
}

Py zero(Symbolic::Kind kind) {
  if (kind == Symbolic::Kind::kFloat) return 0.0;
  return kind == Symbolic::Kind::kBool ? Py(false) : Py(0);
}

}  // namespace

void DynamicLoop::run_while(ir::Value* condition) {
  condition_ = condition;
  run();
}

void DynamicLoop::run_range(const Py& start, const Py& end, const Py& step) {
  ir::Builder& b = interpreter_.b();
  if (!step.is<int64_t>() || step.as_int() == 0) fail_unsupported("range with a step that only the run will know");
  const int64_t stride = step.as_int();
  ir::Value* span = start.is<int64_t>() && start.as_int() == 0
                        ? interpreter_.scalar(end)
                        : b.Sub(interpreter_.scalar(end), interpreter_.scalar(start));
  if (stride < 0) span = b.Neg(span);
  const int64_t length = std::abs(stride);
  trips_ = length == 1 ? span : b.Div(b.Add(span, b.i64(length - 1)), b.i64(length));
  if (!start.is<int64_t>() || start.as_int() != 0) start_ = interpreter_.scalar(start);
  if (stride != 1) step_ = b.i64(stride);
  run();
}

void DynamicLoop::run() {
  for (int round = 0; round < kMaxRounds; ++round) {
    prepare();
    if (discover()) continue;
    try {
      build();
      return;
    } catch (const Unsettled&) {
    }
  }
  fail_unsupported("what a loop carries from one step to the next has no fixed form");
}

// What newly found slots hold before the loop.
void DynamicLoop::prepare() {
  for (Slot& slot : slots_) {
    if (slot.ready) continue;
    slot.ready = true;
    slot.initial =
        slot.kind == Slot::Kind::kTensor ? Py::tensor(interpreter_.heap_.value(slot.tensor)) : read(slot, frame_);
    slot.state = slot.initial;
  }
}

std::vector<std::string> DynamicLoop::carried_names() const {
  std::set<std::string> inside;
  assigned_names(stmt_.body, nullptr, inside);
  std::set<std::string> outside;
  if (frame_.function != nullptr) {
    assigned_names(frame_.function->body, &stmt_, outside);
    for (const torchscript::Parameter& parameter : frame_.function->parameters) outside.insert(parameter.name);
  }
  std::vector<std::string> names;
  for (const std::string& name : inside) {
    if (outside.contains(name) && frame_.names.contains(name)) names.push_back(name);
  }
  return names;
}

bool DynamicLoop::discover() {
  ir::Graph scratch;
  ir::Builder builder = interpreter_.b().inner(scratch);
  const Trial trial(interpreter_, builder);
  ir::Values carried;
  for (Slot& slot : slots_) {
    ir::Values initial;
    if (!slot.appends) collect_initial(slot.state, slot.initial, initial);
    for (const ir::Value* value : initial) {
      ir::Value* input = scratch.add_input("carried_" + std::to_string(carried.size()), value->dtype, value->shape);
      input->kind = value->kind;
      carried.push_back(input);
    }
  }
  ir::Value* iteration = scratch.add_input("iteration", ir::DType::kInt64, ir::Shape{});
  Frame frame = frame_;
  enter(frame, iteration, carried);
  interpreter_.run(stmt_.body, 0, frame);
  if (frame.result) fail_unsupported("a return out of a loop whose length only the run will know");
  if (stmt_.kind == Stmt::Kind::kWhile) interpreter_.eval(stmt_.values[0], frame);
  if (add_slots(frame, interpreter_.heap_.changes())) return true;
  bool changed = false;
  for (Slot& slot : slots_) changed = settle(slot, read(slot, frame)) || changed;
  return changed;
}

bool DynamicLoop::add_slots(const Frame& after, const Heap::Changes& changes) {
  const size_t before = slots_.size();
  const auto known = [&](const auto& same) { return std::any_of(slots_.begin(), slots_.end(), same); };
  for (const std::string& name : carried_names()) {
    if (known([&](const Slot& s) { return s.kind == Slot::Kind::kName && s.name == name; })) continue;
    if (same_value(after.names.find(name)->second, frame_.names.find(name)->second)) continue;
    Slot slot;
    slot.name = name;
    slots_.push_back(std::move(slot));
  }
  for (const TensorPtr& tensor : changes.tensors) {
    if (known([&](const Slot& s) { return s.tensor == tensor; })) continue;
    Slot slot;
    slot.kind = Slot::Kind::kTensor;
    slot.tensor = tensor;
    slots_.push_back(std::move(slot));
  }
  for (const auto& list : changes.lists) {
    if (known([&](const Slot& s) { return s.list == list; })) continue;
    Slot slot;
    slot.kind = Slot::Kind::kList;
    slot.list = list;
    slots_.push_back(std::move(slot));
  }
  for (const auto& dict : changes.dicts) {
    if (known([&](const Slot& s) { return s.dict == dict; })) continue;
    Slot slot;
    slot.kind = Slot::Kind::kDict;
    slot.dict = dict;
    slots_.push_back(std::move(slot));
  }
  for (const auto& [object, name] : changes.attributes) {
    if (known([&object = object, &name = name](const Slot& s) { return s.object == object && s.name == name; }))
      continue;
    Slot slot;
    slot.kind = Slot::Kind::kAttribute;
    slot.object = object;
    slot.name = name;
    slots_.push_back(std::move(slot));
  }
  return slots_.size() != before;
}

Py DynamicLoop::read(const Slot& slot, const Frame& frame) const {
  switch (slot.kind) {
    case Slot::Kind::kName:
      return frame.names.find(slot.name)->second;
    case Slot::Kind::kTensor:
      return slot.tensor;
    case Slot::Kind::kList: {
      if (slot.list->stacked != nullptr && !slot.appends) {
        fail_unsupported("a list of unknown length is changed in a loop");
      }
      Py copy = Py::list(slot.list->items);
      return copy;
    }
    case Slot::Kind::kDict:
      return Py::dict(slot.dict->entries);
    case Slot::Kind::kAttribute:
      return slot.object->attributes[slot.name];
  }
  return {};
}

void DynamicLoop::put(const Slot& slot, const Py& value, Frame& frame) {
  Heap& heap = interpreter_.heap_;
  switch (slot.kind) {
    case Slot::Kind::kName:
      frame.names[slot.name] = value;
      break;
    case Slot::Kind::kTensor:
      heap.write(slot.tensor, interpreter_.value(value));
      break;
    case Slot::Kind::kList:
      heap.set_items(slot.list, value.items());
      break;
    case Slot::Kind::kDict:
      heap.set_entries(slot.dict, value.dict()->entries);
      break;
    case Slot::Kind::kAttribute:
      heap.set_attribute(slot.object, slot.name, value);
      break;
  }
}

// Sets up an iteration: the loop variable and what came from the one before.
void DynamicLoop::enter(Frame& frame, ir::Value* iteration, const ir::Values& carried) {
  size_t next = 0;
  for (const Slot& slot : slots_) {
    if (slot.appends) {
      List open;
      open.open = true;
      interpreter_.heap_.set_list(slot.list, std::move(open));
    } else {
      put(slot, filled(slot.state, carried, next), frame);
    }
  }
  if (stmt_.kind != Stmt::Kind::kFor) return;
  ir::Builder& b = interpreter_.b();
  ir::Value* variable = iteration;
  if (step_ != nullptr) variable = b.Mul(variable, step_);
  if (start_ != nullptr) variable = b.Add(variable, start_);
  interpreter_.assign_to(stmt_.targets[0], Symbolic{variable, Symbolic::Kind::kInt}, frame);
}

bool DynamicLoop::settle(Slot& slot, const Py& after) {
  if (slot.appends) {
    const size_t count = after.items().size();
    const bool changed = slot.appended != count;
    slot.appended = count;
    return changed;
  }
  if (slot.kind == Slot::Kind::kList && after.items().size() > slot.state.items().size()) {
    slot.appends = true;
    return true;
  }
  bool changed = false;
  slot.state = settled(slot.state, after, slot.initial, changed);
  return changed;
}

// The form that fits both: numbers that change become carried ones.
Py DynamicLoop::settled(const Py& state, const Py& after, Py& initial, bool& changed) {
  if (state.is_tensor() && after.is_tensor()) {
    ir::Value* first = interpreter_.value(initial);
    const ir::DType dtype = interpreter_.value(after)->dtype;
    if (first->dtype != dtype) {
      initial = Py::tensor(interpreter_.root_builder_.Cast(first, dtype));
      changed = true;
    }
    return state;
  }
  if (state.is_number() && after.is_number()) {
    const Symbolic::Kind kind = kind_of(state, after);
    const auto* symbolic = state.get_if<Symbolic>();
    if (symbolic != nullptr
            ? symbolic->kind == kind
            : known_equal(state, after).value_or(false) && state.data().index() == after.data().index()) {
      return state;
    }
    changed = true;
    return Symbolic{nullptr, kind};
  }
  if (state.is<Uninitialized>() && after.is_number()) {
    changed = true;
    const Symbolic::Kind kind = kind_of(after, after);
    initial = zero(kind);
    return Symbolic{nullptr, kind};
  }
  if (state.is<Uninitialized>() && after.is_tensor()) {
    const ir::Value* like = interpreter_.value(after);
    ir::Dims dims;
    for (size_t i = 0; like->shape && i < like->shape->size(); ++i) {
      dims.push_back((*like->shape)[i].is_known() ? (*like->shape)[i].value() : 1);
    }
    changed = true;
    initial = Py::tensor(interpreter_.root_builder_.constant(ir::Tensor::filled(like->dtype, dims, 0)));
    return initial;
  }
  if (after.is<Uninitialized>()) return state;
  if (state.has_items() && after.has_items() && state.items().size() == after.items().size()) {
    Items items;
    Items first = initial.items();
    for (size_t i = 0; i < state.items().size(); ++i) {
      items.push_back(settled(state.items()[i], after.items()[i], first[i], changed));
    }
    const bool tuple = state.is<std::shared_ptr<Tuple>>();
    initial = tuple ? Py::tuple(std::move(first), state.tuple()->names) : Py::list(std::move(first));
    return tuple ? Py::tuple(std::move(items), state.tuple()->names) : Py::list(std::move(items));
  }
  if (state.is<std::shared_ptr<Dict>>() && after.is<std::shared_ptr<Dict>>()) {
    const auto& old = state.dict()->entries;
    const auto& now = after.dict()->entries;
    std::vector<std::pair<Py, Py>> entries;
    std::vector<std::pair<Py, Py>> first = initial.dict()->entries;
    for (size_t i = 0; i < old.size() && old.size() == now.size(); ++i) {
      if (!known_equal(old[i].first, now[i].first).value_or(false)) break;
      entries.emplace_back(old[i].first, settled(old[i].second, now[i].second, first[i].second, changed));
    }
    if (entries.size() == old.size() && old.size() == now.size()) {
      initial = Py::dict(std::move(first));
      return Py::dict(std::move(entries));
    }
  }
  if (same_value(state, after)) return state;
  fail_unsupported("in a loop of unknown length, " + std::string(state.type_name()) + " becomes " +
                   std::string(after.type_name()) + " of another form");
}

void DynamicLoop::collect_initial(const Py& state, const Py& initial, ir::Values& values) {
  if (state.is_tensor()) {
    values.push_back(interpreter_.value(initial));
  } else if (const auto* symbolic = state.get_if<Symbolic>()) {
    values.push_back(interpreter_.b().Cast(interpreter_.scalar(initial), dtype_of(symbolic->kind)));
  } else if (state.has_items()) {
    for (size_t i = 0; i < state.items().size(); ++i) collect_initial(state.items()[i], initial.items()[i], values);
  } else if (state.is<std::shared_ptr<Dict>>()) {
    const auto& entries = state.dict()->entries;
    for (size_t i = 0; i < entries.size(); ++i) {
      collect_initial(entries[i].second, initial.dict()->entries[i].second, values);
    }
  }
}

void DynamicLoop::collect_result(const Py& state, const Py& after, ir::Values& values) {
  if (state.is_tensor()) {
    values.push_back(interpreter_.value(after));
  } else if (const auto* symbolic = state.get_if<Symbolic>()) {
    const Py number = after.is<Uninitialized>() ? zero(symbolic->kind) : after;
    values.push_back(interpreter_.b().Cast(interpreter_.scalar(number), dtype_of(symbolic->kind)));
  } else if (state.has_items()) {
    for (size_t i = 0; i < state.items().size(); ++i) collect_result(state.items()[i], after.items()[i], values);
  } else if (state.is<std::shared_ptr<Dict>>()) {
    const auto& entries = state.dict()->entries;
    for (size_t i = 0; i < entries.size(); ++i) {
      collect_result(entries[i].second, after.dict()->entries[i].second, values);
    }
  }
}

Py DynamicLoop::filled(const Py& state, const ir::Values& values, size_t& next) const {
  if (state.is_tensor()) return Py::tensor(values.at(next++));
  if (const auto* symbolic = state.get_if<Symbolic>()) return Symbolic{values.at(next++), symbolic->kind};
  if (state.has_items()) {
    Items items;
    for (const Py& item : state.items()) items.push_back(filled(item, values, next));
    if (state.is<std::shared_ptr<Tuple>>()) return Py::tuple(std::move(items), state.tuple()->names);
    return Py::list(std::move(items));
  }
  if (state.is<std::shared_ptr<Dict>>()) {
    std::vector<std::pair<Py, Py>> entries;
    for (const auto& [key, value] : state.dict()->entries) entries.emplace_back(key, filled(value, values, next));
    return Py::dict(std::move(entries));
  }
  return state;
}

void DynamicLoop::build() {
  ir::Builder& b = interpreter_.b();
  ir::Values initial;
  size_t scan_count = 0;
  for (Slot& slot : slots_) {
    if (slot.appends) {
      scan_count += slot.appended;
    } else {
      collect_initial(slot.state, slot.initial, initial);
    }
  }
  const auto body = [&](ir::Builder& inner, ir::Value* iteration, ir::Value*, const ir::Values& carried) {
    const Trial trial(interpreter_, inner);
    Frame frame = frame_;
    enter(frame, iteration, carried);
    interpreter_.run(stmt_.body, 0, frame);
    ir::Builder::LoopResult result{nullptr, {}, {}};
    if (stmt_.kind == Stmt::Kind::kWhile) {
      ir::Value* condition = nullptr;
      const std::optional<bool> known = interpreter_.truth(interpreter_.eval(stmt_.values[0], frame), condition);
      result.condition = known ? inner.boolean(*known) : condition;
    }
    if (add_slots(frame, interpreter_.heap_.changes())) throw Unsettled{};
    bool changed = false;
    for (Slot& slot : slots_) changed = settle(slot, read(slot, frame)) || changed;
    if (changed) throw Unsettled{};
    for (const Slot& slot : slots_) {
      const Py after = read(slot, frame);
      if (!slot.appends) {
        collect_result(slot.state, after, result.carried);
        continue;
      }
      for (const Py& item : after.items()) {
        result.scans.push_back(item.is_tensor() ? interpreter_.value(item) : interpreter_.scalar(item));
      }
    }
    return result;
  };
  const ir::Values outputs = b.Loop(trips_, condition_, initial, body, scan_count);
  size_t next = 0;
  for (const Slot& slot : slots_) {
    if (!slot.appends) put(slot, filled(slot.state, outputs, next), frame_);
  }
  for (const Slot& slot : slots_) {
    if (slot.appends) append_scans(slot, outputs, next);
  }
}

void DynamicLoop::append_scans(const Slot& slot, const ir::Values& scans, size_t& next) {
  if (slot.appended == 0) return;
  ir::Builder& b = interpreter_.b();
  ir::Value* grown = scans.at(next++);
  if (slot.appended > 1) {  // a, b of each step → a0, b0, a1, b1 …
    ir::Values parts{b.Unsqueeze(grown, {1})};
    for (size_t i = 1; i < slot.appended; ++i) parts.push_back(b.Unsqueeze(scans.at(next++), {1}));
    ir::Value* pairs = b.Concat(parts, 1);
    const int64_t rank = interpreter_.rank(pairs);
    ir::Value* shape = b.Concat({b.ints({-1}), b.Slice(b.Shape(pairs), 2, rank, 0)}, 0);
    grown = b.Reshape(pairs, shape);
  }
  List contents = *slot.list;
  contents.stacked = contents.stacked == nullptr ? grown : b.Concat({contents.stacked, grown}, 0);
  interpreter_.heap_.set_list(slot.list, std::move(contents));
}

}  // namespace onward::importer::script
