#include "ir/graph.h"

#include <algorithm>

#include "base/error.h"

namespace onward::ir {

bool Value::is_output() const {
  return std::any_of(uses_.begin(), uses_.end(), [](const Use& use) { return use.node == nullptr; });
}

size_t Value::rank() const {
  if (shape) return shape->size();
  const std::string who = !name.empty() ? name : producer_ != nullptr ? "a result of " + producer_->op_type : "a value";
  fail_unsupported("the rank of " + who + " is not known",
                   "give the shapes of the model's inputs with --input NAME=DIMS");
}

Dim Value::dim(size_t axis) const { return shape && axis < shape->size() ? (*shape)[axis] : Dim(); }

void Node::set_input(size_t index, Value* value) {
  if (index >= inputs_.size()) inputs_.resize(index + 1, nullptr);
  if (inputs_[index] != nullptr) Graph::remove_use(inputs_[index], {this, graph_, index});
  inputs_[index] = value;
  if (value != nullptr) Graph::add_use(value, {this, graph_, index});
}

void Node::trim_inputs() {
  while (!inputs_.empty() && inputs_.back() == nullptr) inputs_.pop_back();
}

Graph::~Graph() {
  // Consumers go before what they use; values of enclosing graphs forget the uses in here.
  for (size_t i = 0; i < outputs_.size(); ++i) remove_use(outputs_[i], {nullptr, this, i});
  while (!nodes_.empty()) {
    Node& node = nodes_.back();
    for (size_t i = 0; i < node.inputs_.size(); ++i) node.set_input(i, nullptr);
    nodes_.pop_back();
  }
}

void Graph::add_use(Value* value, Use use) { value->uses_.push_back(use); }

void Graph::remove_use(Value* value, const Use& use) {
  const auto found = std::find(value->uses_.begin(), value->uses_.end(), use);
  if (found != value->uses_.end()) value->uses_.erase(found);
}

Value* Graph::new_value() {
  Value& value = values_.emplace_back();
  value.graph_ = this;
  value.self_ = std::prev(values_.end());
  return &value;
}

Value* Graph::add_input(std::string input_name, DType dtype, std::optional<Shape> shape) {
  Value* value = new_value();
  value->name = std::move(input_name);
  value->dtype = dtype;
  value->shape = std::move(shape);
  value->is_input_ = true;
  inputs_.push_back(value);
  return value;
}

Value* Graph::add_constant(Tensor tensor, std::string constant_name) {
  Value* value = new_value();
  value->name = std::move(constant_name);
  value->dtype = tensor.dtype();
  value->shape = to_shape(tensor.dims());
  if (is_integer(tensor.dtype()) && tensor.rank() <= 1 && tensor.count() <= 64)
    value->content = to_shape(tensor.ints());
  value->constant_ = std::move(tensor);
  return value;
}

void Graph::add_output(Value* value, std::string output_name) {
  outputs_.push_back(value);
  output_names_.push_back(std::move(output_name));
  add_use(value, {nullptr, this, outputs_.size() - 1});
}

void Graph::set_output(size_t index, Value* value) {
  remove_use(outputs_.at(index), {nullptr, this, index});
  outputs_[index] = value;
  add_use(value, {nullptr, this, index});
}

Node* Graph::add_node(std::string domain, std::string op_type, std::vector<Value*> inputs, size_t output_count,
                      Node* before) {
  const auto place = before != nullptr ? before->self_ : nodes_.end();
  const auto self = nodes_.emplace(place);
  Node& node = *self;
  node.self_ = self;
  node.graph_ = this;
  node.domain = std::move(domain);
  node.op_type = std::move(op_type);
  node.inputs_ = std::move(inputs);
  node.trim_inputs();
  for (size_t i = 0; i < node.inputs_.size(); ++i) {
    if (node.inputs_[i] != nullptr) add_use(node.inputs_[i], {&node, this, i});
  }
  for (size_t i = 0; i < output_count; ++i) add_node_output(&node);
  return &node;
}

Value* Graph::add_node_output(Node* node) {
  Value* value = new_value();
  value->producer_ = node;
  value->index_ = node->outputs_.size();
  node->outputs_.push_back(value);
  return value;
}

void Graph::replace_uses(Value* from, Value* to) {
  if (from == to) return;
  const std::vector<Use> uses = std::move(from->uses_);
  from->uses_.clear();
  for (const Use& use : uses) {
    if (use.node != nullptr) {
      use.node->inputs_[use.index] = to;
    } else {
      use.graph->outputs_[use.index] = to;
    }
    add_use(to, use);
  }
}

void Graph::erase(Node* node) {
  for (const Value* output : node->outputs_) {
    if (!output->uses_.empty())
      throw Error(Code::kInternal, "a node whose outputs are in use was erased: " + node->op_type);
  }
  for (size_t i = 0; i < node->inputs_.size(); ++i) node->set_input(i, nullptr);
  for (const Value* output : node->outputs_) values_.erase(output->self_);
  nodes_.erase(node->self_);
}

void Graph::erase_input(size_t index) {
  const Value* value = inputs_.at(index);
  if (!value->uses_.empty()) throw Error(Code::kInternal, "a graph input in use was erased: " + value->name);
  values_.erase(value->self_);
  inputs_.erase(inputs_.begin() + static_cast<std::ptrdiff_t>(index));
}

void Graph::move_before(Node* node, Node* before) {
  nodes_.splice(before != nullptr ? before->self_ : nodes_.end(), nodes_, node->self_);
}

void Graph::move_constant(Value& constant, Tensor tensor) {
  const std::optional<Tensor>& before = constant.constant_;
  if (!before || before->dtype() != tensor.dtype() || before->dims() != tensor.dims()) {
    throw Error(Code::kInternal, "the constant \"" + constant.name + "\" was to become another one");
  }
  constant.constant_ = std::move(tensor);
}

void Graph::drop_unused_constants() {
  values_.remove_if([](const Value& value) {
    return value.constant_.has_value() && value.uses_.empty() && value.producer_ == nullptr && !value.is_input_;
  });
}

}  // namespace onward::ir
