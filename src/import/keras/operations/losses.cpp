// Cross entropies.
#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr double kEpsilon = 1e-7;  // Keras' own

Value* kept_off_the_edges(Builder& b, Value* x) {
  return b.Clip(x, b.number_like(kEpsilon, x), b.number_like(1 - kEpsilon, x));
}

// The logarithms of the probabilities along `axis` that `output` holds, or whose logits it holds.
Value* log_probabilities(const Arguments& a, Value* output, int64_t axis) {
  Builder& b = a.b;
  if (a.flag("from_logits", false)) return b.LogSoftmax(output, axis);
  Value* shares = b.Div(output, b.ReduceSum(output, {axis}));
  return b.Log(kept_off_the_edges(b, shares));
}

// binary_crossentropy(target, output, from_logits=False)
ir::Values binary_crossentropy(const Arguments& a) {
  Builder& b = a.b;
  Value* output = floating(b, a.value("output"));
  Value* target = b.Cast(a.value("target"), output->dtype);
  if (a.flag("from_logits", false)) output = b.Sigmoid(output);
  output = kept_off_the_edges(b, output);
  Value* one = b.number_like(1, output);
  Value* of_ones = b.Mul(target, b.Log(output));
  Value* of_zeros = b.Mul(b.Sub(one, target), b.Log(b.Sub(one, output)));
  return {b.Neg(b.Add(of_ones, of_zeros))};
}

// categorical_crossentropy(target, output, from_logits=False, axis=-1)
ir::Values categorical_crossentropy(const Arguments& a) {
  Builder& b = a.b;
  Value* output = floating(b, a.value("output"));
  const int64_t axis = a.axis("axis", output, -1);
  Value* target = b.Cast(a.value("target"), output->dtype);
  return {b.Neg(b.ReduceSum(b.Mul(target, log_probabilities(a, output, axis)), {axis}, false))};
}

// sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1)
ir::Values sparse_categorical_crossentropy(const Arguments& a) {
  Builder& b = a.b;
  Value* output = floating(b, a.value("output"));
  const int64_t axis = a.axis("axis", output, -1);
  Value* target = b.Cast(a.value("target"), DType::kInt64);
  if (target->rank() == output->rank()) target = b.Squeeze(target, {-1});
  Value* chosen =
      b.op("GatherElements", {log_probabilities(a, output, axis), b.Unsqueeze(target, {axis})}, {{"axis", axis}});
  return {b.Neg(b.Squeeze(chosen, {axis}))};
}

}  // namespace

void register_loss_operations(OperationTable& table) {
  constexpr const char* kArguments = "target output from_logits axis";
  table.add("BinaryCrossentropy", {kArguments, binary_crossentropy});
  table.add("CategoricalCrossentropy", {kArguments, categorical_crossentropy});
  table.add("SparseCategoricalCrossentropy", {kArguments, sparse_categorical_crossentropy});
}

}  // namespace onward::importer::keras
