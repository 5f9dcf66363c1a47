#include "import/tensorflow/control/loop.h"

#include <limits>

#include "base/error.h"
#include "import/tensorflow/control/branch.h"
#include "import/tensorflow/control/carry.h"
#include "import/tensorflow/control/equal.h"

namespace onward::importer::tf {
namespace {

class LoopBuilder {
 public:
  LoopBuilder(Call& call, LoopProgram program) : call_(call), program_(std::move(program)) {
    // The model's variables that change ride along behind the loop's own.
    for (const Resource* resource : program_.assigned) {
      program_.initial.push_back(call.state().variables.at(resource));
      program_.invariant.push_back(false);
      program_.collected.push_back(Collecting::kNo);
    }
    own_ = program_.initial.size() - program_.assigned.size();
    for (size_t i = 0; i < program_.initial.size(); ++i) {
      const Item& item = program_.initial[i];
      const bool fixed = program_.invariant[i] || is_collected(i);
      slots_.push_back(fixed ? Slot{Slot::Kind::kFixed, item} : slot_for(item));
    }
  }

  Items run() {
    ir::Builder& b = call_.b;
    ir::Values initial;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (ir::Value* value = flatten(slots_[i], program_.initial[i], b, call_)) initial.push_back(value);
    }
    State before = call_.state();
    ir::Value* running =
        program_.trips != nullptr ? nullptr : truth(b, program_.condition(b, before, program_.initial));
    const ir::Value* decisive = running != nullptr ? running : program_.trips;
    if (decisive->is_constant() && decisive->constant()->as_int() == 0) return own(program_.initial);
    size_t scans = 0;
    for (size_t i = 0; i < slots_.size(); ++i) scans += is_collected(i) ? 1 : 0;
    const auto body = [&](ir::Builder& inner, ir::Value*, ir::Value*, const ir::Values& carried) {
      return round(inner, carried);
    };
    const ir::Values outputs = b.Loop(program_.trips, running, initial, body, scans);
    if (hidden_) return Items(own_, Untranslated{});
    return results(outputs, initial.size());
  }

 private:
  bool is_collected(size_t variable) const { return program_.collected[variable] != Collecting::kNo; }

  Items own(Items items) const {
    items.resize(own_);
    return items;
  }

  Items rebuilt(const ir::Values& carried) const {
    Items items;
    size_t next = 0;
    for (const Slot& slot : slots_) {
      items.push_back(slot.kind == Slot::Kind::kFixed ? slot.fixed : rebuild(slot, carried[next++]));
    }
    return items;
  }

  ir::Builder::LoopResult round(ir::Builder& b, const ir::Values& carried) {
    State state = call_.state();
    Items variables = rebuilt(carried);
    for (size_t i = 0; i < program_.assigned.size(); ++i) {
      state.variables[program_.assigned[i]] = variables[own_ + i];
    }
    Items next = program_.step(b, state, own(variables));
    if (next.size() != own_) fail_data("a loop's body returns another number of values than it gets");
    for (const Resource* resource : program_.assigned) next.push_back(state.variables.at(resource));
    for (const Item& item : next) hidden_ = hidden_ || item.is_untranslated();
    ir::Builder::LoopResult result{nullptr, {}, {}};
    if (hidden_) return abandoned(b, carried);
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (is_collected(i)) {
        result.scans.push_back(call_.tensor_of(next[i], "a list's element"));
        // The condition may not look at it.
        next[i] = slots_[i].fixed;
      } else if (program_.invariant[i]) {
        next[i] = slots_[i].fixed;
      } else if (ir::Value* value = flatten(slots_[i], next[i], b, call_)) {
        result.carried.push_back(value);
      }
    }
    if (program_.trips == nullptr) result.condition = truth(b, program_.condition(b, state, own(next)));
    return result;
  }

  // Something in the body could not be translated; the graph only has to hold together until that is reported.
  ir::Builder::LoopResult abandoned(ir::Builder& b, const ir::Values& carried) const {
    ir::Builder::LoopResult result{nullptr, carried, {}};
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (is_collected(i)) result.scans.push_back(b.i64(0));
    }
    return result;
  }

  Items results(const ir::Values& outputs, size_t carried) {
    Items items = rebuilt(outputs);
    size_t scan = carried;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (is_collected(i)) {
        items[i] = collected(*program_.initial[i].list(), outputs[scan++], program_.collected[i]);
      }
    }
    for (size_t i = 0; i < program_.assigned.size(); ++i) {
      call_.state().variables[program_.assigned[i]] = items[own_ + i];
    }
    return own(std::move(items));
  }

  // The list after the loop: what was there, then what the rounds gave; a reserved list keeps its length.
  ListPtr collected(const List& before, ir::Value* scanned, Collecting how) const {
    ir::Builder& b = call_.b;
    if (how == Collecting::kLast) {
      ir::Value* last = b.Slice(scanned, -1, std::numeric_limits<int64_t>::max(), 0);
      return List::stacked(before.dtype, before.element_shape, last);
    }
    if (before.form != List::Form::kReserved) {
      const bool empty = before.form == List::Form::kItems && before.items.empty();
      ir::Value* data = empty ? scanned : b.Concat({list_stack(b, before), scanned}, 0);
      return List::stacked(before.dtype, before.element_shape, data);
    }
    if (program_.trips != nullptr && surely_equal(before.size, program_.trips)) {
      return List::stacked(before.dtype, before.element_shape, scanned);
    }
    // A loop that ended early leaves zeros behind.
    ir::Value* missing = b.Max(b.Sub(b.Reshape(before.size, {1}), b.dim(scanned, 0)), b.ints({0}));
    const size_t rank = scanned->rank();
    ir::Value* pads =
        b.Concat({b.ints(std::vector<int64_t>(rank, 0)), missing, b.ints(std::vector<int64_t>(rank - 1, 0))}, 0);
    return List::stacked(before.dtype, before.element_shape, b.op("Pad", {scanned, pads}));
  }

  Call& call_;
  LoopProgram program_;
  std::vector<Slot> slots_;
  size_t own_ = 0;
  bool hidden_ = false;
};

}  // namespace

Items run_loop(Call& call, LoopProgram program) { return LoopBuilder(call, std::move(program)).run(); }

}  // namespace onward::importer::tf
