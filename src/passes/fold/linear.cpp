#include "passes/fold/linear.h"

#include <algorithm>

#include "base/release_pages.h"

namespace onward::passes {
namespace {

using ir::DType;
using ir::Node;
using ir::Tensor;
using ir::Value;

// Weights up to this size are copied although another operator uses them, too.
constexpr size_t kSmallWeights = 1 << 20;

bool is_plain_float(DType dtype) {
  return dtype == DType::kFloat || dtype == DType::kDouble || dtype == DType::kFloat16 || dtype == DType::kBFloat16;
}

size_t output_channels(const Node& node, const ir::Dims& weight) {
  if (node.is("Conv")) return static_cast<size_t>(weight[0]);
  if (node.is("ConvTranspose")) return static_cast<size_t>(weight[1] * node.attrs.get("group", int64_t{1}));
  return static_cast<size_t>(node.attrs.get("transB", int64_t{0}) != 0 ? weight[0] : weight[1]);
}

Tensor scaled_weight(const Node& node, const Tensor& weight, const std::vector<double>& factors) {
  const auto first = static_cast<size_t>(weight.dims()[0]);
  const auto second = static_cast<size_t>(weight.dims()[1]);
  const auto by_first = [](size_t o, size_t) { return o; };
  const auto by_second = [](size_t, size_t m) { return m; };
  if (node.is("Conv")) return scaled(weight, first, second, factors, by_first);
  if (node.is("ConvTranspose")) {
    const size_t block = first / static_cast<size_t>(node.attrs.get("group", int64_t{1}));
    return scaled(weight, first, second, factors, [&](size_t o, size_t m) { return o / block * second + m; });
  }
  if (node.attrs.get("transB", int64_t{0}) != 0) return scaled(weight, first, second, factors, by_first);
  return scaled(weight, first, second, factors, by_second);
}

}  // namespace

std::optional<Linear> linear_behind(const Value* value) {
  Node* node = value->producer();
  if (node == nullptr || !has_single_use(value)) return std::nullopt;
  if (!node->is("Conv") && !node->is("ConvTranspose") && !node->is("Gemm")) return std::nullopt;
  const Tensor* weight = constant_of(node->input(1));
  if (weight == nullptr || weight->rank() < 2 || !is_plain_float(weight->dtype())) return std::nullopt;
  if (weight->bytes().size() > kSmallWeights && node->input(1)->uses().size() > 1) return std::nullopt;
  const size_t channels = output_channels(*node, weight->dims());
  Linear linear{node, channels, std::vector<double>(channels, 0)};
  if (const Value* bias = node->input(2)) {
    const Tensor* tensor = constant_of(bias);
    if (tensor == nullptr || (tensor->count() != channels && tensor->count() != 1)) return std::nullopt;
    if (tensor->count() == channels && channels > 1 && tensor->dims().back() == 1) return std::nullopt;
    const std::vector<double> values = tensor->doubles();
    const double beta = node->is("Gemm") ? node->attrs.get("beta", 1.0F) : 1.0;
    for (size_t i = 0; i < channels; ++i) linear.bias[i] = beta * values[values.size() == 1 ? 0 : i];
  }
  return linear;
}

Value* with_affine(const Linear& linear, Rewrite& rewrite, const std::vector<double>& factors,
                   const std::vector<double>& offsets) {
  rewrite.b.graph().drop_unused_constants();  // the weights that the fold before this one replaced: they may be large
  Node& node = *linear.node;
  ir::Values inputs = node.inputs();
  inputs.resize(3);
  std::vector<double> bias = linear.bias;
  for (size_t i = 0; i < linear.channels; ++i) bias[i] = bias[i] * (factors.empty() ? 1 : factors[i]) + offsets[i];
  const Tensor& weight = *node.input(1)->constant();
  if (!factors.empty()) {
    inputs[1] = rewrite.b.constant(scaled_weight(node, weight, factors), node.input(1)->name);
    release_pages(weight.bytes().view());
  }
  const std::string bias_name = node.input(2) != nullptr ? node.input(2)->name : "";
  inputs[2] = rewrite.b.constant(Tensor::from_doubles(weight.dtype(), {static_cast<int64_t>(linear.channels)}, bias),
                                 bias_name);
  ir::Attrs attrs = node.attrs;
  attrs.erase("beta");
  rewrite.b.set_origin(node.origin);
  Value* result = rewrite.b.op(node.op_type, inputs, std::move(attrs));
  result->producer()->name = node.name;
  return result;
}

std::optional<std::vector<double>> per_channel(const Value* constant, size_t rank, size_t channels) {
  const Tensor* tensor = constant_of(constant);
  if (tensor == nullptr || !is_plain_float(tensor->dtype()) || tensor->rank() > rank) return std::nullopt;
  if (tensor->count() == 1) return std::vector<double>(channels, tensor->as_double());
  const size_t missing = rank - tensor->rank();
  for (size_t i = 0; i < tensor->rank(); ++i) {
    const int64_t wanted = i + missing == 1 ? static_cast<int64_t>(channels) : 1;
    if (tensor->dims()[i] != wanted) return std::nullopt;
  }
  return tensor->doubles();
}

}  // namespace onward::passes
