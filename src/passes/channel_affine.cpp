// Channels that are multiplied and shifted one after the other, as frozen normalizations without a convolution before
// them are, in one operator that reads them once:
//
//   Add(Mul(x, k), c)   →  BatchNormalization(x, k, c, 0, 1) <epsilon = 0>
//
// Conditions: float, x has an axis of channels with known size, k and c vary along it only (one of them does), and
// nothing else uses the product.
#include "passes/fold/linear.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

constexpr size_t kImageRank = 3;  // a channel axis, and at least one after it

Value* vector(ir::Builder& b, const std::vector<double>& numbers) {
  const ir::Dims dims{static_cast<int64_t>(numbers.size())};
  return b.constant(ir::Tensor::from_doubles(ir::DType::kFloat, dims, numbers));
}

bool is_one_number(const Value* constant) { return constant->constant()->count() == 1; }

Outcome affine(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  for (const size_t side : {0U, 1U}) {
    const Node* product = produced_by(node.input(side), "Mul");
    if (product == nullptr || !has_single_use(product->output())) continue;
    for (const size_t place : {0U, 1U}) {
      Value* x = product->input(place);
      if (x->dtype != ir::DType::kFloat || !x->shape || x->rank() < kImageRank || !x->dim(1).is_known()) continue;
      const auto channels = static_cast<size_t>(x->dim(1).value());
      const auto factors = per_channel(product->input(1 - place), x->rank(), channels);
      const auto offsets = per_channel(node.input(1 - side), x->rank(), channels);
      if (!factors || !offsets) continue;
      if (is_one_number(product->input(1 - place)) && is_one_number(node.input(1 - side))) continue;
      const std::vector<double> zeros(channels, 0);
      const std::vector<double> ones(channels, 1);
      Value* result =
          b.op("BatchNormalization", {x, vector(b, *factors), vector(b, *offsets), vector(b, zeros), vector(b, ones)},
               {{"epsilon", 0.0}});
      result->producer()->name = product->name;
      rewrite.replace(node.output(), result);
      return Outcome::done();
    }
  }
  return Outcome::no("no channels that are multiplied and shifted");
}

constexpr Rule kRules[] = {{"Add", affine}};

}  // namespace

bool channel_affine(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
