#include "quantize/dynamic.h"

#include <map>

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

class Rewriter {
 public:
  Rewriter(ir::Graph& graph, WeightType weights) : graph_(graph), range_(integer_range(weights)) {}

  void rewrite(const Layer& layer) {
    Node& node = *layer.node;
    node_ = &node;
    const Node& input = quantized(node.input(0));
    const QuantizedWeight weight = quantize_weight(layer.weight(), layer.channel_axis, range_);
    std::vector<Value*> inputs{input.output(0), graph_.add_constant(as_columns(weight.values, layer.channel_axis)),
                               input.output(2)};
    if (weight.zero != 0) {
      inputs.push_back(graph_.add_constant(ir::Tensor::filled(range_.dtype, {}, static_cast<double>(weight.zero))));
    }
    Value* sums = add("MatMulInteger", inputs, ir::DType::kInt32);
    Value* floats = add("Cast", {sums}, ir::DType::kFloat);
    floats->producer()->attrs.set("to", ir::DType::kFloat);
    std::vector<float> scales = weight.scales;
    for (float& scale : scales) scale *= node.attrs.get("alpha", 1.0F);
    Value* factors = graph_.add_constant(ir::Tensor::of({static_cast<int64_t>(scales.size())}, scales));
    Value* scale = add("Mul", {input.output(1), factors}, ir::DType::kFloat);
    Value* result = add("Mul", {floats, scale}, ir::DType::kFloat);
    if (node.input(2) != nullptr) result = add("Add", {result, node.input(2)}, ir::DType::kFloat);
    result->shape = node.output()->shape;
    result->name = node.output()->name;
    result->producer()->name = node.name;
    ir::Graph::replace_uses(node.output(), result);
    graph_.erase(&node);
  }

 private:
  Value* add(const char* type, const std::vector<Value*>& inputs, ir::DType dtype) {
    Node* node = graph_.add_node("", type, inputs, 1, node_);
    node->origin = node_->origin;
    node->output()->dtype = dtype;
    return node->output();
  }

  const Node& quantized(Value* input) {
    Node*& known = quantized_[input];
    if (known == nullptr) {
      known = graph_.add_node("", "DynamicQuantizeLinear", {input}, 3, node_);
      known->output(0)->dtype = ir::DType::kUInt8;
      known->output(0)->shape = input->shape;
      known->output(1)->dtype = ir::DType::kFloat;
      known->output(2)->dtype = ir::DType::kUInt8;
    }
    return *known;
  }

  ir::Graph& graph_;
  IntegerRange range_;
  Node* node_ = nullptr;
  std::map<Value*, Node*> quantized_;
};

}  // namespace

std::string refuse_dynamic(const Layer& layer) {
  const Node& node = *layer.node;
  if (!node.is("MatMul") && !node.is("Gemm")) return "only matrix products gain from dynamic quantization";
  if (layer.weight().rank() != 2) return "its weights are a stack of matrices";
  if (node.attrs.get("transA", int64_t{0}) != 0) return "MatMulInteger has no transA";
  if (node.input(0) == nullptr || node.input(0)->dtype != ir::DType::kFloat) return "its input is no float tensor";
  if (node.input(2) != nullptr && node.attrs.get("beta", 1.0F) != 1.0F) return "its beta is not 1";
  return {};
}

void quantize_dynamic(ir::Graph& graph, const std::vector<Layer>& layers, WeightType weights) {
  Rewriter rewriter(graph, weights);
  for (const Layer& layer : layers) rewriter.rewrite(layer);
  graph.drop_unused_constants();
}

}  // namespace onward::quantize
