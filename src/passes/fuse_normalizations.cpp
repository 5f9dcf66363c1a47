// A layer normalization that a file has in small parts becomes one operator. With m = mean(x), v = mean((x - m)²) along
// trailing axes and i = 1 / √(v + ε):
//
//   any sum and product that comes to s·x·i - s·m·i + b     →  LayerNormalization(x, s, b)
//   Reshape(BatchNormalization(Reshape(x, [1, rows, k, 1]), 1, 0, m, v))   →  LayerNormalization(x, 1)   of k elements
//   LayerNormalization(x, s, b) · k,  … + k                 →  LayerNormalization(x, s·k, b·k),  LayerNormalization(x,
//   s, b + k)
//
// Conditions: floats; s, b and k are constants that vary along the normalized axes only, whose dims are known.
#include <algorithm>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

// --- the parts ----------------------------------------------------------------------------------------------------

struct Normal {
  Value* x;
  const Value* mean;
  double epsilon;
  std::vector<int64_t> axes;
};

// The axes of a mean that keeps its dims.
std::optional<std::vector<int64_t>> mean_axes(const Node* mean) {
  if (mean == nullptr || mean->attrs.get("keepdims", int64_t{1}) == 0) return std::nullopt;
  return constant_ints(mean->input(1));
}

// (x - m)², with the mean m of x.
std::optional<Normal> squared_difference(const Value* value) {
  const Node* square = value != nullptr ? value->producer() : nullptr;
  if (square == nullptr) return std::nullopt;
  const bool by_power = square->is("Pow") && constant_number(square->input(1)) == 2.0;
  if (!by_power && !(square->is("Mul") && square->input(1) == square->input(0))) return std::nullopt;
  const Node* sub = produced_by(square->input(0), "Sub");
  const Node* mean = sub != nullptr ? produced_by(sub->input(1), "ReduceMean") : nullptr;
  const auto axes = mean_axes(mean);
  if (!axes || mean->input(0) != sub->input(0)) return std::nullopt;
  return Normal{sub->input(0), sub->input(1), 0, *axes};
}

// v + ε of something.
std::optional<Normal> variance(const Value* value) {
  const Node* add = produced_by(value, "Add");
  if (add == nullptr) return std::nullopt;
  for (const size_t side : {0U, 1U}) {
    const auto epsilon = constant_number(add->input(side));
    const Node* mean = produced_by(add->input(1 - side), "ReduceMean");
    const auto axes = mean_axes(mean);
    if (!epsilon || !axes) continue;
    auto normal = squared_difference(mean->input(0));
    if (!normal || normal->axes != *axes) continue;
    normal->epsilon = *epsilon;
    return normal;
  }
  return std::nullopt;
}

// √(v + ε)
std::optional<Normal> deviation(const Value* value) {
  const Node* node = value->producer();
  if (node == nullptr) return std::nullopt;
  const bool root = node->is("Sqrt") || (node->is("Pow") && constant_number(node->input(1)) == 0.5);
  return root ? variance(node->input(0)) : std::nullopt;
}

// 1 / √(v + ε)
std::optional<Normal> inverse_deviation(const Value* value) {
  const Node* node = value->producer();
  if (node == nullptr) return std::nullopt;
  if (node->is("Reciprocal")) return deviation(node->input(0));
  if (node->is("Div") && constant_number(node->input(0)) == 1.0) return deviation(node->input(1));
  if (node->is("Pow") && constant_number(node->input(1)) == -0.5) return variance(node->input(0));
  return std::nullopt;
}

bool is_arithmetic(const Node* node) {
  return node != nullptr &&
         (node->is("Add") || node->is("Sub") || node->is("Mul") || node->is("Div") || node->is("Neg"));
}

// The normalization whose deviation is used a few steps of arithmetic below `value`.
std::optional<Normal> normal_below(const Value* value, int steps) {
  if (auto normal = inverse_deviation(value)) return normal;
  const Node* node = value->producer();
  if (steps == 0 || !is_arithmetic(node)) return std::nullopt;
  if (node->is("Div")) {
    if (auto normal = deviation(node->input(1))) return normal;
  }
  for (const Value* input : node->inputs()) {
    if (auto normal = normal_below(input, steps - 1)) return normal;
  }
  return std::nullopt;
}

// --- the sum that a value is --------------------------------------------------------------------------------------

// number · constant · xᵃ · mᵇ · iᶜ
struct Term {
  double number = 1;
  Value* constant = nullptr;
  int x = 0;
  int mean = 0;
  int inverse = 0;
};

class Expansion {
 public:
  Expansion(ir::Builder& b, const Normal& normal) : b_(b), normal_(normal) {}

  // Nothing where something else than the normalization's parts and constants takes part.
  std::optional<std::vector<Term>> of(Value* value, int steps) {
    if (value == normal_.x) return std::vector<Term>{{.x = 1}};
    if (value == normal_.mean) return std::vector<Term>{{.mean = 1}};
    if (value->is_constant()) return std::vector<Term>{{.constant = value}};
    if (is_inverse(inverse_deviation(value))) return std::vector<Term>{{.inverse = 1}};
    const Node* node = value->producer();
    if (steps == 0 || !is_arithmetic(node)) return std::nullopt;
    auto left = of(node->input(0), steps - 1);
    if (!left) return std::nullopt;
    if (node->is("Neg")) return negated(*left);
    if (node->is("Div")) return quotient(std::move(*left), node->input(1));
    auto right = of(node->input(1), steps - 1);
    if (!right) return std::nullopt;
    if (node->is("Mul")) return product(*left, *right);
    if (node->is("Sub")) right = negated(*right);
    left->insert(left->end(), right->begin(), right->end());
    return left->size() <= kTerms ? left : std::nullopt;
  }

 private:
  static constexpr size_t kTerms = 8;

  bool is_inverse(const std::optional<Normal>& other) const {
    return other && other->x == normal_.x && other->mean == normal_.mean && other->epsilon == normal_.epsilon;
  }

  static std::vector<Term> negated(std::vector<Term> terms) {
    for (Term& term : terms) term.number = -term.number;
    return terms;
  }

  std::optional<std::vector<Term>> quotient(std::vector<Term> terms, const Value* divisor) const {
    const auto number = constant_number(divisor);
    if (!number && !is_inverse(deviation(divisor))) return std::nullopt;
    for (Term& term : terms) {
      if (number) {
        term.number /= *number;
      } else {
        ++term.inverse;
      }
    }
    return terms;
  }

  std::optional<std::vector<Term>> product(const std::vector<Term>& left, const std::vector<Term>& right) {
    if (left.size() * right.size() > kTerms) return std::nullopt;
    std::vector<Term> terms;
    for (const Term& a : left) {
      for (const Term& c : right) {
        Value* constant = a.constant == nullptr   ? c.constant
                          : c.constant == nullptr ? a.constant
                                                  : b_.Mul(a.constant, c.constant);
        terms.push_back({a.number * c.number, constant, a.x + c.x, a.mean + c.mean, a.inverse + c.inverse});
      }
    }
    return terms;
  }

  ir::Builder& b_;
  const Normal& normal_;
};

// --- the operator -------------------------------------------------------------------------------------------------

// The first of the trailing axes that are normalized, from the end; nothing where they are others.
std::optional<int64_t> first_axis(const Normal& normal) {
  if (!normal.x->shape) return std::nullopt;
  const auto rank = static_cast<int64_t>(normal.x->rank());
  std::vector<int64_t> axes = normal.axes;
  for (int64_t& axis : axes) axis = axis < 0 ? axis : axis - rank;
  std::sort(axes.begin(), axes.end());
  for (size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] != static_cast<int64_t>(i) - static_cast<int64_t>(axes.size())) return std::nullopt;
  }
  return axes.empty() ? std::nullopt : std::optional<int64_t>(axes.front());
}

// The dims from `axis` on, where they are known.
std::optional<ir::Dims> normalized_dims(const Value* x, int64_t axis) {
  return ir::static_dims(ir::Shape(x->shape->end() + axis, x->shape->end()));
}

// `value`, spread over `dims`; null where it has others.
Value* spread(ir::Builder& b, Value* value, const ir::Dims& dims) {
  ir::Dims own = value->constant()->dims();
  while (own.size() > dims.size() && own.front() == 1) own.erase(own.begin());
  if (own.size() > dims.size()) return nullptr;
  for (size_t i = 0; i < own.size(); ++i) {
    if (own[i] != 1 && own[i] != dims[dims.size() - own.size() + i]) return nullptr;
  }
  if (own != value->constant()->dims()) value = b.constant(value->constant()->reshaped(own), value->name);
  return own == dims ? value : b.Expand(value, b.ints(dims));
}

// The sum of the terms with these powers; null where there is none.
Value* coefficient(ir::Builder& b, const std::vector<Term>& terms, const Term& powers, ir::DType dtype) {
  Value* sum = nullptr;
  for (const Term& term : terms) {
    if (term.x != powers.x || term.mean != powers.mean || term.inverse != powers.inverse) continue;
    Value* value = term.constant == nullptr ? b.number(term.number, dtype)
                   : term.number == 1       ? term.constant
                                            : b.Mul(term.constant, term.number);
    sum = sum == nullptr ? value : b.Add(sum, value);
  }
  return sum;
}

Outcome normalization(Node& node, Rewrite& rewrite) {
  constexpr int kSteps = 6;
  constexpr Term kScale{.x = 1, .inverse = 1};
  constexpr Term kCentre{.mean = 1, .inverse = 1};
  constexpr Term kShift{};
  ir::Builder& b = rewrite.b;
  const auto normal = normal_below(node.output(), kSteps);
  if (!normal || !ir::is_floating(node.output()->dtype)) return Outcome::no("no deviation below it");
  const auto axis = first_axis(*normal);
  const auto dims = axis ? normalized_dims(normal->x, *axis) : std::nullopt;
  if (!dims) return Outcome::no("the axes are not the last ones, or their sizes unknown");
  const auto terms = Expansion(b, *normal).of(node.output(), kSteps);
  if (!terms) return Outcome::no("something else takes part");
  const auto fits = [&](const Term& term) { return term.inverse == term.x + term.mean && term.x + term.mean <= 1; };
  if (!std::all_of(terms->begin(), terms->end(), fits)) return Outcome::no("no normalization");
  Value* scale = coefficient(b, *terms, kScale, normal->x->dtype);
  Value* centre = coefficient(b, *terms, kCentre, normal->x->dtype);
  if (scale == nullptr || centre == nullptr || !is_constant_of(b.Add(scale, centre), 0)) {
    return Outcome::no("the mean is not taken away");
  }
  scale = spread(b, scale, *dims);
  Value* shift = coefficient(b, *terms, kShift, normal->x->dtype);
  if (shift != nullptr) {
    shift = spread(b, shift, *dims);
    if (shift == nullptr) return Outcome::no("the shift varies along other axes");
  }
  if (scale == nullptr) return Outcome::no("the scale varies along other axes");
  rewrite.replace(node.output(), b.op("LayerNormalization", {normal->x, scale, shift},
                                      {{"axis", *axis}, {"epsilon", normal->epsilon}}));
  return Outcome::done();
}

// A scale or a shift after the operator joins its own.
Outcome affine(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  for (const size_t side : {0U, 1U}) {
    const Node* before = produced_by(node.input(side), "LayerNormalization");
    Value* other = node.input(1 - side);
    if (before == nullptr || !has_single_use(before->output()) || before->outputs().size() != 1) continue;
    Value* scale = before->input(1);
    Value* shift = before->input(2);
    if (!other->is_constant() || !scale->is_constant() || (shift != nullptr && !shift->is_constant())) continue;
    const ir::Dims& dims = scale->constant()->dims();
    other = spread(b, other, dims);
    if (other == nullptr) continue;
    if (node.is("Add")) {
      shift = shift == nullptr ? other : b.Add(shift, other);
    } else {
      scale = b.Mul(scale, other);
      if (shift != nullptr) shift = b.Mul(shift, other);
    }
    rewrite.replace(node.output(), b.op("LayerNormalization", {before->input(0), scale, shift}, before->attrs));
    return Outcome::done();
  }
  return Outcome::no("no normalization before it");
}

// --- as Keras 2 has it --------------------------------------------------------------------------------------------

// The mean over all axes but the second, without them.
const Value* mean_of_channels(const Value* value) {
  const auto all_but_one = [](std::optional<std::vector<int64_t>> axes) {
    return axes && *axes == std::vector<int64_t>{0, 2, 3};
  };
  const Node* node = value->producer();
  if (node != nullptr && node->is("Squeeze")) {
    if (!all_but_one(constant_ints(node->input(1)))) return nullptr;
    const Node* mean = produced_by(node->input(0), "ReduceMean");
    return all_but_one(mean_axes(mean)) ? mean->input(0) : nullptr;
  }
  if (node == nullptr || !node->is("ReduceMean") || node->attrs.get("keepdims", int64_t{1}) != 0) return nullptr;
  return all_but_one(constant_ints(node->input(1))) ? node->input(0) : nullptr;
}

// How many trailing dims of x make `count` elements.
std::optional<size_t> trailing_dims(const Value* x, int64_t count) {
  int64_t product = 1;
  for (size_t taken = 1; x->shape && taken <= x->rank(); ++taken) {
    const ir::Dim& dim = x->dim(x->rank() - taken);
    if (!dim.is_known() || dim.value() < 1 || dim.value() > count / product) return std::nullopt;
    product *= dim.value();
    if (product == count) return taken;
  }
  return std::nullopt;
}

// Rows as channels of one image whose normalization takes its statistics from them.
Outcome normalization_of_rows(Node& node, Rewrite& rewrite) {
  const Node* batch = produced_by(node.input(0), "BatchNormalization");
  const Node* flat = batch != nullptr ? produced_by(batch->input(0), "Reshape") : nullptr;
  if (flat == nullptr || !has_single_use(batch->output())) return Outcome::no("no normalization of a reshaped value");
  const Value* rows = flat->output();
  Value* x = flat->input(0);
  if (!rows->shape || rows->rank() != 4 || !rows->dim(0).same(ir::Dim(1)) || !rows->dim(3).same(ir::Dim(1)) ||
      !rows->dim(2).is_known()) {
    return Outcome::no("no rows of known length");
  }
  const auto normal = squared_difference(mean_of_channels(batch->input(4)));
  const bool own = normal && normal->x == rows && mean_of_channels(batch->input(3)) == rows;
  if (!own || !is_filled_with(batch->input(1), 1) || !is_filled_with(batch->input(2), 0)) {
    return Outcome::no("the statistics are not the rows' own");
  }
  const auto taken = trailing_dims(x, rows->dim(2).value());
  if (!taken || !node.output()->shape || !same_shape_by_count(*x->shape, *node.output()->shape)) {
    return Outcome::no("the rows are not the last dims");
  }
  const auto axis = -static_cast<int64_t>(*taken);
  Value* scale = rewrite.b.constant(ir::Tensor::filled(x->dtype, *normalized_dims(x, axis), 1));
  rewrite.replace(node.output(), rewrite.b.op("LayerNormalization", {x, scale},
                                              {{"axis", axis}, {"epsilon", batch->attrs.get("epsilon", 1e-5F)}}));
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Add", affine},
                           {"Mul", affine},
                           {"Add", normalization},
                           {"Sub", normalization},
                           {"Mul", normalization},
                           {"Div", normalization},
                           {"Reshape", normalization_of_rows}};

}  // namespace

bool fuse_normalizations(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
