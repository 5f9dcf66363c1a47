#include "import/tensorflow/control/v1_flow.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "import/tensorflow/control/body_shape.h"

namespace onward::importer::tf {
namespace {

bool one_of(std::string_view op, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}
bool is_merge(std::string_view op) { return one_of(op, {"Merge", "RefMerge"}); }
bool is_enter(std::string_view op) { return one_of(op, {"Enter", "RefEnter"}); }
bool is_exit(std::string_view op) { return one_of(op, {"Exit", "RefExit"}); }
bool is_next(std::string_view op) { return one_of(op, {"NextIteration", "RefNextIteration"}); }

size_t outputs_of_switch(const tensorflow::Node& node) {
  const auto found = node.attrs.find("num_outs");
  const auto* count = found == node.attrs.end() ? nullptr : found->second.get_if<int64_t>();
  return count == nullptr ? 2 : static_cast<size_t>(std::clamp<int64_t>(*count, 1, 10'000));
}

}  // namespace

std::string_view V1Flow::op(size_t node) const {
  const tensorflow::Node* def = body_.nodes[node].def;
  return def != nullptr ? std::string_view(def->op) : std::string_view();
}

// A Switch that chooses a branch; those of loops are told by LoopCond.
bool V1Flow::is_switch(size_t node) const {
  if (!one_of(op(node), {"Switch", "RefSwitch", "_SwitchN"}) || body_.nodes[node].inputs.size() != 2) return false;
  return op(behind_identities(body_, body_.nodes[node].inputs[1]).node) != "LoopCond";
}

bool V1Flow::is_loop_merge(size_t node) const {
  const std::vector<Endpoint>& inputs = body_.nodes[node].inputs;
  return is_merge(op(node)) &&
         std::any_of(inputs.begin(), inputs.end(), [&](const Endpoint& input) { return is_next(op(input.node)); });
}

V1Flow::V1Flow(const Body& body)
    : body_(body), contexts_(1), frames_(1), context_(body.nodes.size(), 0), frame_(body.nodes.size(), 0) {
  for (const size_t node : topological_order()) place(node);
}

// Without the edges back from the end of a round to its start.
std::vector<size_t> V1Flow::topological_order() const {
  std::vector<std::vector<size_t>> consumers(body_.nodes.size());
  std::vector<size_t> waiting(body_.nodes.size(), 0);
  for (size_t i = 0; i < body_.nodes.size(); ++i) {
    const auto depend = [&](size_t on) {
      if (is_next(op(on)) && is_merge(op(i))) return;
      consumers[on].push_back(i);
      ++waiting[i];
    };
    for (const Endpoint& input : body_.nodes[i].inputs) depend(input.node);
    for (const size_t control : body_.nodes[i].controls) depend(control);
  }
  std::vector<size_t> order;
  for (size_t i = 0; i < waiting.size(); ++i) {
    if (waiting[i] == 0) order.push_back(i);
  }
  for (size_t at = 0; at < order.size(); ++at) {
    for (const size_t consumer : consumers[order[at]]) {
      if (--waiting[consumer] == 0) order.push_back(consumer);
    }
  }
  return order;
}

size_t V1Flow::context_of(const Endpoint& at) {
  const size_t base = context_[at.node];
  if (!is_switch(at.node)) return base;
  const Endpoint predicate = behind_identities(body_, body_.nodes[at.node].inputs[1]);
  const auto [entry, added] =
      context_index_.try_emplace({base, predicate.node, predicate.output, at.output}, contexts_.size());
  if (added) {
    const size_t branches = outputs_of_switch(*body_.nodes[at.node].def);
    contexts_.push_back({base, predicate, at.output, contexts_[base].depth + 1, branches});
  }
  return entry->second;
}

size_t V1Flow::common(size_t a, size_t b) const {
  while (a != b) {
    size_t& deeper = contexts_[a].depth >= contexts_[b].depth ? a : b;
    deeper = contexts_[deeper].parent == kNone ? 0 : contexts_[deeper].parent;
    if (a == 0 || b == 0) return 0;
  }
  return a;
}

size_t V1Flow::deeper_context(size_t a, size_t b) const { return contexts_[a].depth >= contexts_[b].depth ? a : b; }
size_t V1Flow::deeper_frame(size_t a, size_t b) const { return frames_[a].depth >= frames_[b].depth ? a : b; }

void V1Flow::place(size_t index) {
  const BodyNode& node = body_.nodes[index];
  for (const Endpoint& input : node.inputs) {
    if (is_next(op(input.node)) && is_merge(op(index))) continue;
    frame_[index] = deeper_frame(frame_[index], frame_[input.node]);
  }
  for (const size_t control : node.controls) frame_[index] = deeper_frame(frame_[index], frame_[control]);
  if (is_merge(op(index)) && !is_loop_merge(index)) return place_merge(index);
  for (const Endpoint& input : node.inputs) {
    if (is_next(op(input.node)) && is_merge(op(index))) continue;
    context_[index] = deeper_context(context_[index], context_of(input));
  }
  for (const size_t control : node.controls) context_[index] = deeper_context(context_[index], context_[control]);
  if (is_exit(op(index)) && frames_[frame_[index]].parent != kNone) {
    frame_[index] = frames_[frame_[index]].parent;
  } else if (is_enter(op(index))) {
    const auto found = node.def->attrs.find("frame_name");
    const auto* name = found == node.def->attrs.end() ? nullptr : found->second.get_if<std::string>();
    const size_t parent = frame_[index];
    const auto [entry, added] =
        frame_index_.try_emplace({parent, name != nullptr ? *name : std::string()}, frames_.size());
    if (added) frames_.push_back({parent, entry->first.second, frames_[parent].depth + 1});
    frame_[index] = entry->second;
  }
}

void V1Flow::place_merge(size_t index) {
  const std::vector<Endpoint>& inputs = body_.nodes[index].inputs;
  if (inputs.empty()) return;
  size_t context = context_of(inputs[0]);
  for (const Endpoint& input : inputs) context = common(context, context_of(input));
  context_[index] = context;
}

V1Flow::Choice V1Flow::choice(size_t merge) const {
  Choice choice;
  const size_t base = context_[merge];
  for (const Endpoint& input : body_.nodes[merge].inputs) {
    // The step from what is around the Merge into the branch.
    size_t at = context_[input.node];
    if (is_switch(input.node)) {
      const Endpoint predicate = behind_identities(body_, body_.nodes[input.node].inputs[1]);
      const auto found = context_index_.find({at, predicate.node, predicate.output, input.output});
      if (found != context_index_.end()) at = found->second;
    }
    while (at != 0 && contexts_[at].parent != base) at = contexts_[at].parent == kNone ? 0 : contexts_[at].parent;
    const ContextEntry& entry = contexts_[at];
    const bool first = choice.inputs.empty();
    if (at == 0 || (!first && (entry.predicate.node != choice.predicate.node ||
                               entry.predicate.output != choice.predicate.output))) {
      fail_unsupported("it joins branches that no common condition chooses between");
    }
    choice.predicate = entry.predicate;
    choice.branches = entry.branches;
    choice.inputs.push_back(entry.branch);
  }
  return choice;
}

size_t V1Flow::frame_of_exit(size_t exit) const {
  return body_.nodes[exit].inputs.empty() ? 0 : frame_[body_.nodes[exit].inputs[0].node];
}

bool V1Flow::in_frame(size_t node, size_t frame) const {
  size_t at = frame_[node];
  while (frames_[at].depth > frames_[frame].depth) at = frames_[at].parent;
  return at == frame;
}

bool V1Flow::in_loop(size_t node, size_t exit) const { return in_frame(node, frame_of_exit(exit)); }

bool V1Flow::in_context(size_t node, size_t context) const {
  size_t at = context_[node];
  if (contexts_[at].depth <= contexts_[context].depth) return false;
  while (contexts_[at].depth > contexts_[context].depth) at = contexts_[at].parent;
  return at == context;
}

V1Flow::Loop V1Flow::loop(size_t exit) const {
  const size_t frame = frame_of_exit(exit);
  if (frame == 0) fail_unsupported("it leaves no loop");
  Loop loop;
  bool conditional = false;
  std::map<size_t, size_t> variable_of;  // by Merge
  for (size_t i = 0; i < body_.nodes.size(); ++i) {
    if (frame_[i] != frame) continue;
    if (op(i) == "LoopCond" && !body_.nodes[i].inputs.empty()) {
      loop.condition = body_.nodes[i].inputs[0];
      conditional = true;
    }
    if (!is_loop_merge(i)) continue;
    const std::vector<Endpoint>& inputs = body_.nodes[i].inputs;
    LoopVariable variable;
    variable.merge = i;
    for (const Endpoint& input : inputs) {
      if (body_.nodes[input.node].inputs.empty()) continue;
      (is_next(op(input.node)) ? variable.next : variable.initial) = body_.nodes[input.node].inputs[0];
    }
    if (inputs.size() != 2 || is_next(op(inputs[0].node)) == is_next(op(inputs[1].node))) {
      fail_unsupported("its loop's variables are malformed");
    }
    variable_of[i] = loop.variables.size();
    loop.variables.push_back(variable);
  }
  if (!conditional) fail_unsupported("its loop has no condition");
  for (size_t i = 0; i < body_.nodes.size(); ++i) {
    const std::vector<Endpoint>& inputs = body_.nodes[i].inputs;
    if (inputs.empty()) continue;
    if (one_of(op(i), {"Switch", "RefSwitch"}) && variable_of.contains(inputs[0].node)) {
      loop.variables[variable_of[inputs[0].node]].switches.push_back(i);
    } else if (is_exit(op(i)) && !body_.nodes[inputs[0].node].inputs.empty()) {
      const auto found = variable_of.find(body_.nodes[inputs[0].node].inputs[0].node);
      if (found != variable_of.end()) loop.variables[found->second].exits.push_back(i);
    }
  }
  return loop;
}

const std::vector<size_t>& V1Flow::prerequisites(size_t node) {
  const auto [entry, added] = prerequisites_.try_emplace(node);
  if (!added) return entry->second;
  const bool leaves_loop = is_exit(op(node));
  const size_t frame = leaves_loop ? frame_of_exit(node) : 0;
  const size_t context = context_[node];
  const auto inside = [&](size_t at) { return leaves_loop ? in_frame(at, frame) : in_context(at, context); };
  std::set<size_t> seen;
  std::vector<size_t> open;
  for (const Endpoint& input : body_.nodes[node].inputs) open.push_back(input.node);
  if (!leaves_loop) {
    open.push_back(choice(node).predicate.node);
  } else {
    for (const LoopVariable& variable : loop(node).variables) open.push_back(variable.merge);
  }
  while (!open.empty()) {
    const size_t at = open.back();
    open.pop_back();
    if (!seen.insert(at).second) continue;
    if (!inside(at)) {
      if (at != node) entry->second.push_back(at);
      continue;
    }
    for (const Endpoint& input : body_.nodes[at].inputs) open.push_back(input.node);
  }
  return entry->second;
}

}  // namespace onward::importer::tf
