// Transposes between channels last and channels first move to where there are fewest and smallest of them:
//
//   a = Transpose<[0,2,3,1]>(Conv(…)); b = Relu(a); c = Conv(Transpose<[0,3,1,2]>(b), …)   →   c = Conv(Relu(Conv(…)),
//   …)
//
// Whole regions of operators that don't care about the order of axes change to channels first at once, with the axes
// and constants in them adapted. Which ones is a minimum cut: every such operator is kept or moved, operators that need
// one form (and the model's inputs and outputs) are fixed, and a value whose producer and users disagree costs a
// transpose of its size. Of equally good places the one nearest to the outputs is taken, so that activations follow the
// convolutions they are fused with.
#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "passes/layout/min_cut.h"
#include "passes/layout/roles.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;
using layout::LayoutRule;
using layout::Network;
using layout::Role;

// What a dim counts for when only run time knows it.
constexpr int64_t kTypicalDim = 32;
// Every transpose has a price, however small the value.
constexpr int64_t kBasePrice = 16;

bool is_transpose(const Node& node, std::vector<int64_t> (*perm)(size_t)) {
  if (!node.is("Transpose") || !layout::can_move(node.input(0))) return false;
  const ir::Attr* given = node.attrs.find("perm");
  return given != nullptr && given->as_ints() == perm(node.input(0)->rank());
}

int64_t price(const Value* value) {
  if (layout::moves_only_ones(value)) return kBasePrice;
  int64_t size = 1;
  for (size_t i = 0; i < value->rank(); ++i) {
    const ir::Dim dim = value->dim(i);
    const int64_t length = dim.is_known() ? std::max<int64_t>(dim.value(), 1) : i == 0 ? 1 : kTypicalDim;
    if (size < (int64_t{1} << 40U)) size *= std::min<int64_t>(length, 1 << 16);
  }
  return 2 * size + kBasePrice;
}

// One graph's choice and rewrite.
class Sinking {
 public:
  Sinking(Graph& graph, const ir::Inference& inference) : graph_(graph), inference_(inference) {}

  bool run() {
    if (!has_transposes()) return false;
    choose();
    bool changed = false;
    for (auto place = graph_.nodes().begin(); place != graph_.nodes().end();) {
      Node& node = *place++;
      if (is_transpose(node, layout::channels_first)) changed |= share(node);
      const LayoutRule* rule = layout::find_rule(node);
      if (rule == nullptr || !should_move(node, *rule)) continue;
      changed |= move(node, *rule);
    }
    return changed;
  }

 private:
  bool has_transposes() const {
    return std::any_of(graph_.nodes().begin(), graph_.nodes().end(), [](const Node& node) {
      return is_transpose(node, layout::channels_first) || is_transpose(node, layout::channels_last);
    });
  }

  Role role_of(const Node& node) const {
    const LayoutRule* rule = layout::find_rule(node);
    return rule == nullptr ? Role::kFixed : rule->role(node);
  }

  // Where a value comes from: moved (the source) when it is transposed to channels last.
  size_t producer_place(const Value* value) const {
    const Node* producer = value->producer();
    if (producer == nullptr || producer->graph() != &graph_) return Network::kSink;
    if (is_transpose(*producer, layout::channels_last)) return Network::kSource;
    const auto found = places_.find(producer);
    return found == places_.end() ? Network::kSink : found->second;
  }

  void choose() {
    for (Node& node : graph_.nodes()) {
      const Role role = role_of(node);
      roles_[&node] = role;
      if (role != Role::kFollows && role != Role::kProduces) continue;
      const size_t place = network_.add_node();
      places_[&node] = place;
      if (layout::find_rule(node)->prefers_kept) network_.add_edge(place, Network::kSink, price(node.input(0)) / 2);
      add_small_inputs(node, place);
    }
    for (const Value& value : graph_.values()) {
      if (!value.is_constant() && layout::can_move(&value)) add_value(value);
    }
    moved_ = network_.source_side();
  }

  // Inputs of lower rank need an operator of their own when the node moves.
  void add_small_inputs(const Node& node, size_t place) {
    for (const Value* input : node.inputs()) {
      const bool small = input != nullptr && !input->is_constant() && input->shape && !input->shape->empty();
      if (small && !layout::can_move(input)) network_.add_edge(place, Network::kSink, kBasePrice);
    }
  }

  void add_value(const Value& value) {
    const size_t from = producer_place(&value);
    std::vector<size_t> users;
    for (const ir::Use& use : value.uses()) {
      size_t place = Network::kSink;
      if (use.node != nullptr && use.graph == &graph_) {
        if (is_transpose(*use.node, layout::channels_first)) {
          place = Network::kSource;
        } else if (roles_.at(use.node) == Role::kAbsorbs || use.node->is("Transpose")) {
          continue;
        } else if (roles_.at(use.node) == Role::kFollows) {
          place = places_.at(use.node);
        }
      }
      if (std::find(users.begin(), users.end(), place) == users.end()) users.push_back(place);
    }
    add_disagreement(from, users, price(&value));
  }

  // One transpose serves all users that want the other form.
  void add_disagreement(size_t from, const std::vector<size_t>& users, int64_t cost) {
    if (users.size() == 1) {
      network_.add_edge(from, users.front(), cost);
      network_.add_edge(users.front(), from, cost);
      return;
    }
    if (users.empty()) return;
    const size_t to_kept = network_.add_node();
    const size_t to_moved = network_.add_node();
    network_.add_edge(from, to_kept, cost);
    network_.add_edge(to_moved, from, cost);
    for (const size_t user : users) {
      network_.add_edge(to_kept, user, Network::kUnbounded);
      network_.add_edge(user, to_moved, Network::kUnbounded);
    }
  }

  bool should_move(const Node& node, const LayoutRule& rule) const {
    if (rule.role(node) == Role::kAbsorbs) {
      const Node* producer = node.input(0)->producer();
      return producer != nullptr && is_transpose(*producer, layout::channels_last);
    }
    const auto place = places_.find(&node);
    return place != places_.end() && moved_[place->second] && rule.role(node) != Role::kFixed;
  }

  // A value is transposed to channels first once.
  bool share(Node& transpose) {
    Value*& known = forms_[transpose.input(0)];
    if (known == nullptr) {
      known = transpose.output();
      return false;
    }
    Graph::replace_uses(transpose.output(), known);
    return true;
  }

  Value* moved_form(Value* value, ir::Builder& b) {
    if (!layout::can_move(value)) return value;
    const Node* producer = value->producer();
    if (producer != nullptr && is_transpose(*producer, layout::channels_last)) return producer->input(0);
    Value*& known = forms_[value];
    if (known == nullptr) known = b.Transpose(value, layout::channels_first(value->rank()));
    return known;
  }

  bool move(Node& node, const LayoutRule& rule) {
    const bool absorbs = rule.role(node) == Role::kAbsorbs;
    Rewrite rewrite(node, inference_);
    ir::Values results;
    try {
      ir::Values inputs;
      for (Value* input : node.inputs()) inputs.push_back(moved_form(input, rewrite.b));
      results = rule.move(node, rewrite.b, inputs);
      if (!absorbs) {
        for (size_t i = 0; i < results.size(); ++i) {
          // TopK's and Dropout's second outputs have the rank of the first.
          results[i] = kept_form(*node.output(i), results[i], rewrite.b);
        }
      }
    } catch (const Error& error) {
      if (error.code() != Code::kInvalidArgument) throw;
      return false;
    }
    rewrite.replace(node, results);
    return true;
  }

  static Value* kept_form(const Value& kept, Value* moved, ir::Builder& b) {
    if (moved->name.empty()) moved->name = kept.name;
    return b.Transpose(moved, layout::channels_last(moved->rank()));
  }

  Graph& graph_;
  const ir::Inference& inference_;
  Network network_;
  std::unordered_map<const Node*, Role> roles_;
  std::unordered_map<const Node*, size_t> places_;
  std::vector<bool> moved_;
  std::unordered_map<const Value*, Value*> forms_;
};

}  // namespace

bool sink_transposes(Graph& graph, const ir::Inference& inference) {
  bool changed = false;
  for (Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](Graph& subgraph) { changed |= sink_transposes(subgraph, inference); });
  }
  if (!Sinking(graph, inference).run()) return changed;
  eliminate_dead_code(graph, inference);
  return true;
}

}  // namespace onward::passes
