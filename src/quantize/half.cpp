#include "quantize/half.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string_view>

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

// What float16 holds, with room for samples that were not seen.
constexpr float kLargest = 65504.0F / 2;
// Less becomes 0.
constexpr float kSmallest = 6e-8F;

// Operators whose float inputs or outputs may not be float16, or that count or index with them.
constexpr std::array<std::string_view, 24> kFloatOnly = {"Bernoulli",
                                                         "BlackmanWindow",
                                                         "Cast",
                                                         "CastLike",
                                                         "ConstantOfShape",
                                                         "CumSum",
                                                         "DFT",
                                                         "EyeLike",
                                                         "HammingWindow",
                                                         "HannWindow",
                                                         "MelWeightMatrix",
                                                         "Multinomial",
                                                         "NonMaxSuppression",
                                                         "OneHot",
                                                         "RandomNormal",
                                                         "RandomNormalLike",
                                                         "RandomUniform",
                                                         "RandomUniformLike",
                                                         "Range",
                                                         "RoiAlign",
                                                         "STFT",
                                                         "StringConcat",
                                                         "TfIdfVectorizer",
                                                         "Unique"};

bool is_float(const Value* value) {
  return value != nullptr && value->kind == ir::Kind::kTensor && value->dtype == ir::DType::kFloat;
}

// Resize takes its scales in float32 whatever it scales.
bool converts(const Node& node, size_t input) {
  return is_float(node.input(input)) && !(node.is("Resize") && input > 0);
}

std::string constant_problem(const ir::Tensor& tensor) {
  for (const float value : tensor.floats()) {
    const float magnitude = std::abs(value);
    if (magnitude > 65504.0F) return fmt::format("a constant of {:.3g} is more than float16 holds", value);
    if (tensor.count() == 1 && value != 0 && magnitude < kSmallest) {
      return fmt::format("a constant of {:.3g} would become 0", value);
    }
  }
  return {};
}

class Halver {
 public:
  Halver(ir::Graph& graph, const std::map<std::string, float>& largest, const HalfOptions& options)
      : graph_(graph), largest_(largest), options_(options) {}

  std::vector<KeptFloat> run() {
    std::vector<KeptFloat> kept;
    for (Node& node : graph_.nodes()) {
      if (!touches_float(node)) continue;
      const std::string reason = refusal(node);
      if (reason.empty()) {
        half_.insert(&node);
      } else {
        kept.push_back({node.name, node.op_type, reason});
      }
    }
    if (options_.interface) {
      for (Value* input : graph_.inputs()) {
        if (is_float(input)) produced_half(input, graph_.nodes().empty() ? nullptr : &graph_.nodes().front());
      }
    }
    for (auto node = graph_.nodes().begin(); node != graph_.nodes().end();) {
      Node& now = *node++;
      if (half_.contains(&now)) convert(now, node == graph_.nodes().end() ? nullptr : &*node);
    }
    if (options_.interface) convert_outputs();
    graph_.drop_unused_constants();
    return kept;
  }

 private:
  static bool touches_float(const Node& node) {
    return std::any_of(node.inputs().begin(), node.inputs().end(), is_float) ||
           std::any_of(node.outputs().begin(), node.outputs().end(), is_float);
  }

  std::string refusal(const Node& node) const {
    if (!node.domain.empty()) return "operators of " + node.domain + " stay as they are";
    if (std::find(kFloatOnly.begin(), kFloatOnly.end(), node.op_type) != kFloatOnly.end()) {
      return "the operator wants float32";
    }
    bool nested = false;
    ir::for_each_subgraph(node, [&](const ir::Graph&) { nested = true; });
    if (nested) return "it holds a subgraph";
    if (std::string refused = options_.selection.refusal(node); !refused.empty()) return refused;
    for (const auto* values : {&node.inputs(), &node.outputs()}) {
      for (const Value* value : *values) {
        if (!is_float(value)) continue;
        if (value->is_constant()) {
          if (std::string problem = constant_problem(*value->constant()); !problem.empty()) return problem;
        } else if (const auto seen = largest_.find(value->name); seen != largest_.end() && seen->second > kLargest) {
          return fmt::format("\"{}\" reaches {:.3g}", value->name, seen->second);
        }
      }
    }
    return {};
  }

  Value* cast(Value* value, ir::DType dtype, Node* before) {
    Node* node = graph_.add_node("", "Cast", {value}, 1, before);
    node->attrs.set("to", dtype);
    node->output()->dtype = dtype;
    node->output()->shape = value->shape;
    return node->output();
  }

  Value* as_half(Value* value, Node& user) {
    if (halves_.contains(value)) return halves_.at(value);
    Value* half = value->is_constant()
                      ? graph_.add_constant(ir::Tensor::from_doubles(ir::DType::kFloat16, value->constant()->dims(),
                                                                     value->constant()->doubles()),
                                            value->name)
                      : cast(value, ir::DType::kFloat16, &user);
    return halves_[value] = half;
  }

  // `value` is float16 from here on; who wants float32 gets it through a cast.
  void produced_half(Value* value, Node* next) {
    value->dtype = ir::DType::kFloat16;
    halves_[value] = value;
    const std::vector<ir::Use> uses = value->uses();
    Value* floats = nullptr;
    for (const ir::Use& use : uses) {
      if (use.node != nullptr && half_.contains(use.node) && !(use.node->is("Resize") && use.index > 0)) continue;
      if (floats == nullptr) floats = cast(value, ir::DType::kFloat, next);
      use.node != nullptr ? use.node->set_input(use.index, floats) : use.graph->set_output(use.index, floats);
    }
  }

  void convert(Node& node, Node* next) {
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      if (converts(node, i)) node.set_input(i, as_half(node.input(i), node));
    }
    for (Value* output : node.outputs()) {
      if (is_float(output)) produced_half(output, next);
    }
  }

  void convert_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      Value* output = graph_.outputs()[i];
      if (!is_float(output)) continue;
      const Node* producer = output->producer();
      const bool from_half =
          producer != nullptr && producer->is("Cast") && producer->input(0)->dtype == ir::DType::kFloat16;
      graph_.set_output(i, from_half ? producer->input(0) : cast(output, ir::DType::kFloat16, nullptr));
    }
  }

  ir::Graph& graph_;
  const std::map<std::string, float>& largest_;
  const HalfOptions& options_;
  std::set<const Node*> half_;
  std::map<Value*, Value*> halves_;
};

}  // namespace

std::vector<KeptFloat> to_half(ir::Graph& graph, const std::map<std::string, float>& largest,
                               const HalfOptions& options) {
  return Halver(graph, largest, options).run();
}

}  // namespace onward::quantize
