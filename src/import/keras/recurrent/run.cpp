#include "import/keras/recurrent/run.h"

#include <limits>
#include <numeric>

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* steps_first(Builder& b, Value* x) {
  std::vector<int64_t> perm(x->rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm.at(0), perm.at(1));
  return b.Transpose(x, perm);
}

// The input as ONNX's operators take it.
struct Prepared {
  Value* x;  // [steps, batch, in]
  Value* lengths = nullptr;
  std::optional<PackedSteps> packed;
};

Prepared prepare(Builder& b, const Run& run) {
  if (run.mask == nullptr) return {steps_first(b, run.x), nullptr, std::nullopt};
  PackedSteps packed = pack_steps(b, run.x, run.mask);
  return {steps_first(b, packed.x), packed.lengths, std::move(packed)};
}

// A sequence with no valid step keeps its initial state.
Value* kept_where_empty(Builder& b, const Prepared& input, Value* initial, Value* state) {
  if (input.lengths == nullptr || initial == nullptr) return state;
  Value* empty = b.Equal(input.lengths, b.number_like(0, input.lengths));
  return b.Where(b.Unsqueeze(empty, {1}), initial, state);
}

Value* taken_last(Builder& b, const Run& run, Value* output) {
  if (run.mask == nullptr) return output;
  const int64_t place = run.backwards ? 0 : -1;
  Value* valid = run.zero_masked ? b.Select(b.Cast(run.mask, DType::kBool), place, 1)
                                 : b.Cast(b.ReduceMax(b.Cast(run.mask, DType::kInt32), {1}, false), DType::kBool);
  // Without an initial state ONNX's result is zero already where no step is valid.
  if (!run.zero_masked && run.initial.empty()) return output;
  return b.Where(b.Unsqueeze(valid, {1}), output, b.number_like(0, output));
}

Value* in_place(Builder& b, const Run& run, const Prepared& input, Value* y) {
  Value* sequence = steps_first(b, y);
  return input.packed ? unpack_steps(b, *input.packed, sequence, run.backwards, run.zero_masked) : sequence;
}

std::optional<Ran> run_operators(Builder& b, const std::vector<Cell>& cells, const Run& run) {
  std::vector<Recurrent> layers;
  for (const Cell& cell : cells) {
    const std::optional<Recurrent> layer = as_operator(b, {cell}, run.backwards ? "reverse" : "forward");
    if (!layer) return std::nullopt;
    layers.push_back(*layer);
  }
  const Prepared input = prepare(b, run);
  Ran ran{};
  Value* x = input.x;
  size_t state = 0;
  for (size_t i = 0; i < layers.size(); ++i) {
    const auto initial = [&](size_t offset) { return run.initial.empty() ? nullptr : run.initial.at(state + offset); };
    const auto with_direction = [&](Value* v) { return v != nullptr ? b.Unsqueeze(v, {0}) : nullptr; };
    const bool lstm = cells[i].kind == Cell::Kind::kLstm;
    Value* c = lstm ? initial(1) : nullptr;
    const RecurrentResult result =
        recurrent(b, layers[i], x, input.lengths, with_direction(initial(0)), with_direction(c));
    x = b.Squeeze(result.y, {1});
    ran.last = b.Squeeze(result.h, {0});
    ran.states.push_back(kept_where_empty(b, input, initial(0), ran.last));
    if (lstm) ran.states.push_back(kept_where_empty(b, input, c, b.Squeeze(result.c, {0})));
    state += cells[i].states();
  }
  ran.last = taken_last(b, run, ran.last);
  ran.sequence = in_place(b, run, input, x);
  return ran;
}

Value* zero_state(Builder& b, const Run& run, int64_t units) {
  return b.Fill(b.join({b.dim(run.x, 0), b.i64(units)}), 0, run.x->dtype);
}

// Step by step, for activations that ONNX's operators lack.
Ran run_steps(Builder& b, const std::vector<Cell>& cells, const Run& run) {
  ir::Values scanned{steps_first(b, run.backwards ? reversed_steps(b, run.x) : run.x)};
  if (run.mask != nullptr) {
    Value* mask = b.Cast(run.backwards ? reversed_steps(b, run.mask) : run.mask, DType::kBool);
    scanned.push_back(b.Unsqueeze(steps_first(b, mask), {2}));
  }
  ir::Values initial = run.initial;
  if (initial.empty()) {
    for (const Cell& cell : cells) {
      for (size_t i = 0; i < cell.states(); ++i) initial.push_back(zero_state(b, run, cell.units));
    }
  }
  const size_t states = initial.size();
  initial.push_back(zero_state(b, run, cells.back().units));  // the result before the first step
  const auto body = [&](Builder& inner, const ir::Values& before, const ir::Values& slices) {
    const auto masked = [&](Value* fresh, Value* old) {
      return slices.size() > 1 ? inner.Where(slices[1], fresh, old) : fresh;
    };
    Builder::ScanResult result;
    Value* x = slices[0];
    size_t at = 0;
    for (const Cell& cell : cells) {
      const auto start = before.begin() + static_cast<int64_t>(at);
      const ir::Values after = step(inner, cell, x, {start, start + static_cast<int64_t>(cell.states())});
      for (size_t i = 0; i < after.size(); ++i) result.state.push_back(masked(after[i], before[at + i]));
      x = after[0];
      at += cell.states();
    }
    Value* output = masked(x, run.zero_masked ? inner.number_like(0, x) : before[states]);
    result.state.push_back(output);
    result.scans.push_back(output);
    return result;
  };
  const ir::Values out = b.Scan(initial, scanned, body, 1);
  Ran ran{};
  Value* sequence = steps_first(b, out.back());
  ran.sequence = run.backwards ? reversed_steps(b, sequence) : sequence;
  ran.last = out[states];
  ran.states.assign(out.begin(), out.begin() + static_cast<int64_t>(states));
  return ran;
}

bool alike(const Cell& a, const Cell& b) {
  return a.kind == b.kind && a.units == b.units && a.reset_after == b.reset_after &&
         (a.bias == nullptr) == (b.bias == nullptr);
}

}  // namespace

Value* reversed_steps(Builder& b, Value* x, int64_t axis) {
  return b.Slice(x, -1, std::numeric_limits<int64_t>::min(), axis, -1);
}

Ran run_cells(Builder& b, const std::vector<Cell>& cells, const Run& run) {
  if (std::optional<Ran> ran = run_operators(b, cells, run)) return *ran;
  return run_steps(b, cells, run);
}

std::optional<RanBoth> run_both(Builder& b, const Cell& forward, const Cell& backward, const Run& run) {
  if (!alike(forward, backward)) return std::nullopt;
  const std::optional<Recurrent> layer = as_operator(b, {forward, backward}, "bidirectional");
  if (!layer) return std::nullopt;
  const Prepared input = prepare(b, run);
  const bool lstm = forward.kind == Cell::Kind::kLstm;
  const size_t each = forward.states();
  const auto initial = [&](size_t state) -> Value* {
    if (run.initial.empty()) return nullptr;
    return b.Concat({b.Unsqueeze(run.initial.at(state), {0}), b.Unsqueeze(run.initial.at(each + state), {0})}, 0);
  };
  const RecurrentResult result = recurrent(b, *layer, input.x, input.lengths, initial(0), lstm ? initial(1) : nullptr);
  const auto direction = [&](int64_t index) {
    Run own = run;
    own.backwards = index == 1;
    Ran ran{};
    const auto start = [&](size_t state) {
      return run.initial.empty() ? nullptr : run.initial[static_cast<size_t>(index) * each + state];
    };
    Value* h = b.Select(result.h, index, 0);
    ran.sequence = in_place(b, own, input, b.Select(result.y, index, 1));
    ran.last = taken_last(b, own, h);
    ran.states.push_back(kept_where_empty(b, input, start(0), h));
    if (lstm) ran.states.push_back(kept_where_empty(b, input, start(1), b.Select(result.c, index, 0)));
    return ran;
  };
  return RanBoth{direction(0), direction(1)};
}

}  // namespace onward::importer::keras
