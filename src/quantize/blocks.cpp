#include <algorithm>
#include <array>
#include <cmath>

#include "base/release_pages.h"
#include "quantize/weight_only.h"

namespace onward::quantize {
namespace {

using ir::Node;
using ir::Value;

constexpr const char* kMicrosoft = "com.microsoft";

double weighted_error(std::span<const float> values, const Block& block, int bits, std::span<const double> weights) {
  double error = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const float back = block.scale * static_cast<float>(to_level(values[i], block, bits) - block.zero);
    const auto off = static_cast<double>(values[i] - back);
    error += off * off * (weights.empty() ? 1 : weights[i]);
  }
  return error;
}

Block block_of(float low, float high, int bits) {
  const auto levels = static_cast<float>((1 << bits) - 1);
  const float scale = (high - low) / levels;
  if (!std::isnormal(scale)) return {1, 0};
  return {scale, static_cast<int>(std::clamp(std::nearbyint(-low / scale), 0.0F, levels))};
}

// For fixed integers, the scale with the least error is a weighted least-squares fit.
float refit(std::span<const float> values, const Block& block, int bits, std::span<const double> weights) {
  double products = 0;
  double squares = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double level = to_level(values[i], block, bits) - block.zero;
    const double weight = weights.empty() ? 1 : weights[i];
    products += weight * level * static_cast<double>(values[i]);
    squares += weight * level * level;
  }
  return squares > 0 && products > 0 ? static_cast<float>(products / squares) : block.scale;
}

// Integers in the order of MatMulNBits: for each result channel its blocks, the lower half of a byte first.
class Packer {
 public:
  Packer(size_t channels, size_t blocks, const BlockOptions& options)
      : options_(options),
        block_bytes_(static_cast<size_t>(options.block * options.bits / 8)),
        row_zeros_((blocks * static_cast<size_t>(options.bits) + 7) / 8),
        values_(channels * blocks * block_bytes_),
        zeros_(channels * row_zeros_),
        scales_(channels * blocks),
        blocks_(blocks) {}

  void add(size_t channel, size_t index, const Block& block, std::span<const float> values) {
    scales_[channel * blocks_ + index] = block.scale;
    set(zeros_, channel * row_zeros_, index, block.zero);
    const size_t start = (channel * blocks_ + index) * block_bytes_;
    // What pads the last block stands for 0.
    for (size_t i = 0; i < static_cast<size_t>(options_.block); ++i) {
      set(values_, start, i, i < values.size() ? to_level(values[i], block, options_.bits) : block.zero);
    }
  }

  std::vector<Value*> constants(ir::Graph& graph) {
    const auto channels = static_cast<int64_t>(scales_.size() / blocks_);
    const auto blocks = static_cast<int64_t>(blocks_);
    const ir::Dims values{channels, blocks, static_cast<int64_t>(block_bytes_)};
    const ir::Dims zeros{static_cast<int64_t>(zeros_.size())};
    return {graph.add_constant(ir::Tensor(ir::DType::kUInt8, values, Bytes::from_vector(std::move(values_)))),
            graph.add_constant(ir::Tensor::of({channels * blocks}, scales_)),
            graph.add_constant(ir::Tensor(ir::DType::kUInt8, zeros, Bytes::from_vector(std::move(zeros_))))};
  }

 private:
  void set(std::vector<std::byte>& bytes, size_t start, size_t index, int level) const {
    if (options_.bits == 8) {
      bytes[start + index] = static_cast<std::byte>(level);
    } else {
      bytes[start + index / 2] |= static_cast<std::byte>(level << (index % 2 * 4));
    }
  }

  BlockOptions options_;
  size_t block_bytes_;
  size_t row_zeros_;
  std::vector<std::byte> values_;
  std::vector<std::byte> zeros_;
  std::vector<float> scales_;
  size_t blocks_;
};

// The weight with one row for each result channel, times `alpha`.
std::vector<float> rows_of(const Layer& layer, float alpha) {
  std::vector<float> values = layer.weight().floats();
  release_pages(layer.weight().bytes().view());
  for (float& value : values) value *= alpha;
  if (layer.channel_axis == 0) return values;
  const auto k = static_cast<size_t>(layer.weight().dims()[0]);
  const auto n = static_cast<size_t>(layer.weight().dims()[1]);
  std::vector<float> rows(values.size());
  for (size_t i = 0; i < k; ++i) {
    for (size_t j = 0; j < n; ++j) rows[j * k + i] = values[i * n + j];
  }
  return rows;
}

std::vector<Value*> packed(const Layer& layer, size_t n, size_t k, const BlockOptions& options, float alpha,
                           std::span<const double> importance) {
  const auto block = static_cast<size_t>(options.block);
  const size_t blocks = (k + block - 1) / block;
  const std::vector<float> rows = rows_of(layer, alpha);
  if (importance.size() != k) importance = {};
  Packer packer(n, blocks, options);
  for (size_t channel = 0; channel < n; ++channel) {
    for (size_t i = 0; i < blocks; ++i) {
      const size_t length = std::min(block, k - i * block);
      const std::span<const float> values(rows.data() + channel * k + i * block, length);
      const auto weights = importance.empty() ? importance : importance.subspan(i * block, length);
      packer.add(channel, i, fit_block(values, options.bits, weights), values);
    }
  }
  return packer.constants(*layer.node->graph());
}

Value* scaled_bias(const Node& gemm, ir::Graph& graph) {
  Value* bias = gemm.input(2);
  const float beta = gemm.attrs.get("beta", 1.0F);
  if (bias == nullptr || beta == 1.0F) return bias;
  std::vector<float> values = bias->constant()->floats();
  for (float& value : values) value *= beta;
  return graph.add_constant(ir::Tensor::of(bias->constant()->dims(), values));
}

}  // namespace

int to_level(float value, const Block& block, int bits) {
  const float level = std::nearbyint(value / block.scale) + static_cast<float>(block.zero);
  return static_cast<int>(std::clamp(level, 0.0F, static_cast<float>((1 << bits) - 1)));
}

Block fit_block(std::span<const float> values, int bits, std::span<const double> weights) {
  static constexpr std::array kShrinks = {1.0F, 0.95F, 0.9F, 0.85F, 0.8F, 0.75F, 0.7F};
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const float low = std::min(*least, 0.0F);
  const float high = std::max(*most, 0.0F);
  Block best = block_of(low, high, bits);
  double best_error = weighted_error(values, best, bits, weights);
  // Eight bits are exact enough that trying more would be wasted time.
  const size_t tries = bits == 8 ? 1 : kShrinks.size();
  for (size_t i = 0; i < tries; ++i) {
    Block candidate = block_of(low * kShrinks[i], high * kShrinks[i], bits);
    candidate.scale = refit(values, candidate, bits, weights);
    const double error = weighted_error(values, candidate, bits, weights);
    if (error < best_error) {
      best = candidate;
      best_error = error;
    }
  }
  return best;
}

std::string refuse_blocks(const Layer& layer) {
  const Node& node = *layer.node;
  if (!node.is("MatMul") && !node.is("Gemm")) return "MatMulNBits computes matrix products only";
  if (layer.weight().rank() != 2) return "its weights are a stack of matrices";
  if (node.attrs.get("transA", int64_t{0}) != 0) return "MatMulNBits has no transA";
  if (node.input(0) == nullptr || node.input(0)->dtype != ir::DType::kFloat) return "its input is no float tensor";
  const Value* bias = node.input(2);
  if (bias != nullptr && !bias->is_constant() && node.attrs.get("beta", 1.0F) != 1.0F) return "its beta is not 1";
  return {};
}

void use_blocks(const Layer& layer, const BlockOptions& options, std::span<const double> importance) {
  Node& node = *layer.node;
  ir::Graph& graph = *node.graph();
  const bool gemm = node.is("Gemm");
  const auto n = static_cast<size_t>(layer.weight().dims()[layer.channel_axis]);
  const auto k = static_cast<size_t>(layer.weight().dims()[1 - layer.channel_axis]);
  std::vector<Value*> inputs = packed(layer, n, k, options, gemm ? node.attrs.get("alpha", 1.0F) : 1.0F, importance);
  inputs.insert(inputs.begin(), node.input(0));
  Node* product = graph.add_node(kMicrosoft, "MatMulNBits", inputs, 1, &node);
  product->attrs.set("K", static_cast<int64_t>(k));
  product->attrs.set("N", static_cast<int64_t>(n));
  product->attrs.set("bits", options.bits);
  product->attrs.set("block_size", options.block);
  Value* result = product->output();
  result->dtype = ir::DType::kFloat;
  result->shape = node.output()->shape;
  product->name = node.name;
  product->origin = node.origin;
  if (Value* bias = gemm ? scaled_bias(node, graph) : nullptr; bias != nullptr) {
    Node* sum = graph.add_node("", "Add", {result, bias}, 1, &node);
    sum->origin = node.origin;
    sum->output()->dtype = ir::DType::kFloat;
    sum->output()->shape = result->shape;
    result = sum->output();
  }
  result->name = node.output()->name;
  ir::Graph::replace_uses(node.output(), result);
  graph.erase(&node);
}

}  // namespace onward::quantize
