#include "import/tensorflow/evaluator.h"

#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/custom.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

// A file of some kilobytes can describe any amount of work by functions that call others twice.
constexpr size_t kMaxSteps = 4'000'000;
constexpr size_t kMaxDepth = 100;

std::shared_ptr<const ir::Origin> origin_of(const Body& body, const tensorflow::Node& node) {
  return std::make_shared<const ir::Origin>(
      ir::Origin{node.op, node.name, body.function.empty() ? "" : "function " + body.function});
}

// Damage and exhausted limits end the import; everything else is a blocker among others.
bool is_blocker(const Error& error) {
  return error.code() == Code::kUnimplemented || error.code() == Code::kInvalidArgument ||
         error.code() == Code::kNotFound;
}

// Whether a node may look at a variable: a change that comes after it must wait for it.
bool looks_at_variables(const tensorflow::Node& node) {
  static constexpr std::string_view kReads[] = {"ReadVariableOp", "ResourceGather", "ResourceGatherNd"};
  const Op* op = find_op(node.op);
  return std::find(std::begin(kReads), std::end(kReads), node.op) != std::end(kReads) ||
         (op != nullptr && op->structural);
}

// Shapes that the file notes for each output fill in what is not known.
void note_shapes(const tensorflow::Node& node, Items& results) {
  const auto found = node.attrs.find("_output_shapes");
  if (found == node.attrs.end()) return;
  const auto* list = found->second.get_if<tensorflow::AttrValue::List>();
  for (size_t i = 0; list != nullptr && i < std::min(results.size(), list->shapes.size()); ++i) {
    ir::Value* value = results[i].tensor();
    if (value != nullptr && !value->shape && value->producer() != nullptr) value->shape = to_shape(list->shapes[i]);
  }
}

}  // namespace

const Items* Scope::find(size_t node) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->outer) {
    const auto found = scope->results.find(node);
    if (found != scope->results.end()) return &found->second;
  }
  return nullptr;
}

Item Evaluator::evaluate(Scope& scope, const Endpoint& wanted) {
  settle(scope, wanted.node);
  return result(scope, wanted);
}

void Evaluator::run(Scope& scope, size_t node) { settle(scope, node); }

Item Evaluator::result(const Scope& scope, const Endpoint& wanted) {
  const Items* items = scope.find(wanted.node);
  if (items == nullptr || (items->size() == 1 && items->front().is_untranslated())) return Untranslated{};
  if (wanted.output < items->size()) return (*items)[wanted.output];
  const tensorflow::Node* def = scope.body.nodes[wanted.node].def;
  const Op* op = def != nullptr ? find_op(def->op) : nullptr;
  if (op != nullptr && op->ignored) {
    if (wanted_ignored_.insert(def).second) {
      blockers_.add(*origin_of(scope.body, *def),
                    Error(Code::kUnimplemented, "what this operator makes is used, which is not supported",
                          "rewrite that part of the model with other operators, or leave it out with --outputs"));
    }
    return Untranslated{};
  }
  fail_data("node \"" + (def != nullptr ? def->name : "argument") + "\" has no output " +
            std::to_string(wanted.output));
}

V1Flow& Evaluator::flow(const Body& body) {
  std::unique_ptr<V1Flow>& flow = flows_[&body];
  if (flow == nullptr) flow = std::make_unique<V1Flow>(body);
  return *flow;
}

// What must be translated before a node: its inputs (of an operator that evaluates them itself: what lies outside the
// branches or the loop it stands for), and what changes variables before it.
size_t Evaluator::dependency_count(const Body& body, size_t node) {
  const BodyNode& at = body.nodes[node];
  const Op* op = at.def != nullptr ? find_op(at.def->op) : nullptr;
  if (op != nullptr && op->lazy) {
    try {
      return flow(body).prerequisites(node).size();
    } catch (const Error&) {
      return 0;  // its translation fails for the same reason, and says where
    }
  }
  const bool ignored = op != nullptr && op->ignored;
  return (ignored ? 0 : at.inputs.size()) + at.controls.size();
}

std::optional<size_t> Evaluator::dependency(const Body& body, size_t node, size_t index) {
  const BodyNode& at = body.nodes[node];
  const Op* op = at.def != nullptr ? find_op(at.def->op) : nullptr;
  if (op != nullptr && op->lazy) return flow(body).prerequisites(node)[index];
  const size_t inputs = op != nullptr && op->ignored ? 0 : at.inputs.size();
  if (index < inputs) return at.inputs[index].node;
  const size_t control = at.controls[index - inputs];
  const tensorflow::Node* before = body.nodes[control].def;
  const bool matters =
      !body.effects.empty() &&
      (body.effects[control] || (body.effects[node] && before != nullptr && looks_at_variables(*before)));
  return matters ? std::optional(control) : std::nullopt;
}

// Depth first, without recursion: graphs may be as deep as they are large.
void Evaluator::settle(Scope& scope, size_t root) {
  struct Visit {
    size_t node;
    size_t next = 0;
  };
  std::vector<Visit> stack{{root}};
  std::unordered_map<size_t, bool> open;
  while (!stack.empty()) {
    Visit& visit = stack.back();
    if (visit.next == 0 && scope.find(visit.node) != nullptr) {
      stack.pop_back();
      continue;
    }
    std::optional<size_t> wanted;
    const size_t dependencies = dependency_count(scope.body, visit.node);
    while (!wanted && visit.next < dependencies) wanted = dependency(scope.body, visit.node, visit.next++);
    if (wanted) {
      open[visit.node] = true;
      if (scope.find(*wanted) != nullptr) continue;
      if (open[*wanted]) {
        const tensorflow::Node* def = scope.body.nodes[*wanted].def;
        fail_data("the graph has a cycle through node \"" + (def != nullptr ? def->name : std::string()) + "\"");
      }
      stack.push_back({*wanted});
      continue;
    }
    const size_t done = visit.node;
    scope.results[done] = translate(scope, done);
    open[done] = false;
    stack.pop_back();
  }
}

Items Evaluator::translate(Scope& scope, size_t index) {
  const BodyNode& node = scope.body.nodes[index];
  if (node.def == nullptr) {
    if (index >= scope.arguments.size()) fail_data("function \"" + scope.body.function + "\" gets too few arguments");
    return {scope.arguments[index]};
  }
  if (++steps_ > kMaxSteps) {
    throw Error(Code::kResourceExhausted, "the graph's functions unfold into too many operators");
  }
  const Op* op = find_op(node.def->op);
  if (op != nullptr && op->ignored) return {};
  Items inputs;
  bool hidden = false;
  if (op == nullptr || !op->lazy) {
    for (const Endpoint& input : node.inputs) {
      inputs.push_back(result(scope, input));
      hidden = hidden || inputs.back().is_untranslated();
    }
  }
  const auto previous = scope.b.origin();
  scope.b.set_origin(origin_of(scope.body, *node.def));
  try {
    if (op == nullptr) {
      fail_unsupported("this operator is not supported",
                       "rewrite that part of the model with other operators, or leave it out with --outputs");
    }
    Items results{Untranslated{}};
    if (!hidden || op->structural) {
      Call call(*this, scope, index, std::move(inputs));
      results = call.run(*op);
      note_shapes(*node.def, results);
    }
    scope.b.set_origin(previous);
    return results;
  } catch (const Error& error) {
    if (!is_blocker(error)) throw error.within("node \"" + node.def->name + "\" (" + node.def->op + ")");
    blockers_.add(*scope.b.origin(), error);
  }
  scope.b.set_origin(previous);
  return {Untranslated{}};
}

Items Evaluator::call(const std::string& function, Items arguments, ir::Builder& b, State& state, size_t depth) {
  if (depth > kMaxDepth) fail_data("functions call each other too deeply");
  const Body& body = program_.function(function);
  if (arguments.size() < body.arguments) fail_data("function \"" + function + "\" gets too few arguments");
  Scope scope{body, std::move(arguments), b, state, depth};
  Items results;
  for (const Endpoint& wanted : body.returns) results.push_back(evaluate(scope, wanted));
  for (const size_t node : body.control_returns) {
    if (!body.effects.empty() && body.effects[node]) run(scope, node);
  }
  return results;
}

ir::Value* Evaluator::load(const Stored& stored) {
  std::string key = stored.key;
  for (size_t i = 0; i < stored.start.size(); ++i) {
    key += (i == 0 ? "/" : ",") + std::to_string(stored.start[i]) + "+" + std::to_string(stored.length[i]);
  }
  ir::Value*& value = loaded_[key];
  if (value == nullptr) {
    if (bundle_ == nullptr) fail_data("the file has no checkpoint for \"" + stored.key + "\"");
    Array array = bundle_->read(stored.key);
    if (!stored.start.empty()) array = tensorflow::cut(array, stored.start, stored.length);
    std::string name = stored.key;
    constexpr std::string_view kSuffix = "/.ATTRIBUTES/VARIABLE_VALUE";
    if (name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
    value = weight(to_tensor(array, "\"" + stored.key + "\""), name);
  }
  return value;
}

ir::Value* Evaluator::weight(ir::Tensor tensor, std::string name) {
  return root_.constant(std::move(tensor), std::move(name));
}

}  // namespace onward::importer::tf
