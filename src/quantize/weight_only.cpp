#include "quantize/weight_only.h"

#include "quantize/weights.h"

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

Value* float_node(ir::Graph& graph, const char* type, const std::vector<Value*>& inputs,
                  const std::optional<ir::Shape>& shape, Node* before) {
  Node* node = graph.add_node("", type, inputs, 1, before);
  node->output()->dtype = ir::DType::kFloat;
  node->output()->shape = shape;
  return node->output();
}

// Scales in a shape that spreads over the weight.
ir::Tensor spread(const std::vector<float>& scales, size_t rank, size_t axis) {
  ir::Dims dims(rank - axis, 1);
  dims.front() = static_cast<int64_t>(scales.size());
  return ir::Tensor::of(dims, scales);
}

// Rows of a table are read back after they are picked.
void store_table(const Layer& layer, const QuantizedWeight& weight) {
  Node& gather = *layer.node;
  ir::Graph& graph = *gather.graph();
  const std::optional<ir::Shape> shape = gather.output()->shape;
  Value* indices = gather.input(1);
  const size_t inner = layer.weight().rank() - 1;
  ir::Dims dims(inner + 1, 1);
  dims.front() = static_cast<int64_t>(weight.scales.size());
  Value* scales = graph.add_constant(ir::Tensor::of(dims, weight.scales));
  Node* rows = graph.add_node("", "Gather", {graph.add_constant(weight.values), indices}, 1, &gather);
  rows->output()->dtype = ir::DType::kInt8;
  rows->output()->shape = shape;
  Value* floats = float_node(graph, "Cast", {rows->output()}, shape, &gather);
  floats->producer()->attrs.set("to", ir::DType::kFloat);
  Value* picked = float_node(graph, "Gather", {scales, indices}, std::nullopt, &gather);
  Value* result = float_node(graph, "Mul", {floats, picked}, shape, &gather);
  result->name = gather.output()->name;
  result->producer()->name = gather.name;
  result->producer()->origin = gather.origin;
  ir::Graph::replace_uses(gather.output(), result);
  graph.erase(&gather);
}

}  // namespace

void store_int8(const Layer& layer) {
  Node& node = *layer.node;
  const QuantizedWeight weight = quantize_weight(layer.weight(), layer.channel_axis, integer_range(WeightType::kInt8));
  if (node.is("Gather")) return store_table(layer, weight);
  ir::Graph& graph = *node.graph();
  const std::optional<ir::Shape> shape = node.input(layer.weight_input)->shape;
  Value* floats = float_node(graph, "Cast", {graph.add_constant(weight.values)}, shape, &node);
  floats->producer()->attrs.set("to", ir::DType::kFloat);
  Value* scales = graph.add_constant(spread(weight.scales, layer.weight().rank(), layer.channel_axis));
  node.set_input(layer.weight_input, float_node(graph, "Mul", {floats, scales}, shape, &node));
}

}  // namespace onward::quantize
