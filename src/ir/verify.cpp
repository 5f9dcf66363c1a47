#include "ir/verify.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"

namespace onward::ir {
namespace {

bool is_untranslated(const Node& node) {
  return node.domain == "tf" || node.domain == "keras" || node.domain == "torch";
}

class Verifier {
 public:
  explicit Verifier(const NodeRules* rules) : rules_(rules) {}

  void check(const Graph& graph) {
    check_names(graph);
    for (const Value* input : graph.inputs()) defined_.insert(input);
    for (const Value& value : graph.values()) {
      if (value.is_constant()) defined_.insert(&value);
    }
    for (const Node& node : graph.nodes()) {
      check_node(node, graph);
      for_each_subgraph(node, [&](const Graph& subgraph) { check(subgraph); });
      for (const Value* output : node.outputs()) defined_.insert(output);
    }
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      if (!defined_.contains(graph.outputs()[i])) report("output " + std::to_string(i) + " is computed by no node");
      expect_use(*graph.outputs()[i], {nullptr, const_cast<Graph*>(&graph), i});
    }
    check_uses(graph);
  }

  size_t untranslated() const { return untranslated_; }
  std::vector<std::string>& found() { return found_; }

 private:
  void report(std::string text) { found_.push_back(std::move(text)); }

  void check_names(const Graph& graph) {
    std::set<std::string> names;
    for (const Value* input : graph.inputs()) {
      if (!input->name.empty() && !names.insert(input->name).second) report("two inputs named \"" + input->name + "\"");
    }
    names.clear();
    for (const std::string& name : graph.output_names()) {
      if (!name.empty() && !names.insert(name).second) report("two outputs named \"" + name + "\"");
    }
  }

  void check_node(const Node& node, const Graph& graph) {
    if (node.graph() != &graph) report(node_text(node) + " belongs to another graph");
    if (is_untranslated(node)) {
      ++untranslated_;
      report(node_text(node) + " could not be translated");
    }
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* input = node.inputs()[i];
      if (input == nullptr) continue;
      if (!defined_.contains(input)) report(node_text(node) + " comes before its input " + std::to_string(i));
      expect_use(*input, {const_cast<Node*>(&node), const_cast<Graph*>(&graph), i});
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      const Value& output = *node.outputs()[i];
      if (output.producer() != &node || output.index() != i) report(node_text(node) + " does not own its output");
    }
    if (rules_ == nullptr || is_untranslated(node)) return;
    if (std::optional<std::string> problem = rules_->problem(node)) report(node_text(node) + ": " + *problem);
  }

  void expect_use(const Value& value, const Use& use) {
    ++expected_[&value];
    const auto& uses = value.uses();
    if (expected_[&value] > uses.size() ||
        (uses.size() < 64 && std::find(uses.begin(), uses.end(), use) == uses.end())) {
      report("a use of \"" + value.name + "\" is not recorded");
    }
  }

  // Called when every use from this graph and those inside it has been seen.
  void check_uses(const Graph& graph) {
    for (const Value& value : graph.values()) {
      const auto seen = expected_.find(&value);
      if (value.uses().size() != (seen == expected_.end() ? 0 : seen->second)) {
        report("\"" + value.name + "\" records uses that do not exist");
      }
    }
  }

  const NodeRules* rules_;
  std::vector<std::string> found_;
  size_t untranslated_ = 0;
  std::unordered_set<const Value*> defined_;
  std::unordered_map<const Value*, size_t> expected_;
};

}  // namespace

std::vector<std::string> problems(const Graph& graph, const NodeRules* rules) {
  Verifier verifier(rules);
  verifier.check(graph);
  return std::move(verifier.found());
}

void verify(const Graph& graph, const NodeRules* rules) {
  Verifier verifier(rules);
  verifier.check(graph);
  const std::vector<std::string>& found = verifier.found();
  if (found.empty()) return;
  std::string text = found.size() == 1 ? "" : std::to_string(found.size()) + " problems:";
  for (const std::string& problem : found) text += (found.size() == 1 ? "" : "\n  ") + problem;
  const bool foreign_only = verifier.untranslated() == found.size();
  throw Error(foreign_only ? Code::kUnimplemented : Code::kInternal, std::move(text));
}

std::string node_text(const Node& node) {
  std::string text = node.name.empty() ? "a node" : "node \"" + node.name + "\"";
  text += " (" + (node.domain.empty() ? "" : node.domain + ".") + node.op_type;
  if (node.origin) {
    if (!node.origin->op.empty()) text += " of " + node.origin->op;
    if (!node.origin->path.empty()) text += " in " + node.origin->path;
    if (!node.origin->source.empty()) text += ", " + node.origin->source;
  }
  return text + ")";
}

}  // namespace onward::ir
