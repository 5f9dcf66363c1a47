// SimpleRNN, GRU, LSTM (and cuDNN's), RNN with built-in cells, StackedRNNCells, Bidirectional.
#include "import/keras/op_table.h"
#include "import/keras/recurrent/run.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

std::vector<Cell> read_cells(const Context& ctx, const Layer& layer, const std::string& child) {
  const Layer cell = cell_of(layer);
  if (layer.class_name.rfind("CuDNN", 0) == 0) return {read_cell(ctx, layer, child)};
  const std::string below = child.empty() ? "cell" : child + "/cell";
  if (cell.class_name != "StackedRNNCells") return {read_cell(ctx, cell, below)};
  std::vector<Cell> cells;
  for (const Child& inner : cells_of(cell)) cells.push_back(read_cell(ctx, inner.layer, below + "/" + inner.attribute));
  ctx.require(!cells.empty(), "has no cells");
  return cells;
}

// call(sequences, initial_state=None, mask=None); Keras 2 may give the states behind the sequences, in one list.
struct Given {
  Value* x;
  ir::Values initial;
};

Given given(const Context& ctx) {
  ir::Values inputs = ctx.inputs();
  ctx.require(!inputs.empty(), "has no input");
  Given result{inputs.front(), ctx.tensors(1, "initial_state")};
  if (result.initial.empty()) result.initial.assign(inputs.begin() + 1, inputs.end());
  return result;
}

// Keras 3 hands the mask on by itself only where the call has no other tensors.
Value* step_mask(const Context& ctx, const ir::Values& initial) {
  const bool given = !ctx.argument(2, "mask").is_null();
  return !initial.empty() && !given && !ctx.session.legacy ? nullptr : ctx.mask();
}

void require_states(const Context& ctx, const ir::Values& initial, size_t expected) {
  ctx.require(
      initial.empty() || initial.size() == expected,
      "is given " + std::to_string(initial.size()) + " initial states where it has " + std::to_string(expected));
}

size_t state_count(const std::vector<Cell>& cells) {
  size_t count = 0;
  for (const Cell& cell : cells) count += cell.states();
  return count;
}

ir::Values recurrent_layer(Context& ctx) {
  const auto [x, initial] = given(ctx);
  const Json& c = ctx.config;
  const std::vector<Cell> cells = read_cells(ctx, ctx.layer, "");
  require_states(ctx, initial, state_count(cells));
  const bool backwards = c.get("go_backwards", false);
  Value* mask = step_mask(ctx, initial);
  const Ran ran = run_cells(ctx.b, cells, {x, mask, backwards, c.get("zero_output_for_mask", false), initial});
  ir::Values results;
  if (c.get("return_sequences", false)) {
    results.push_back(backwards ? reversed_steps(ctx.b, ran.sequence) : ran.sequence);
    ctx.set_mask(results.front(), mask);
  } else {
    results.push_back(ran.last);
  }
  if (c.get("return_state", false)) results.insert(results.end(), ran.states.begin(), ran.states.end());
  return results;
}

Layer forward_layer(const Layer& layer) { return read_layer(layer.config.at("layer")); }

// Where the file has no backward layer, it is the forward one run the other way.
Layer backward_layer(const Layer& layer) {
  if (layer.config["backward_layer"].is_object()) return read_layer(layer.config["backward_layer"]);
  Layer backward = forward_layer(layer);
  backward.config.set("go_backwards", !backward.config.get("go_backwards", false));
  return backward;
}

Value* merged(const Context& ctx, const std::string& mode, Value* y, Value* back) {
  ir::Builder& b = ctx.b;
  if (mode == "concat") return b.Concat({y, back}, -1);
  if (mode == "sum") return b.Add(y, back);
  if (mode == "ave") return b.Mul(b.Add(y, back), 0.5);
  ctx.require(mode == "mul", "merge_mode \"" + mode + "\" is unknown");
  return b.Mul(y, back);
}

RanBoth run_directions(const Context& ctx, const Layer& forward, const Layer& backward, Run run) {
  const std::vector<Cell> one = read_cells(ctx, forward, "forward_layer");
  const std::vector<Cell> other = read_cells(ctx, backward, "backward_layer");
  require_states(ctx, run.initial, state_count(one) + state_count(other));
  const bool usual = !forward.config.get("go_backwards", false) && backward.config.get("go_backwards", false);
  if (usual && one.size() == 1 && other.size() == 1) {
    if (std::optional<RanBoth> both = run_both(ctx.b, one[0], other[0], run)) return *both;
  }
  const ir::Values initial = run.initial;
  const auto half = initial.begin() + static_cast<int64_t>(initial.empty() ? 0 : state_count(one));
  run.backwards = forward.config.get("go_backwards", false);
  run.initial.assign(initial.begin(), half);
  const Ran first = run_cells(ctx.b, one, run);
  run.backwards = backward.config.get("go_backwards", false);
  run.initial.assign(half, initial.end());
  return {first, run_cells(ctx.b, other, run)};
}

// Bidirectional(layer, merge_mode="concat", backward_layer=None)
ir::Values bidirectional(Context& ctx) {
  const auto [x, initial] = given(ctx);
  const Layer forward = forward_layer(ctx.layer);
  const Layer backward = backward_layer(ctx.layer);
  const bool sequences = forward.config.get("return_sequences", false);
  Value* mask = step_mask(ctx, initial);
  const RanBoth ran = run_directions(ctx, forward, backward, {x, mask, false, sequences, initial});
  // A layer that runs backwards gives its results in the order it takes the steps; Bidirectional turns the second
  // layer's round.
  const auto output = [&](const Ran& one, bool turned) {
    if (!sequences) return one.last;
    return turned ? reversed_steps(ctx.b, one.sequence) : one.sequence;
  };
  Value* y = output(ran.forward, forward.config.get("go_backwards", false));
  Value* back = output(ran.backward, !backward.config.get("go_backwards", false));
  ir::Values results;
  if (ctx.config["merge_mode"].is_null() && ctx.config.contains("merge_mode")) {
    results = {y, back};
  } else {
    results = {merged(ctx, ctx.config.get("merge_mode", "concat"), y, back)};
  }
  if (sequences) {
    for (Value* result : results) ctx.set_mask(result, mask);
  }
  if (forward.config.get("return_state", false)) {
    results.insert(results.end(), ran.forward.states.begin(), ran.forward.states.end());
    results.insert(results.end(), ran.backward.states.begin(), ran.backward.states.end());
  }
  return results;
}

std::vector<Child> cell_child(const Layer& layer) { return {{"cell", cell_of(layer)}}; }
std::vector<Child> directions(const Layer& layer) {
  return {{"forward_layer", forward_layer(layer)}, {"backward_layer", backward_layer(layer)}};
}

ir::Values refused_cell(Context& ctx) {
  ctx.require(false, "is a cell, which only an RNN layer can run");
  return {};
}

}  // namespace

void register_recurrent(OpTable& table) {
  for (const char* name : {"SimpleRNN", "GRU", "LSTM", "RNN"}) {
    table.add(name, {recurrent_layer, nullptr, Masking::kOwn, cell_child});
  }
  for (const char* name : {"CuDNNGRU", "CuDNNLSTM"}) {
    table.add(name, {recurrent_layer, cell_variables, Masking::kOwn});
  }
  for (const char* name : {"SimpleRNNCell", "GRUCell", "LSTMCell"}) {
    table.add(name, {refused_cell, cell_variables, Masking::kDropped, nullptr, "inside RNN"});
  }
  table.add("StackedRNNCells", {refused_cell, nullptr, Masking::kDropped, cells_of, "inside RNN"});
  table.add("Bidirectional", {bidirectional, nullptr, Masking::kOwn, directions});
}

}  // namespace onward::importer::keras
