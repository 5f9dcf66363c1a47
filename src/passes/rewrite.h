// The frame that passes are written in: rules that match at one node and put something better in its place.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "ir/builder.h"
#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::passes {

// What a rule did: something, or nothing and why not.
class Outcome {
 public:
  static Outcome done() { return Outcome(nullptr); }
  static Outcome no(const char* reason) { return Outcome(reason); }
  explicit operator bool() const { return reason_ == nullptr; }
  const char* reason() const { return reason_; }

 private:
  explicit Outcome(const char* reason) : reason_(reason) {}
  const char* reason_;
};

// One application of a rule at `node`.
class Rewrite {
 public:
  Rewrite(ir::Node& node, const ir::Inference& inference) : b(*node.graph(), inference, &node) {
    b.set_origin(node.origin);
  }

  // New nodes go before the matched one, with its origin.
  ir::Builder b;
  // Everything that used `from` uses `to`, which takes over what was known of its shape, and its name where it has
  // none. The matched node, and what only it used, is erased after the rule has returned if nothing uses it any more.
  void replace(ir::Value* from, ir::Value* to);
  // The same for all outputs of a node.
  void replace(const ir::Node& node, const ir::Values& to);
  // For a rule that changes the node in place: infers its outputs anew.
  void infer(ir::Node& node) const { b.inference().infer(node); }
};

struct Rule {
  std::string_view op_type;  // in ONNX's own domain; "*": any node of it
  // Matches at `node`, the last one of its pattern: it may only touch what comes before it.
  Outcome (*apply)(ir::Node& node, Rewrite& rewrite);
};

// Walks the graph and its subgraphs once, in order, trying every rule that fits at every node; true when any applied.
bool apply_rules(ir::Graph& graph, const ir::Inference& inference, std::span<const Rule> rules);

// Erases the node when nothing uses its outputs, then those it used likewise.
void erase_if_dead(ir::Node* node);

// Takes from `from` what is known of its type and shape and `to` doesn't know.
void refine(ir::Value& to, const ir::Value& from);

// --- helpers for matching ---

// The node that computes `value`, when it is of ONNX's `op_type`; null otherwise.
ir::Node* produced_by(const ir::Value* value, std::string_view op_type);
// Whether only one input of one node (and no graph output) uses the value.
bool has_single_use(const ir::Value* value);
// The content of a constant input, or null.
const ir::Tensor* constant_of(const ir::Value* value);
// The one floating-point number of a constant input, or nothing.
std::optional<double> constant_number(const ir::Value* value);
// The integers of a constant input, or nothing.
std::optional<std::vector<int64_t>> constant_ints(const ir::Value* value);
// Whether it is a constant whose every element is `number`.
bool is_constant_of(const ir::Value* value, double number);
// The same for a value that is such a constant, expanded or otherwise given another shape.
bool is_filled_with(const ir::Value* value, double number);
// Whether both surely have the same shape.
bool same_shape(const ir::Value* a, const ir::Value* b);
// Whether shapes of equally many elements are the same: one dim may be unknown where no other is 0.
bool same_shape_by_count(const ir::Shape& a, const ir::Shape& b);

}  // namespace onward::passes
