// The graph every importer builds and every pass rewrites. Free of protobuf; the vocabulary is ONNX's (canonical opset
// 18, plus newer operators that src/passes/opset lowers when the target is older).
//
// Ownership: a Graph owns its nodes and values; pointers to them stay valid until they are erased. Subgraphs (If, Loop,
// Scan) are attributes of a node, and their nodes use values of the enclosing graphs directly. Not thread safe.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/attr.h"
#include "ir/dtype.h"
#include "ir/shape.h"
#include "ir/tensor.h"

namespace onward::ir {

class Graph;
class Node;
class Value;

// Where a node comes from, so that a late error can name what the user wrote.
struct Origin {
  std::string op;      // the source framework's operator or layer class: "aten.conv2d", "Conv2D"
  std::string path;    // layer, module or node path: "encoder.block1.conv"
  std::string source;  // the user's own line where the file has it: "model.py:31 in forward: x = self.conv(x)"
};

// One consumer of a value: input `index` of `node`, or output `index` of `graph` when `node` is null.
struct Use {
  Node* node;
  Graph* graph;
  size_t index;
  bool operator==(const Use&) const = default;
};

enum class Kind { kTensor, kSequence, kOptional };

class Value {
 public:
  std::string name;  // may be empty until export, but for graph inputs
  Kind kind = Kind::kTensor;
  DType dtype = DType::kUndefined;  // of the elements; kUndefined when not known
  std::optional<Shape> shape;       // nothing when not even the rank is known
  // What is known of the content of a rank 0 or 1 integer tensor before run time (a computed shape), one Dim an
  // element.
  std::optional<Shape> content;
  // Complex numbers, which ONNX's operators don't take: a float or double tensor whose last dimension of 2 holds the
  // real and the imaginary part (src/import/common/complex.h). Only importers look at this.
  bool complex = false;

  Node* producer() const { return producer_; }  // null for inputs and constants
  size_t index() const { return index_; }       // which output of the producer
  Graph* graph() const { return graph_; }
  const std::vector<Use>& uses() const { return uses_; }
  const std::optional<Tensor>& constant() const { return constant_; }
  bool is_constant() const { return constant_.has_value(); }
  bool is_input() const { return is_input_; }
  bool is_output() const;  // of some graph

  bool has_rank() const { return shape.has_value(); }
  // Throws Error(kUnimplemented) naming the value when the rank is not known.
  size_t rank() const;
  // Unknown where the shape is.
  Dim dim(size_t axis) const;

 private:
  friend class Graph;
  Node* producer_ = nullptr;
  size_t index_ = 0;
  Graph* graph_ = nullptr;
  std::vector<Use> uses_;
  std::optional<Tensor> constant_;
  bool is_input_ = false;
  std::list<Value>::iterator self_;
};

class Node {
 public:
  std::string domain;  // "" is ONNX's; what could not be translated stays in "tf", "keras" or "torch"
  std::string op_type;
  std::string name;
  Attrs attrs;
  std::shared_ptr<const Origin> origin;

  const std::vector<Value*>& inputs() const { return inputs_; }  // null: an optional input left out
  const std::vector<Value*>& outputs() const { return outputs_; }
  Value* input(size_t index) const { return index < inputs_.size() ? inputs_[index] : nullptr; }
  Value* output(size_t index = 0) const { return outputs_.at(index); }
  Graph* graph() const { return graph_; }
  bool is(std::string_view type) const { return domain.empty() && op_type == type; }
  void set_input(size_t index, Value* value);  // extends with absent inputs where needed
  // Drops absent trailing inputs.
  void trim_inputs();

 private:
  friend class Graph;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  Graph* graph_ = nullptr;
  std::list<Node>::iterator self_;
};

class Graph {
 public:
  Graph() = default;
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  ~Graph();

  std::string name;

  // Nodes in an order in which every node follows those it uses.
  std::list<Node>& nodes() { return nodes_; }
  const std::list<Node>& nodes() const { return nodes_; }
  const std::vector<Value*>& inputs() const { return inputs_; }
  const std::vector<Value*>& outputs() const { return outputs_; }
  // The names the outputs have for the model's user, whatever value gives them; empty where any name will do.
  const std::vector<std::string>& output_names() const { return output_names_; }
  std::list<Value>& values() { return values_; }
  const std::list<Value>& values() const { return values_; }

  Value* add_input(std::string input_name, DType dtype, std::optional<Shape> shape);
  Value* add_constant(Tensor tensor, std::string constant_name = {});
  void add_output(Value* value, std::string output_name = {});
  void set_output(size_t index, Value* value);  // the output keeps its name
  // A node before `before` (at the end where null) with `output_count` new values. The inputs may belong to enclosing
  // graphs.
  Node* add_node(std::string domain, std::string op_type, std::vector<Value*> inputs, size_t output_count,
                 Node* before = nullptr);
  // A further output of a node of this graph.
  Value* add_node_output(Node* node);

  // Every use of `from` (in subgraphs and as graph output, too) becomes one of `to`. `from` keeps its name.
  static void replace_uses(Value* from, Value* to);
  // The node and its outputs, which must have no uses left.
  void erase(Node* node);
  // An input of this graph that has no uses left.
  void erase_input(size_t index);
  void move_before(Node* node, Node* before);
  // The same dtype and dims, but in other bytes; throws Error(kInternal) where they differ.
  static void move_constant(Value& constant, Tensor tensor);
  // Removes constants without uses.
  void drop_unused_constants();

 private:
  friend class Node;
  static void add_use(Value* value, Use use);
  static void remove_use(Value* value, const Use& use);
  Value* new_value();

  std::list<Value> values_;
  std::list<Node> nodes_;
  std::vector<Value*> inputs_;
  std::vector<Value*> outputs_;
  std::vector<std::string> output_names_;
};

// Calls `visit(Graph&)` for every subgraph that is an attribute of `node` (not for those below it).
template <class Visit>
void for_each_subgraph(const Node& node, const Visit& visit) {
  for (const Attrs::Entry& entry : node.attrs) {
    if (const auto* graph = entry.second.get_if<std::shared_ptr<Graph>>()) visit(**graph);
  }
}

// A graph with what belongs to the whole file.
struct Model {
  std::unique_ptr<Graph> graph = std::make_unique<Graph>();
  std::string producer;                         // "keras 3.15", "torch 2.13": what wrote the source
  std::map<std::string, std::string> metadata;  // goes to metadata_props, sorted
  std::map<std::string, int> opset_imports;     // of a model read from ONNX; empty: canonical
};

}  // namespace onward::ir
