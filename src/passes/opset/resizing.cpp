// Resize with axes or antialiasing (opset 18).
#include <algorithm>
#include <cmath>

#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::Node;
using ir::Value;

bool has_resize_axes(const Node& node) { return node.attrs.contains("axes"); }

// Resize(X, roi, scales, sizes; axes) → scales or sizes for every axis.
Outcome resize_all_axes(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  if (!x->shape) return Outcome::no("the rank of its input is not known");
  if (node.input(1) != nullptr && !(node.input(1)->is_constant() && node.input(1)->constant()->count() == 0)) {
    return Outcome::no("it has a region and axes");
  }
  const auto rank = static_cast<int64_t>(x->rank());
  const std::vector<int64_t> axes = node.attrs.at("axes").as_ints();
  for (size_t input = 2; input < node.inputs().size(); ++input) {
    Value* given = node.input(input);
    if (given == nullptr || (given->is_constant() && given->constant()->count() == 0)) continue;
    ir::Values parts;
    for (int64_t axis = 0; axis < rank; ++axis) {
      const auto found = std::find_if(axes.begin(), axes.end(), [&](int64_t a) { return (a + rank) % rank == axis; });
      const int64_t place = found - axes.begin();
      if (found != axes.end()) {
        parts.push_back(b.Slice(given, place, place + 1, 0));
      } else {
        parts.push_back(input == 2 ? b.constant(ir::Tensor::filled(given->dtype, {1}, 1)) : b.dim(x, axis));
      }
    }
    node.set_input(input, b.Concat(parts, 0));
  }
  node.attrs.erase("axes");
  return Outcome::done();
}

bool has_plain_policy(const Node& node) { return node.attrs.contains("keep_aspect_ratio_policy"); }

Outcome drop_policy(Node& node, Rewrite&) {
  if (node.attrs.get("keep_aspect_ratio_policy", "stretch") != "stretch") {
    return Outcome::no("it keeps the aspect ratio");
  }
  node.attrs.erase("keep_aspect_ratio_policy");
  return Outcome::done();
}

bool has_antialias(const Node& node) { return node.attrs.contains("antialias"); }

double weight_at(double distance, bool cubic, double a) {
  const double x = std::fabs(distance);
  if (!cubic) return std::max(0.0, 1 - x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

// [to, from]: how much every input place counts in every output place. Places outside count for the edge's, or not at
// all with `exclude_outside`.
std::vector<double> weights(int64_t from, int64_t to, bool cubic, double a, bool exclude_outside) {
  std::vector<double> matrix(static_cast<size_t>(from * to), 0);
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double spread = std::max(scale, 1.0);
  const double reach = spread * (cubic ? 2 : 1);
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<int64_t>(std::floor(centre - reach + 0.5));
    const auto last = static_cast<int64_t>(std::floor(centre + reach + 0.5));
    double* row = &matrix[static_cast<size_t>(i * from)];
    double sum = 0;
    for (int64_t j = first; j < last; ++j) {
      if (exclude_outside && (j < 0 || j >= from)) continue;
      const double weight = weight_at((static_cast<double>(j) - centre + 0.5) / spread, cubic, a);
      row[std::clamp<int64_t>(j, 0, from - 1)] += weight;
      sum += weight;
    }
    for (int64_t j = 0; j < from; ++j) row[j] /= sum;
  }
  return matrix;
}

// Downsampling with antialiasing is a product with a matrix for each axis.
Outcome resize_by_products(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  if (node.attrs.get("antialias", int64_t{0}) == 0) {
    node.attrs.erase("antialias");
    return Outcome::done();
  }
  Value* x = node.input(0);
  const std::string mode = node.attrs.get("mode", "nearest");
  if (mode == "nearest") return Outcome::no("it is antialiased and takes the nearest");
  if (node.attrs.get("coordinate_transformation_mode", "half_pixel") != "half_pixel") {
    return Outcome::no("it is antialiased and its coordinates are not those of pixel centres");
  }
  const auto from = x->shape ? ir::static_dims(*x->shape) : std::nullopt;
  const auto to = node.output()->shape ? ir::static_dims(*node.output()->shape) : std::nullopt;
  for (size_t i = 0; x->shape && node.output()->shape && i < x->rank(); ++i) {
    const bool spatial = i + 2 >= x->rank();
    if (spatial && !(x->dim(i).is_known() && node.output()->dim(i).is_known())) {
      return Outcome::no("it is antialiased and its sizes are computed");
    }
    if (!spatial && !x->dim(i).same(node.output()->dim(i)) && from && to) {
      return Outcome::no("it is antialiased along more than two axes");
    }
  }
  if (!x->shape || !node.output()->shape || x->rank() < 2) return Outcome::no("its shape is not known");
  const double a = node.attrs.get("cubic_coeff_a", -0.75F);
  const bool exclude = node.attrs.get("exclude_outside", int64_t{0}) != 0;
  const auto matrix = [&](size_t axis, bool transposed) {
    const int64_t in = x->dim(axis).value();
    const int64_t out = node.output()->dim(axis).value();
    const std::vector<double> entries = weights(in, out, mode == "cubic", a, exclude);
    Value* value = b.constant(ir::Tensor::from_doubles(x->dtype, {out, in}, entries));
    return transposed ? b.Transpose(value, {1, 0}) : value;
  };
  const size_t rank = x->rank();
  Value* columns = matrix(rank - 1, true);
  Value* rows = matrix(rank - 2, false);
  return becomes(node, rewrite, b.MatMul(rows, b.MatMul(x, columns)));
}

}  // namespace

void add_resizing(Table& table) {
  below(table, 18, "Resize", resize_all_axes, has_resize_axes);
  below(table, 18, "Resize", drop_policy, has_plain_policy);
  below(table, 18, "Resize", resize_by_products, has_antialias);
}

}  // namespace onward::passes::opset
