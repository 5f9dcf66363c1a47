#include "quantize/qdq_plan.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

template <size_t N>
bool is_any(const Node& node, const std::array<std::string_view, N>& types) {
  return node.domain.empty() && std::find(types.begin(), types.end(), node.op_type) != types.end();
}

// They move or drop elements, so integers pass with the same scale.
bool moves(const Node& node) {
  static constexpr std::array<std::string_view, 9> kTypes = {
      "MaxPool", "Reshape", "Transpose", "Flatten", "Squeeze", "Unsqueeze", "Resize", "Slice", "DepthToSpace"};
  if (!is_any(node, kTypes) || node.outputs().size() != 1) return false;
  return !node.is("Resize") || node.attrs.get("mode", "nearest") != "cubic";
}

// ONNX Runtime has integer kernels that compute these.
bool computes(const Node& node) {
  static constexpr std::array<std::string_view, 7> kTypes = {
      "Add", "Mul", "Concat", "AveragePool", "GlobalAveragePool", "Sigmoid", "LeakyRelu"};
  return is_any(node, kTypes);
}

class Planner {
 public:
  Planner(ir::Graph& graph, QdqPlan& plan) : graph_(graph), plan_(plan) {}

  void run() {
    for (const Layer& layer : plan_.layers) {
      wanted_.insert(layer.node->input(0));
      // A convolution has no integer kernel that gives floats; a matrix product has.
      if (layer.node->is("Conv")) wanted_.insert(result_of(*layer.node));
    }
    // What joins forward may let a concatenation join, and the other way round.
    size_t before = 0;
    do {
      before = wanted_.size();
      for (Node& node : graph_.nodes()) follow(node);
    } while (wanted_.size() != before);
    collect();
  }

 private:
  bool quantizable(const Value* value) const {
    return value != nullptr && !value->is_constant() && value->dtype == ir::DType::kFloat && value->graph() == &graph_;
  }

  void follow(Node& node) {
    const bool passes = moves(node);
    if (!passes && !computes(node)) return;
    const std::vector<Value*> taken = passes ? std::vector<Value*>{node.input(0)} : node.inputs();
    if (!std::all_of(taken.begin(), taken.end(), [&](const Value* value) { return quantizable(value); })) return;
    const auto is_wanted = [&](Value* value) { return wanted_.contains(value); };
    Value* result = result_of(node);
    if (node.is("Concat") && is_wanted(result) && std::any_of(taken.begin(), taken.end(), is_wanted)) {
      wanted_.insert(taken.begin(), taken.end());
    }
    if (!std::all_of(taken.begin(), taken.end(), is_wanted)) return;
    // The model's answers stay exact where no integer kernel needs them.
    if (result->is_output() && !is_wanted(result)) return;
    wanted_.insert(result);
    if (passes && result == node.output()) plan_.sources[result] = node.input(0);
  }

  void collect() {
    for (Value* input : graph_.inputs()) take(input);
    for (Node& node : graph_.nodes()) {
      for (Value* output : node.outputs()) take(output);
    }
  }

  void take(Value* value) {
    if (wanted_.contains(value)) plan_.values.push_back(value);
  }

  ir::Graph& graph_;
  QdqPlan& plan_;
  std::set<Value*> wanted_;
};

}  // namespace

const Value* QdqPlan::source_of(const Value* value) const {
  for (auto found = sources.find(value); found != sources.end(); found = sources.find(value)) value = found->second;
  return value;
}

std::string refuse_integers(const Layer& layer) {
  const Node& node = *layer.node;
  const Value* input = node.input(0);
  if (node.is("ConvTranspose")) return "ONNX Runtime has no integer ConvTranspose";
  if (input == nullptr || input->is_constant() || input->dtype != ir::DType::kFloat || input->graph() != node.graph()) {
    return "its input is constant or of another graph";
  }
  if (const Value* bias = node.input(2); bias != nullptr && (!bias->is_constant() || bias->constant()->rank() != 1)) {
    return "its bias is no constant vector";
  }
  if (node.is("Gemm") && (node.attrs.get("transA", int64_t{0}) != 0 || node.attrs.get("alpha", 1.0F) != 1.0F ||
                          node.attrs.get("beta", 1.0F) != 1.0F)) {
    return "integer Gemm has no transA, alpha and beta";
  }
  if (const Value* bias = node.input(2);
      bias != nullptr && bias->constant()->dims()[0] != layer.weight().dims()[layer.channel_axis]) {
    return "its bias is no vector of its channels";
  }
  if (layer.weight().rank() > 2 && node.is("MatMul")) return "its weights are a stack of matrices";
  return {};
}

QdqPlan plan_qdq(ir::Graph& graph, std::vector<Layer> layers) {
  QdqPlan plan;
  plan.layers = std::move(layers);
  Planner(graph, plan).run();
  return plan;
}

}  // namespace onward::quantize
