// If, Case and While with functions for branches and bodies.
#include <algorithm>

#include "import/tensorflow/control/branch.h"
#include "import/tensorflow/control/loop.h"
#include "import/tensorflow/control/rounds.h"
#include "import/tensorflow/list.h"
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

BranchBody function_body(Call& c, const std::string& function, const Items& arguments) {
  return [&c, function, arguments](ir::Builder& b, State& state) {
    return c.evaluator().call(function, arguments, b, state, c.scope().depth + 1);
  };
}

Items tail(const Call& c, size_t first) { return {c.items().begin() + static_cast<ptrdiff_t>(first), c.items().end()}; }

// If(cond: Tcond, input: Tin, then_branch: func, else_branch: func) -> output: Tout
Items if_op(Call& c) {
  const Items arguments = tail(c, 1);
  return branch(c, truth(c.b, c.input(0)), function_body(c, c.function("then_branch"), arguments),
                function_body(c, c.function("else_branch"), arguments));
}

// Branch `index` of those from `first` on: If(index == first, that one, the others); the last one stands for all other
// indices.
Items choose(Call& c, ir::Builder& b, State& state, Value* index, const std::vector<std::string>& branches,
             size_t first, const Items& arguments) {
  if (first + 1 == branches.size()) {
    return c.evaluator().call(branches[first], arguments, b, state, c.scope().depth + 1);
  }
  Scope scope{c.scope().body, {}, b, state, c.scope().depth + 1};
  Call inner(c.evaluator(), scope, c.index(), c.items());
  Value* here = b.Equal(index, b.number_like(static_cast<double>(first), index));
  return branch(inner, here, function_body(inner, branches[first], arguments), [&](ir::Builder& deeper, State& own) {
    return choose(inner, deeper, own, index, branches, first + 1, arguments);
  });
}

// Case(branch_index: int32, input: Tin, branches: list(func)) -> output: Tout
Items case_op(Call& c) {
  const std::vector<std::string> branches = c.functions("branches");
  c.require(!branches.empty(), "it has no branches");
  const Items arguments = tail(c, 1);
  if (const auto known = c.known_ints(0); known && known->size() == 1) {
    const auto last = static_cast<int64_t>(branches.size()) - 1;
    const int64_t index = (*known)[0] < 0 || (*known)[0] > last ? last : (*known)[0];
    return c.evaluator().call(branches[static_cast<size_t>(index)], arguments, c.b, c.state(), c.scope().depth + 1);
  }
  return choose(c, c.b, c.state(), c.input(0), branches, 0, arguments);
}

// --- loops
// -------------------------------------------------------------------------------------------------------------

// How a function refers to its arguments.
LoopPart part_of(const Body& body) {
  const auto argument = [&body](const Endpoint& at) {
    return at.node < body.arguments ? std::optional(at.node) : std::nullopt;
  };
  return {body, body.returns.front(), argument, [](const Endpoint&) { return false; }};
}

std::vector<const Resource*> assigned_variables(Call& c, const Body& body) {
  std::vector<const Resource*> variables;
  if (body.effects.empty()) return variables;
  for (const Item& item : c.items()) {
    const Resource* resource = item.resource();
    if (resource != nullptr && c.state().variables.contains(resource)) variables.push_back(resource);
  }
  std::sort(variables.begin(), variables.end());
  variables.erase(std::unique(variables.begin(), variables.end()), variables.end());
  return variables;
}

// While(input: T, cond: func, body: func) -> output: T
Items while_op(Call& c) {
  const Body& condition = c.evaluator().program().function(c.function("cond"));
  const Body& body = c.evaluator().program().function(c.function("body"));
  const size_t count = c.input_count();
  c.require(body.returns.size() == count && body.arguments == count && condition.arguments == count,
            "its body does not return what it gets");
  const size_t depth = c.scope().depth + 1;
  c.require(condition.returns.size() == 1 && count > 0, "its condition returns no single value");
  const Items& initial = c.items();
  const LoopShape shape(part_of(condition), part_of(body), body.returns, first_values(initial));
  LoopProgram program;
  program.initial = c.items();
  std::vector<Endpoint> wanted;
  for (size_t i = 0; i < count; ++i) {
    const Collecting collected = collects(shape, i, program.initial);
    program.invariant.push_back(shape.is_invariant(i));
    program.collected.push_back(collected);
    wanted.push_back(collected != Collecting::kNo ? shape.collected(i)->element : body.returns[i]);
  }
  program.assigned = assigned_variables(c, body);
  Scope before{condition, program.initial, c.b, c.state(), depth};
  program.trips = count_rounds(c, shape, before, program.initial);
  program.condition = [&](ir::Builder& b, State& state, const Items& variables) {
    const Items results = c.evaluator().call(condition.function, variables, b, state, depth);
    c.require(results.size() == 1, "its condition returns no single value");
    return c.tensor_of(results[0], "the condition");
  };
  program.step = [&](ir::Builder& b, State& state, const Items& variables) {
    Scope scope{body, variables, b, state, depth};
    Items results;
    for (size_t i = 0; i < count; ++i) {
      results.push_back(program.invariant[i] ? variables[i] : c.evaluator().evaluate(scope, wanted[i]));
    }
    for (const size_t node : body.control_returns) {
      if (!body.effects.empty() && body.effects[node]) c.evaluator().run(scope, node);
    }
    return results;
  };
  return run_loop(c, program);
}

}  // namespace

void register_control_flow(OpTable& t) {
  for (const char* name : {"If", "StatelessIf"}) t.add(name, if_op);
  for (const char* name : {"Case", "StatelessCase"}) t.add(name, case_op);
  for (const char* name : {"While", "StatelessWhile"}) t.add(name, while_op);
}

}  // namespace onward::importer::tf
