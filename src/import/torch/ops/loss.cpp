// Losses. `reduction`: 0 keeps every element, 1 takes the mean, 2 the sum.
#include <cmath>
#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

ir::Values pair(Call& c) { return c.promoted({"self", "target"}); }
Value* clamped_below(ir::Builder& b, Value* x, double low) { return b.Max(x, low); }
// log(1 + exp(x)) of any size of x.
Value* soft_plus(ir::Builder& b, Value* x) { return b.Softplus(x); }

// --- distance to the target ------------------------------------------------------------------------------------------

Value* mse_loss(Call& c) {
  const ir::Values x = pair(c);
  Value* difference = c.b.Sub(x[0], x[1]);
  return reduced_loss(c, c.b.Mul(difference, difference));
}
Value* l1_loss(Call& c) {
  const ir::Values x = pair(c);
  return reduced_loss(c, c.b.Abs(c.b.Sub(x[0], x[1])));
}
// Quadratic up to `bend`, linear beyond; smooth_l1 is huber divided by its beta.
Value* bent_loss(Call& c, double bend, bool divided) {
  ir::Builder& b = c.b;
  const ir::Values x = pair(c);
  Value* distance = b.Abs(b.Sub(x[0], x[1]));
  if (bend == 0) return reduced_loss(c, divided ? distance : b.Mul(distance, 0.0));
  Value* near = b.Mul(b.Mul(distance, distance), divided ? 0.5 / bend : 0.5);
  Value* far = b.Sub(distance, 0.5 * bend);
  if (!divided) far = b.Mul(far, bend);
  return reduced_loss(c, b.Where(b.Less(distance, b.number_like(bend, distance)), near, far));
}
Value* smooth_l1_loss(Call& c) { return bent_loss(c, c.number("beta"), true); }
Value* huber_loss(Call& c) { return bent_loss(c, c.number("delta"), false); }

// --- probabilities ---------------------------------------------------------------------------------------------------

Value* weighted(Call& c, Value* loss) {
  Value* weight = c.maybe_tensor("weight");
  return weight == nullptr ? loss : c.b.Mul(loss, weight);
}
Value* binary_cross_entropy(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* target = c.tensor("target");
  Value* one = b.number_like(1, x);
  Value* yes = clamped_below(b, b.Log(x), -100);  // as PyTorch cuts the logarithm
  Value* no = clamped_below(b, b.Log(b.Sub(one, x)), -100);
  Value* loss = b.Neg(b.Add(b.Mul(target, yes), b.Mul(b.Sub(one, target), no)));
  return reduced_loss(c, weighted(c, loss));
}
Value* binary_cross_entropy_with_logits(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* target = c.tensor("target");
  Value* positive = c.maybe_tensor("pos_weight");
  Value* loss = nullptr;
  if (positive == nullptr) {
    loss = b.Sub(soft_plus(b, x), b.Mul(x, target));
  } else {
    Value* one = b.number_like(1, x);
    Value* scale = b.Add(b.Mul(b.Sub(positive, one), target), one);
    loss = b.Add(b.Mul(b.Sub(one, target), x), b.Mul(scale, soft_plus(b, b.Neg(x))));
  }
  return reduced_loss(c, weighted(c, loss));
}
// aten::kl_div(Tensor self, Tensor target, int reduction=Mean, *, bool log_target=False) -> Tensor
Value* kl_div(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = pair(c);
  if (c.flag("log_target")) return reduced_loss(c, b.Mul(b.Exp(x[1]), b.Sub(x[1], x[0])));
  Value* zero = b.number_like(0, x[1]);
  Value* entropy = b.Where(b.Equal(x[1], zero), zero, b.Mul(x[1], b.Log(x[1])));
  return reduced_loss(c, b.Sub(entropy, b.Mul(x[1], x[0])));
}
Value* poisson_nll_loss(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted_float({"input", "target"});
  Value* loss = c.flag("log_input") ? b.Sub(b.Exp(x[0]), b.Mul(x[1], x[0]))
                                    : b.Sub(x[0], b.Mul(x[1], b.Log(b.Add(x[0], c.number("eps")))));
  if (c.flag("full")) {  // Stirling's approximation of log(target!)
    Value* stirling =
        b.Add(b.Sub(b.Mul(x[1], b.Log(x[1])), x[1]), b.Mul(b.Log(b.Mul(x[1], 2 * std::numbers::pi)), 0.5));
    loss = b.Add(loss, b.Where(b.LessOrEqual(x[1], b.number_like(1, x[1])), b.number_like(0, x[1]), stirling));
  }
  return reduced_loss(c, loss);
}

// --- classes ---------------------------------------------------------------------------------------------------------

struct Classes {
  Value* picked;  // the log probability of the target's class
  Value* weight;  // of each element, 0 for ignored ones
};
Classes classes_of(Call& c, Value* logs) {
  ir::Builder& b = c.b;
  Value* target = b.Cast(c.tensor("target"), DType::kInt64);
  const int64_t axis = logs->rank() == 1 ? 0 : 1;
  Value* ignored = b.Equal(target, b.i64(c.integer("ignore_index")));
  Value* safe = b.Where(ignored, b.i64(0), target);
  Value* index = logs->rank() == 1 && target->rank() == 0 ? b.Unsqueeze(safe, {0}) : b.Unsqueeze(safe, {axis});
  Value* picked = b.Squeeze(b.op("GatherElements", {logs, index}, {{"axis", axis}}), {axis});
  Value* weight = c.maybe_tensor("weight");
  Value* each = weight == nullptr ? b.number_like(1, logs) : b.Gather(b.Cast(weight, logs->dtype), safe, 0);
  return {picked, b.Where(ignored, b.number_like(0, logs), each)};
}
Value* reduced_by_weight(Call& c, Value* loss, Value* weight) {
  ir::Builder& b = c.b;
  const int64_t reduction = c.integer("reduction");
  if (reduction == 0) return loss;
  const auto total = [&](Value* x) { return x->rank() == 0 ? x : b.ReduceSum(x, {}, false); };
  return reduction == 1 ? b.Div(total(loss), total(weight)) : total(loss);
}
Value* nll_loss(Call& c) {
  const Classes classes = classes_of(c, c.tensor("self"));
  return reduced_by_weight(c, c.b.Neg(c.b.Mul(classes.picked, classes.weight)), classes.weight);
}
ir::Values nll_loss_forward(Call& c) {
  const Classes classes = classes_of(c, c.tensor("self"));
  Value* total = classes.weight->rank() == 0 ? classes.weight : c.b.ReduceSum(classes.weight, {}, false);
  return {nll_loss(c), total};
}

// aten::cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=Mean, SymInt
// ignore_index=-100, float label_smoothing=0.0) -> Tensor
Value* cross_entropy_loss(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const int64_t axis = x->rank() == 1 ? 0 : 1;
  Value* logs = b.LogSoftmax(x, axis);
  Value* target = c.tensor("target");
  Value* weight = c.maybe_tensor("weight");
  Value* per_class = weight == nullptr ? nullptr : along(b, b.Cast(weight, x->dtype), axis, x->rank());
  const double smoothing = c.number("label_smoothing");
  if (ir::is_floating(target->dtype)) {  // a probability for each class
    Value* classes = b.Cast(b.dim(x, axis), x->dtype);
    if (smoothing > 0) target = b.Add(b.Mul(target, 1 - smoothing), b.Div(b.number_like(smoothing, x), classes));
    Value* each = b.Mul(target, logs);
    if (per_class != nullptr) each = b.Mul(each, per_class);
    Value* loss = b.Neg(b.ReduceSum(each, {axis}, false));
    return loss->rank() == 0 && c.integer("reduction") != 0 ? loss : reduced_loss(c, loss);
  }
  const Classes classes = classes_of(c, logs);
  Value* loss = b.Neg(b.Mul(classes.picked, classes.weight));
  if (smoothing > 0) {
    Value* spread = b.Neg(b.ReduceSum(per_class == nullptr ? logs : b.Mul(logs, per_class), {axis}, false));
    Value* ignored = b.Equal(b.Cast(target, DType::kInt64), b.i64(c.integer("ignore_index")));
    spread = b.Where(ignored, b.number_like(0, x), spread);
    Value* share = b.Div(b.number_like(smoothing, x), b.Squeeze(b.Cast(b.dim(x, axis), x->dtype), {0}));
    loss = b.Add(b.Mul(loss, 1 - smoothing), b.Mul(spread, share));
  }
  return reduced_by_weight(c, loss, classes.weight);
}

// --- margins ---------------------------------------------------------------------------------------------------------

Value* positive_part(ir::Builder& b, Value* x) { return b.Max(x, 0.0); }

Value* margin_ranking_loss(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted({"input1", "input2", "target"});
  Value* loss = b.Neg(b.Mul(x[2], b.Sub(x[0], x[1])));
  return reduced_loss(c, positive_part(b, b.Add(loss, c.number("margin"))));
}
Value* hinge_embedding_loss(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = pair(c);
  Value* zero = b.number_like(0, x[0]);
  Value* hinge = positive_part(b, b.Sub(b.number_like(c.number("margin"), x[0]), x[0]));
  Value* unlike = b.Where(b.Equal(x[1], b.number_like(1, x[1])), zero, hinge);
  Value* alike = b.Where(b.Equal(x[1], b.number_like(-1, x[1])), zero, x[0]);
  return reduced_loss(c, b.Add(unlike, alike));
}
Value* soft_margin_loss(Call& c) {
  const ir::Values x = pair(c);
  return reduced_loss(c, soft_plus(c.b, c.b.Neg(c.b.Mul(x[0], x[1]))));
}
// Over every class but the target's: max(0, margin - x[target] + x[class])^p / classes.
Value* multi_margin_loss(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* target = b.Cast(c.tensor("target"), DType::kInt64);
  const bool single = x->rank() < 2;
  if (single) {
    x = b.Reshape(x, {1, -1});
    target = b.Reshape(target, {1});
  }
  Value* column = b.Unsqueeze(target, {1});
  Value* wanted = b.op("GatherElements", {x, column}, {{"axis", 1}});
  Value* violation = positive_part(b, b.Add(b.Sub(x, wanted), c.number("margin")));
  if (c.number("p") == 2) violation = b.Mul(violation, violation);
  if (Value* weight = c.maybe_tensor("weight"))
    violation = b.Mul(violation, b.Unsqueeze(b.Gather(weight, target, 0), {1}));
  Value* own = b.Equal(column, counting(b, b.dim(x, 1)));
  Value* loss = b.ReduceMean(b.Where(own, b.number_like(0, x), violation), {1}, false);
  return reduced_loss(c, single ? b.Squeeze(loss, {0}) : loss);
}
// Targets are lists of classes that end at the first -1.
Value* multilabel_margin_loss(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* target = b.Cast(c.tensor("target"), DType::kInt64);
  const bool single = x->rank() < 2;
  if (single) {
    x = b.Reshape(x, {1, -1});
    target = b.Reshape(target, {1, -1});
  }
  Value* ended = b.op("CumSum", {b.Cast(b.Less(target, b.i64(0)), DType::kInt64), b.i64(1)});
  Value* listed = b.Equal(ended, b.i64(0));
  Value* safe = b.Where(listed, target, b.i64(0));
  Value* wanted = b.op("GatherElements", {x, safe}, {{"axis", 1}});
  Value* classes = counting(b, b.dim(x, 1));
  Value* hits = b.And(b.Equal(b.Unsqueeze(target, {2}), classes), b.Unsqueeze(listed, {2}));
  Value* is_target = b.Cast(b.ReduceMax(b.Cast(hits, DType::kInt32), {1}, false), DType::kBool);
  Value* gap = b.Sub(b.Unsqueeze(x, {1}), b.Unsqueeze(wanted, {2}));
  Value* violation = positive_part(b, b.Add(gap, 1));
  Value* counts = b.And(b.Unsqueeze(listed, {2}), b.Not(b.Unsqueeze(is_target, {1})));
  Value* sum = b.ReduceSum(b.Where(counts, violation, b.number_like(0, x)), {1, 2}, false);
  Value* loss = b.Div(sum, b.Squeeze(b.Cast(b.dim(x, 1), x->dtype), {0}));
  return reduced_loss(c, single ? b.Squeeze(loss, {0}) : loss);
}
Value* cosine_embedding_loss(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted_float({"input1", "input2"});
  Value* target = c.tensor("target");
  constexpr double kEpsilon = 1e-12;
  const auto squares = [&](Value* value) { return b.Add(b.ReduceSum(b.Mul(value, value), {-1}, false), kEpsilon); };
  Value* dot = b.ReduceSum(b.Mul(x[0], x[1]), {-1}, false);
  Value* cosine = b.Div(dot, b.Sqrt(b.Mul(squares(x[0]), squares(x[1]))));
  Value* zero = b.number_like(0, cosine);
  Value* alike = b.Where(b.Equal(target, b.number_like(1, target)), b.Sub(b.number_like(1, cosine), cosine), zero);
  Value* apart = positive_part(b, b.Sub(cosine, c.number("margin")));
  return reduced_loss(c, b.Add(alike, b.Where(b.Equal(target, b.number_like(-1, target)), apart, zero)));
}
Value* distance(ir::Builder& b, Value* x, Value* y, double p, double eps) {
  Value* difference = b.Abs(b.Add(b.Sub(x, y), eps));
  if (p == 2) return b.ReduceL2(difference, {-1}, false);
  if (p == 1) return b.ReduceSum(difference, {-1}, false);
  if (std::isinf(p)) return b.ReduceMax(difference, {-1}, false);
  return b.Pow(b.ReduceSum(b.Pow(difference, p), {-1}, false), 1 / p);
}
Value* triplet_margin_loss(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted_float({"anchor", "positive", "negative"});
  const double p = c.number("p");
  const double eps = c.number("eps");
  Value* near = distance(b, x[0], x[1], p, eps);
  Value* far = distance(b, x[0], x[2], p, eps);
  if (c.flag("swap")) far = b.Min(far, distance(b, x[1], x[2], p, eps));
  return reduced_loss(c, positive_part(b, b.Add(b.Sub(near, far), c.number("margin"))));
}

}  // namespace

void register_loss(OpTable& t) {
  const std::string head = "(Tensor self, Tensor target, ";
  const std::string reduction = "int reduction=Mean) -> Tensor";
  t.add("aten::mse_loss" + head + reduction, mse_loss);
  t.add("aten::l1_loss" + head + reduction, l1_loss);
  t.add("aten::smooth_l1_loss" + head + "int reduction=Mean, float beta=1.0) -> Tensor", smooth_l1_loss);
  t.add("aten::huber_loss" + head + "int reduction=Mean, float delta=1.0) -> Tensor", huber_loss);
  t.add("aten::binary_cross_entropy" + head + "Tensor? weight=None, " + reduction, binary_cross_entropy);
  t.add("aten::binary_cross_entropy_with_logits" + head + "Tensor? weight=None, Tensor? pos_weight=None, " + reduction,
        binary_cross_entropy_with_logits);
  t.add("aten::kl_div" + head + "int reduction=Mean, *, bool log_target=False) -> Tensor", kl_div);
  t.add(
      "aten::poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> "
      "Tensor",
      poisson_nll_loss);
  for (const char* name : {"aten::nll_loss", "aten::nll_loss2d", "aten::nll_loss_nd"}) {
    t.add(name + head + "Tensor? weight=None, int reduction=Mean, SymInt ignore_index=-100) -> Tensor", nll_loss);
  }
  for (const char* name : {"aten::nll_loss_forward", "aten::nll_loss2d_forward"}) {
    t.add(name + head + "Tensor? weight, int reduction, SymInt ignore_index) -> (Tensor output, Tensor total_weight)",
          nll_loss_forward);
  }
  t.add("aten::cross_entropy_loss" + head +
            "Tensor? weight=None, int reduction=Mean, SymInt ignore_index=-100, float label_smoothing=0.0) -> Tensor",
        cross_entropy_loss);
  const std::string inputs = "(Tensor input1, Tensor input2, Tensor target, float margin=0.0, ";
  t.add("aten::margin_ranking_loss" + inputs + reduction, margin_ranking_loss);
  t.add("aten::cosine_embedding_loss" + inputs + reduction, cosine_embedding_loss);
  t.add("aten::hinge_embedding_loss" + head + "float margin=1.0, " + reduction, hinge_embedding_loss);
  t.add("aten::soft_margin_loss" + head + reduction, soft_margin_loss);
  t.add("aten::multi_margin_loss" + head + "Scalar p=1, Scalar margin=1, Tensor? weight=None, " + reduction,
        multi_margin_loss);
  t.add("aten::multilabel_margin_loss" + head + reduction, multilabel_margin_loss);
  t.add(
      "aten::triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, "
      "float eps=1e-06, bool swap=False, int reduction=Mean) -> Tensor",
      triplet_margin_loss);
}

}  // namespace onward::importer::torch
