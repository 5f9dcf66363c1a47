#include "passes/opset/lower.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "ir/verify.h"
#include "passes/opset/rules.h"
#include "passes/passes.h"

namespace onward::passes {
namespace {

using opset::Lowering;

class Lowerer {
 public:
  Lowerer(const ir::Inference& inference, int opset) : inference_(inference), opset_(opset) {
    opset::Table all;
    opset::add_activations(all);
    opset::add_bitwise(all);
    opset::add_normalizations(all);
    opset::add_forms(all);
    opset::add_resizing(all);
    opset::add_indexing(all);
    opset::add_signals(all);
    opset::add_small_numbers(all);
    opset::add_strings(all);
    for (const Lowering& lowering : all) {
      if (opset >= lowering.least && opset <= lowering.most) table_[lowering.op_type].push_back(lowering);
    }
  }

  // What a lowering builds may itself need one.
  void run(ir::Graph& graph) {
    if (try_on(graph)) return;
    std::string text = fmt::format("opset {} cannot express this model:", opset_);
    for (const std::string& blocker : blocked_) text += "\n  " + blocker;
    throw Error(Code::kUnimplemented, text, fmt::format("choose a newer opset: --opset {}", enough_));
  }

  bool try_on(ir::Graph& graph) {
    if (table_.empty()) return true;
    bool changed = true;
    while (changed) {
      blocked_.clear();
      changed = sweep(graph);
    }
    return blocked_.empty();
  }
  // The opset that needs none of the lowerings that failed.
  int enough() const { return enough_; }

 private:
  bool sweep(ir::Graph& graph) {
    bool changed = false;
    for (auto place = graph.nodes().begin(); place != graph.nodes().end();) {
      ir::Node& node = *place++;
      ir::for_each_subgraph(node, [&](ir::Graph& subgraph) { changed |= sweep(subgraph); });
      if (!node.domain.empty()) continue;
      const auto found = table_.find(node.op_type);
      if (found != table_.end()) changed |= lower(node, found->second);
    }
    return changed;
  }

  bool lower(ir::Node& node, const std::vector<Lowering>& lowerings) {
    for (const Lowering& lowering : lowerings) {
      if (lowering.needed != nullptr && !lowering.needed(node)) continue;
      Rewrite rewrite(node, inference_);
      const Outcome outcome = lowering.apply(node, rewrite);
      if (!outcome) {
        blocked_.push_back(ir::node_text(node) + ": " + outcome.reason());
        enough_ = std::max(enough_, lowering.most + 1);
        continue;
      }
      erase_if_dead(&node);
      return true;
    }
    return false;
  }

  const ir::Inference& inference_;
  int opset_;
  std::unordered_map<std::string_view, std::vector<Lowering>> table_;
  std::vector<std::string> blocked_;
  int enough_ = 0;
};

void tidy(ir::Graph& graph, const ir::Inference& canonical) {
  // The lowerings bring their own numbers.
  merge_duplicates(graph, canonical);
  graph.drop_unused_constants();
}

}  // namespace

void lower_opset(ir::Graph& graph, const ir::Inference& canonical, int opset) {
  Lowerer(canonical, opset).run(graph);
  tidy(graph, canonical);
}

// What has been lowered already is as good in a later opset, whose own changes come on top.
int lower_to_least_opset(ir::Graph& graph, const ir::Inference& canonical, int opset) {
  Lowerer first(canonical, opset);
  if (!first.try_on(graph)) {
    opset = first.enough();
    Lowerer(canonical, opset).run(graph);
  }
  tidy(graph, canonical);
  return opset;
}

}  // namespace onward::passes
