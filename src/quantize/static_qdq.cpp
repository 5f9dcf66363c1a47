#include "quantize/static_qdq.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "quantize/bias_correction.h"
#include "quantize/qdq_plan.h"

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

// The axis of a layer's input that its weights sum over.
int64_t summed_axis(const Layer& layer) { return layer.node->is("Conv") ? 1 : -1; }

class Inserter {
 public:
  Inserter(ir::Graph& graph, const QdqPlan& plan, const std::map<std::string, Statistics>& statistics,
           const StaticOptions& options)
      : graph_(graph), plan_(plan), statistics_(statistics), options_(options) {}

  void run() {
    // First the weights: they look at the layers' inputs as the float model has them.
    for (const Layer& layer : plan_.layers) quantize_layer(layer);
    const std::set<Value*> wanted(plan_.values.begin(), plan_.values.end());
    for (Value* input : graph_.inputs()) {
      if (wanted.contains(input)) insert_pair(input, graph_.nodes().empty() ? nullptr : &graph_.nodes().front());
    }
    for (auto node = graph_.nodes().begin(); node != graph_.nodes().end();) {
      const std::vector<Value*> outputs = node->outputs();
      ++node;
      for (Value* output : outputs) {
        if (wanted.contains(output)) insert_pair(output, node == graph_.nodes().end() ? nullptr : &*node);
      }
    }
  }

 private:
  struct Parameters {
    Affine affine;
    Value* scale;
    Value* zero;
  };

  const Parameters& parameters(const Value* value) {
    const Value* source = plan_.source_of(value);
    const auto known = parameters_.find(source);
    if (known != parameters_.end()) return known->second;
    const Affine numbers = affine(statistics_.at(source->name).values.range(options_.method, options_.percentile));
    return parameters_
        .emplace(source, Parameters{numbers, graph_.add_constant(ir::Tensor::scalar(numbers.scale)),
                                    graph_.add_constant(ir::Tensor::scalar(numbers.zero))})
        .first->second;
  }

  Value* add(const char* type, const std::vector<Value*>& inputs, ir::DType dtype, Node* before) {
    Node* node = graph_.add_node("", type, inputs, 1, before);
    node->output()->dtype = dtype;
    node->output()->shape = inputs.front()->shape;
    return node->output();
  }

  void insert_pair(Value* value, Node* before) {
    const Parameters& p = parameters(value);
    const std::vector<ir::Use> uses = value->uses();
    Value* integers = add("QuantizeLinear", {value, p.scale, p.zero}, ir::DType::kUInt8, before);
    Value* back = add("DequantizeLinear", {integers, p.scale, p.zero}, ir::DType::kFloat, before);
    for (const ir::Use& use : uses) {
      use.node != nullptr ? use.node->set_input(use.index, back) : use.graph->set_output(use.index, back);
    }
  }

  // The bias is an int32 in steps of the input's and the weights' scales: these must not be too small for it.
  static std::vector<float> least_scales(const std::vector<float>& bias, float input_scale) {
    std::vector<float> least;
    for (const float value : bias) least.push_back(std::abs(value) / input_scale / 0x1p30F);
    return least;
  }

  void quantize_layer(const Layer& layer) {
    Node& node = *layer.node;
    const float input_scale = parameters(node.input(0)).affine.scale;
    const bool adds_bias = node.is("Conv") || node.is("Gemm");
    std::vector<float> bias = node.input(2) != nullptr ? node.input(2)->constant()->floats() : std::vector<float>{};
    const QuantizedWeight weight = quantize_weight(layer.weight(), layer.channel_axis, integer_range(options_.weights),
                                                   least_scales(bias, input_scale));
    const auto found = statistics_.find(node.input(0)->name);
    if (options_.correct_bias && adds_bias && found != statistics_.end() && !found->second.channels.empty()) {
      correct_bias(layer, weight, found->second.channels.means(), bias);
    }
    if (!node.is("Conv")) return use_product(layer, weight, bias);
    node.set_input(layer.weight_input, dequantized(weight.values, weight.scales, weight.zero, 0, node));
    if (!bias.empty()) node.set_input(2, dequantized_bias(bias, input_scale, weight.scales, node));
  }

  // A MatMul of integers, and the bias subtracted: ONNX Runtime makes a Gemm of MatMul and Add, and computes a Gemm
  // whose result is float with floats.
  void use_product(const Layer& layer, const QuantizedWeight& weight, const std::vector<float>& bias) {
    Node& node = *layer.node;
    Value* columns = dequantized(as_columns(weight.values, layer.channel_axis), weight.scales, weight.zero, 1, node);
    if (node.is("MatMul")) {
      node.set_input(1, columns);
      return subtract_added(node);
    }
    node.attrs = {};
    if (bias.empty()) {
      node.op_type = "MatMul";
      return node.set_input(1, columns);
    }
    // The product gets a value of its own; the sum stays where the Gemm's result was.
    Node* product = graph_.add_node("", "MatMul", {node.input(0), columns}, 1, &node);
    product->output()->dtype = ir::DType::kFloat;
    product->output()->shape = node.output()->shape;
    product->origin = node.origin;
    std::swap(product->name, node.name);
    node.op_type = "Sub";
    node.set_input(0, product->output());
    node.set_input(1, negated(bias, {static_cast<int64_t>(bias.size())}));
    node.set_input(2, nullptr);
    node.trim_inputs();
  }

  // x @ w + bias → x @ w - (-bias)
  void subtract_added(const Node& product) {
    const Value* result = product.output();
    if (result->uses().size() != 1 || result->uses().front().node == nullptr) return;
    Node& sum = *result->uses().front().node;
    if (!sum.is("Add") || sum.graph() != &graph_) return;
    Value* added = sum.input(sum.input(0) == result ? 1 : 0);
    if (!added->is_constant()) return;
    sum.op_type = "Sub";
    sum.set_input(0, product.output());
    sum.set_input(1, negated(added->constant()->floats(), added->constant()->dims()));
  }

  Value* negated(std::vector<float> values, ir::Dims dims) {
    for (float& value : values) value = -value;
    return graph_.add_constant(ir::Tensor::of(std::move(dims), values));
  }

  Value* dequantized(const ir::Tensor& values, const std::vector<float>& scales, int zero, int64_t axis, Node& node) {
    std::vector<Value*> inputs{graph_.add_constant(values),
                               graph_.add_constant(ir::Tensor::of({static_cast<int64_t>(scales.size())}, scales))};
    if (zero != 0) {
      inputs.push_back(graph_.add_constant(
          ir::Tensor::filled(values.dtype(), {static_cast<int64_t>(scales.size())}, static_cast<double>(zero))));
    }
    Value* result = add("DequantizeLinear", inputs, ir::DType::kFloat, &node);
    result->producer()->attrs.set("axis", axis);
    return result;
  }

  Value* dequantized_bias(const std::vector<float>& bias, float input_scale, const std::vector<float>& weight_scales,
                          Node& node) {
    std::vector<float> scales;
    std::vector<int64_t> integers;
    for (size_t i = 0; i < bias.size(); ++i) {
      scales.push_back(input_scale * weight_scales[i]);
      integers.push_back(std::llround(
          std::clamp(static_cast<double>(bias[i]) / static_cast<double>(scales[i]), -2147483647.0, 2147483647.0)));
    }
    const ir::Dims dims{static_cast<int64_t>(bias.size())};
    return dequantized(ir::Tensor::from_ints(ir::DType::kInt32, dims, integers), scales, 0, 0, node);
  }

  ir::Graph& graph_;
  const QdqPlan& plan_;
  const std::map<std::string, Statistics>& statistics_;
  const StaticOptions& options_;
  std::map<const Value*, Parameters> parameters_;
};

}  // namespace

Affine affine(const Range& range) {
  const float low = std::min(range.low, 0.0F);
  const float high = std::max(range.high, 0.0F);
  const float scale = (high - low) / 255;
  if (!std::isnormal(scale)) return {1, 0};
  const float zero = std::clamp(std::nearbyint(-low / scale), 0.0F, 255.0F);
  return {scale, static_cast<uint8_t>(zero)};
}

Watched watched_values(ir::Graph& graph, const std::vector<Layer>& layers) {
  Watched watched;
  for (const Value* value : plan_qdq(graph, layers).values) watched[value->name] = std::nullopt;
  for (const Layer& layer : layers) watched[layer.node->input(0)->name] = summed_axis(layer);
  return watched;
}

void quantize_static(ir::Graph& graph, std::vector<Layer> layers, const std::map<std::string, Statistics>& statistics,
                     const StaticOptions& options) {
  const QdqPlan plan = plan_qdq(graph, std::move(layers));
  Inserter(graph, plan, statistics, options).run();
  graph.drop_unused_constants();
}

}  // namespace onward::quantize
