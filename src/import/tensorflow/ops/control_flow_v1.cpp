// TF1's control flow: a Merge becomes an If, an Exit a Loop. The other nodes only pass their input on.
#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/control/body_shape.h"
#include "import/tensorflow/control/branch.h"
#include "import/tensorflow/control/loop.h"
#include "import/tensorflow/control/rounds.h"
#include "import/tensorflow/control/v1_flow.h"
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

// Switch(data: T, pred: bool) -> output_false, output_true: which one is alive is the Merge's business.
Items switch_op(Call& c) { return {c.item(0), c.item(0)}; }

// _SwitchN(data: T, output_index: int32) -> outputs: num_outs * T
Items switch_n(Call& c) {
  const int64_t count = c.integer("num_outs", 1);
  c.require(count >= 1 && count <= 10'000, "it has " + std::to_string(count) + " outputs");
  return Items(static_cast<size_t>(count), c.item(0));
}

// Enter, NextIteration, LoopCond …
Items pass(Call& c) { return {c.item(0)}; }

// A part of the same body, built elsewhere; it sees what its surroundings have translated.
Scope inner_scope(Call& c, ir::Builder& b, State& state) {
  const Scope& outer = c.scope();
  return {outer.body, outer.arguments, b, state, outer.depth, &outer};
}

BranchBody side(Call& c, Endpoint wanted) {
  return [&c, wanted](ir::Builder& b, State& state) {
    Scope scope = inner_scope(c, b, state);
    return Items{c.evaluator().evaluate(scope, wanted)};
  };
}

// One of several inputs by a number: a chain of conditions, the last input standing for all other numbers.
Items choose(Call& c, ir::Builder& b, State& state, Value* index, const std::vector<std::pair<size_t, Endpoint>>& sides,
             size_t first) {
  Scope scope = inner_scope(c, b, state);
  if (first + 1 == sides.size()) return {c.evaluator().evaluate(scope, sides[first].second)};
  Call inner(c.evaluator(), scope, c.index(), {});
  Value* here = b.Equal(index, b.number_like(static_cast<double>(sides[first].first), index));
  return branch(inner, here, side(inner, sides[first].second),
                [&](ir::Builder& deeper, State& own) { return choose(inner, deeper, own, index, sides, first + 1); });
}

// Merge(inputs: N * T) -> output, value_index: int32
Items merge(Call& c) {
  const Body& body = c.scope().body;
  V1Flow& flow = c.evaluator().flow(body);
  if (flow.is_loop_merge(c.index())) c.fail("it belongs to a loop, of which only the results can be outputs");
  const V1Flow::Choice choice = flow.choice(c.index());
  std::vector<std::pair<size_t, Endpoint>> sides;
  for (size_t i = 0; i < choice.inputs.size(); ++i) {
    sides.emplace_back(choice.inputs[i], body.nodes[c.index()].inputs[i]);
  }
  const Item chosen = c.evaluator().evaluate(c.scope(), choice.predicate);
  if (chosen.is_untranslated()) return {chosen};
  Value* predicate = c.tensor_of(chosen, "the condition");
  if (predicate->dtype != ir::DType::kBool) {
    std::sort(sides.begin(), sides.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    Items result = choose(c, c.b, c.state(), predicate, sides, 0);
    result.emplace_back(predicate);
    return result;
  }
  c.require(sides.size() == 2 && sides[0].first != sides[1].first, "it does not join the two branches of a condition");
  const size_t yes = sides[0].first == 1 ? 0 : 1;
  Items result = branch(c, truth(c.b, predicate), side(c, sides[yes].second), side(c, sides[1 - yes].second));
  Value* index = c.b.Cast(predicate, ir::DType::kInt32);
  result.emplace_back(yes == 1 ? index : c.b.Sub(c.b.number_like(1, index), index));
  return result;
}

// How the loop's body refers to its variables: a Switch's second output, or the Merge itself (in the condition).
LoopShape shape_of(const Body& body, const V1Flow& flow, const V1Flow::Loop& loop, size_t exit, const Items& initial) {
  std::map<size_t, size_t> variable;
  std::vector<Endpoint> results;
  for (size_t i = 0; i < loop.variables.size(); ++i) {
    variable[loop.variables[i].merge] = i;
    for (const size_t node : loop.variables[i].switches) variable[node] = i;
    results.push_back(loop.variables[i].next);
  }
  const auto find = [variable](const Endpoint& at) -> std::optional<size_t> {
    const auto found = variable.find(at.node);
    return found == variable.end() ? std::nullopt : std::optional(found->second);
  };
  const auto outside = [&flow, exit](const Endpoint& at) { return !flow.in_loop(at.node, exit); };
  return {{body, loop.condition, find, outside}, {body, {}, find, outside}, std::move(results), first_values(initial)};
}

// Exit(data: T) -> output
Items exit(Call& c) {
  const Body& body = c.scope().body;
  V1Flow& flow = c.evaluator().flow(body);
  const V1Flow::Loop loop = flow.loop(c.index());
  for (size_t i = 0; i < body.effects.size(); ++i) {
    const bool assigns = body.effects[i] && flow.in_loop(i, c.index());
    c.require(!assigns, "its loop assigns variables", "save the model with TensorFlow 2's control flow");
  }
  LoopProgram program;
  for (const V1Flow::LoopVariable& variable : loop.variables) {
    program.initial.push_back(c.evaluator().evaluate(c.scope(), variable.initial));
    if (program.initial.back().is_untranslated()) return {Untranslated{}};
  }
  const LoopShape shape = shape_of(body, flow, loop, c.index(), program.initial);
  std::vector<Endpoint> wanted;
  for (size_t i = 0; i < loop.variables.size(); ++i) {
    const Collecting collected = collects(shape, i, program.initial);
    program.invariant.push_back(shape.is_invariant(i));
    program.collected.push_back(collected);
    wanted.push_back(collected != Collecting::kNo ? shape.collected(i)->element : loop.variables[i].next);
  }
  program.trips = count_rounds(c, shape, c.scope(), program.initial);
  const auto bound = [&](ir::Builder& b, State& state, const Items& variables) {
    Scope scope = inner_scope(c, b, state);
    for (size_t i = 0; i < variables.size(); ++i) {
      scope.results[loop.variables[i].merge] = {variables[i], Untranslated{}};
      for (const size_t node : loop.variables[i].switches) scope.results[node] = {variables[i], variables[i]};
    }
    return scope;
  };
  program.condition = [&](ir::Builder& b, State& state, const Items& variables) {
    Scope scope = bound(b, state, variables);
    return c.tensor_of(c.evaluator().evaluate(scope, loop.condition), "the condition");
  };
  program.step = [&](ir::Builder& b, State& state, const Items& variables) {
    Scope scope = bound(b, state, variables);
    Items results;
    for (size_t i = 0; i < wanted.size(); ++i) {
      results.push_back(program.invariant[i] ? variables[i] : c.evaluator().evaluate(scope, wanted[i]));
    }
    return results;
  };
  const Items results = run_loop(c, program);
  Items own;
  for (size_t i = 0; i < results.size(); ++i) {
    for (const size_t node : loop.variables[i].exits) {
      if (node == c.index()) own = {results[i]};
      c.scope().results[node] = {results[i]};
    }
  }
  c.require(!own.empty(), "it leaves no variable of its loop");
  return own;
}

}  // namespace

void register_control_flow_v1(OpTable& t) {
  t.add("Switch -> output_false, output_true", switch_op);
  t.add("RefSwitch -> output_false, output_true", switch_op);
  t.add("_SwitchN", switch_n);
  for (const char* name : {"Enter", "RefEnter", "NextIteration", "RefNextIteration", "LoopCond"}) t.add(name, pass);
  for (const char* name : {"Merge -> output, value_index", "RefMerge -> output, value_index"}) t.lazy(name, merge);
  for (const char* name : {"Exit", "RefExit"}) t.lazy(name, exit);
}

}  // namespace onward::importer::tf
