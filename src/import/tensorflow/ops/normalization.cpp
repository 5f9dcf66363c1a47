// Batch normalization, local response normalization.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

struct Moments {
  Value* mean;
  Value* variance;
  Value* count;
};

Moments moments(ir::Builder& b, Value* image) {
  std::vector<int64_t> axes = all_axes(image->rank());
  axes.erase(axes.begin() + 1);
  Value* kept = b.ReduceMean(image, axes);
  Value* d = b.Sub(image, kept);
  Value* count = b.Cast(as_scalar(b, b.Div(b.Size(image), b.dim_scalar(image, 1))), image->dtype);
  return {b.Squeeze(kept, axes), b.ReduceMean(b.Mul(d, d), axes, false), count};
}

// running * (1 - factor) + batch * factor
Value* averaged(ir::Builder& b, Value* running, Value* batch, double factor) {
  return factor == 1 ? batch : b.Add(b.Mul(running, 1 - factor), b.Mul(batch, factor));
}

// FusedBatchNormV3(x: T, scale: U, offset: U, mean: U, variance: U, epsilon: float = 0.0001, exponential_avg_factor:
// float = 1, data_format: string = "NHWC", is_training: bool = true) -> y, batch_mean, batch_variance, reserve_space_1,
// reserve_space_2, reserve_space_3
ir::Values fused_batch_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.input(0);
  const size_t rank = x->has_rank() ? x->rank() : 4;
  const bool first = channels_first(c, rank == 5 ? "NDHWC" : "NHWC");
  const bool training = c.flag("is_training", true);
  const double epsilon = c.number("epsilon", 0.0001);
  const double factor = c.number("exponential_avg_factor", 1);
  Value* wide = b.Cast(x, c.input(1)->dtype);
  Value* image = first ? wide : b.Transpose(wide, channels_to_front(rank));
  Value* mean = c.input(3);
  Value* variance = c.input(4);
  ir::Values noted{mean, variance, mean, variance};
  if (training) {
    const Moments m = moments(b, image);
    Value* sample = b.Mul(m.variance, b.Div(m.count, b.Max(b.Sub(m.count, 1), 1)));
    noted = {averaged(b, mean, m.mean, factor), averaged(b, variance, sample, factor), m.mean, m.variance};
    mean = m.mean;
    variance = m.variance;
  }
  Value* y = b.op("BatchNormalization", {image, c.input(1), c.input(2), mean, variance}, {{"epsilon", epsilon}});
  ir::Values results{b.Cast(first ? y : b.Transpose(y, channels_to_back(rank)), x->dtype)};
  results.insert(results.end(), noted.begin(), noted.end());
  results.push_back(b.number(0, DType::kFloat));
  return results;
}

// BatchNormWithGlobalNormalization(t: T, m: T, v: T, beta: T, gamma: T, variance_epsilon: float,
// scale_after_normalization: bool) -> result
Value* global_batch_norm(Call& c) {
  ir::Builder& b = c.b;
  Value* factor = b.Reciprocal(b.Sqrt(b.Add(c.input(2), c.number("variance_epsilon"))));
  if (c.flag("scale_after_normalization")) factor = b.Mul(factor, c.input(4));
  return b.Add(b.Mul(b.Sub(c.input(0), c.input(1)), factor), c.input(3));
}

// LRN(input: T, depth_radius: int = 5, bias: float = 1, alpha: float = 1, beta: float = 0.5) -> output
Value* lrn(Call& c) {
  const int64_t size = 2 * c.integer("depth_radius", 5) + 1;
  const double alpha = c.number("alpha", 1) * static_cast<double>(size);
  return in_nchw(c.b, c.input(0), 4, false, [&](Value* image) {
    return c.b.op("LRN", {image},
                  {{"size", size}, {"alpha", alpha}, {"beta", c.number("beta", 0.5)}, {"bias", c.number("bias", 1)}});
  });
}

// L2Loss(t: T) -> output: half the sum of squares
Value* l2_loss(Call& c) { return c.b.Mul(c.b.ReduceSumSquare(c.input(0), {}, false), 0.5); }

}  // namespace

void register_normalization(OpTable& t) {
  const std::string outputs = " -> y, batch_mean, batch_variance, reserve_space_1, reserve_space_2";
  t.add("FusedBatchNorm" + outputs, fused_batch_norm);
  t.add("FusedBatchNormV2" + outputs, fused_batch_norm);
  t.add("FusedBatchNormV3" + outputs + ", reserve_space_3", fused_batch_norm);
  t.add("BatchNormWithGlobalNormalization", global_batch_norm);
  t.add("LRN", lrn);
  t.add("L2Loss", l2_loss);
}

}  // namespace onward::importer::tf
