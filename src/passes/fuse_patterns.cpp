// Activations and normalizations that a file has in small parts become one operator, which the lowering to older opsets
// then writes in the form that ONNX Runtime fuses:
//
//   x · 0.5 · (1 + erf(x / √2)), in any order of the factors         →  Gelu(x)
//   x · 0.5 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))), likewise     →  Gelu(x) <approximate = "tanh">
//   x · sigmoid(x) stays: ONNX Runtime fuses it as it is
//   (x - m) / √(v + ε) · s + b, or (x · k) + (b - m · k) with k = s / √(v + ε)
//     with m = mean(x), v = mean((x - m)²) along trailing axes       →  LayerNormalization(x, s, b)
//
// Conditions: floats; s and b have the normalized dims.
#include <algorithm>
#include <cmath>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

// --- products -----------------------------------------------------------------------------------------------------

struct Product {
  double number = 1;
  std::vector<Value*> factors;
};

std::optional<double> scalar(const Value* value) {
  const ir::Tensor* tensor = constant_of(value);
  if (tensor == nullptr || tensor->count() != 1 || !ir::is_floating(tensor->dtype())) return std::nullopt;
  return tensor->as_double();
}

bool near(double a, double b) { return std::fabs(a - b) <= 1e-3 * std::fabs(b); }

// Multiplications and divisions by numbers below `value`, as far as nothing else uses them.
void collect(Value* value, bool top, Product& product) {
  Node* node = value->producer();
  const bool open = node != nullptr && (top || has_single_use(value));
  if (open && node->is("Mul")) {
    for (const size_t side : {0U, 1U}) {
      if (const auto number = scalar(node->input(side))) {
        product.number *= *number;
        return collect(node->input(1 - side), false, product);
      }
    }
    collect(node->input(0), false, product);
    collect(node->input(1), false, product);
    return;
  }
  if (open && node->is("Div")) {
    if (const auto number = scalar(node->input(1))) {
      product.number /= *number;
      return collect(node->input(0), false, product);
    }
  }
  product.factors.push_back(value);
}

Product product_of(Value* value) {
  Product product;
  collect(value, true, product);
  return product;
}

// `value` is f + number.
Value* plus_number(const Value* value, double number) {
  const Node* add = produced_by(value, "Add");
  if (add == nullptr) return nullptr;
  for (const size_t side : {0U, 1U}) {
    const auto found = scalar(add->input(side));
    if (found && near(*found, number)) return add->input(1 - side);
  }
  return nullptr;
}

// --- Gelu ---------------------------------------------------------------------------------------------------------

bool is_product_of(Value* value, double number, const Value* x) {
  const Product product = product_of(value);
  return product.factors.size() == 1 && product.factors[0] == x && near(product.number, number);
}

// c · x³, written as a power or as products.
bool is_cube(Value* value, double number, const Value* x) {
  Product product = product_of(value);
  if (!near(product.number, number)) return false;
  if (product.factors.size() == 3) return product.factors == std::vector<Value*>(3, const_cast<Value*>(x));
  const Node* power = product.factors.size() == 1 ? produced_by(product.factors[0], "Pow") : nullptr;
  const auto exponent = power != nullptr ? scalar(power->input(1)) : std::nullopt;
  return exponent && *exponent == 3 && power->input(0) == x;
}

// √(2/π) · (x + 0.044715 · x³)
bool is_tanh_argument(Value* value, const Value* x) {
  const Product outer = product_of(value);
  if (outer.factors.size() != 1 || !near(outer.number, std::sqrt(2 / M_PI))) return false;
  const Node* sum = produced_by(outer.factors[0], "Add");
  if (sum == nullptr) return false;
  return (sum->input(0) == x && is_cube(sum->input(1), 0.044715, x)) ||
         (sum->input(1) == x && is_cube(sum->input(0), 0.044715, x));
}

Outcome gelu(Node& node, Rewrite& rewrite) {
  if (!ir::is_floating(node.output()->dtype)) return Outcome::no("no floats");
  const Product product = product_of(node.output());
  if (product.factors.size() != 2 || !near(product.number, 0.5)) return Outcome::no("no half of two factors");
  for (const size_t side : {0U, 1U}) {
    Value* x = product.factors[side];
    Value* inner = plus_number(product.factors[1 - side], 1);
    if (inner == nullptr) continue;
    if (const Node* erf = produced_by(inner, "Erf"); erf != nullptr && is_product_of(erf->input(0), M_SQRT1_2, x)) {
      rewrite.replace(node.output(), rewrite.b.op("Gelu", {x}));
      return Outcome::done();
    }
    if (const Node* tanh = produced_by(inner, "Tanh"); tanh != nullptr && is_tanh_argument(tanh->input(0), x)) {
      rewrite.replace(node.output(), rewrite.b.op("Gelu", {x}, {{"approximate", "tanh"}}));
      return Outcome::done();
    }
  }
  return Outcome::no("no Gelu");
}

// --- LayerNormalization -------------------------------------------------------------------------------------------

struct Normal {
  Value* x;
  Value* mean;
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
  const Node* square = value->producer();
  if (square == nullptr) return std::nullopt;
  const Value* difference = square->input(0);
  const bool by_power = square->is("Pow") && scalar(square->input(1)) == 2.0;
  if (!by_power && !(square->is("Mul") && square->input(1) == difference)) return std::nullopt;
  const Node* sub = produced_by(difference, "Sub");
  const Node* mean = sub != nullptr ? produced_by(sub->input(1), "ReduceMean") : nullptr;
  const auto axes = mean_axes(mean);
  if (!axes || mean->input(0) != sub->input(0)) return std::nullopt;
  return Normal{sub->input(0), sub->input(1), 0, *axes};
}

// √(variance + ε) of something.
std::optional<Normal> deviation(const Value* value) {
  const Node* root = produced_by(value, "Sqrt");
  const Node* add = root != nullptr ? produced_by(root->input(0), "Add") : nullptr;
  if (add == nullptr) return std::nullopt;
  for (const size_t side : {0U, 1U}) {
    const auto epsilon = scalar(add->input(side));
    const Node* variance = produced_by(add->input(1 - side), "ReduceMean");
    const auto axes = mean_axes(variance);
    if (!epsilon || !axes) continue;
    auto normal = squared_difference(variance->input(0));
    if (!normal || normal->axes != *axes) continue;
    normal->epsilon = *epsilon;
    return normal;
  }
  return std::nullopt;
}

// 1 / √(variance + ε)
std::optional<Normal> inverse_deviation(const Value* value) {
  const Node* node = value->producer();
  if (node == nullptr) return std::nullopt;
  if (node->is("Reciprocal")) return deviation(node->input(0));
  if (node->is("Div") && scalar(node->input(0)) == 1.0) return deviation(node->input(1));
  return std::nullopt;
}

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

// The parameter without leading ones, when it has the normalized dims.
Value* parameter(ir::Builder& b, const Normal& normal, int64_t axis, Value* value) {
  if (value == nullptr || !value->is_constant()) return nullptr;
  const auto rank = static_cast<size_t>(-axis);
  ir::Dims dims = value->constant()->dims();
  while (dims.size() > rank && dims.front() == 1) dims.erase(dims.begin());
  if (dims.size() != rank) return nullptr;
  for (size_t i = 0; i < rank; ++i) {
    if (!normal.x->dim(normal.x->rank() - rank + i).same(ir::Dim(dims[i]))) return nullptr;
  }
  return dims == value->constant()->dims() ? value : b.constant(value->constant()->reshaped(dims), value->name);
}

Outcome layer_normalization(Rewrite& rewrite, Node& node, const Normal& normal, Value* scale, Value* shift) {
  const auto axis = first_axis(normal);
  if (!axis) return Outcome::no("the axes are not the last ones");
  scale = parameter(rewrite.b, normal, *axis, scale);
  shift = parameter(rewrite.b, normal, *axis, shift);
  if (scale == nullptr || shift == nullptr) return Outcome::no("scale or shift does not have the normalized dims");
  rewrite.replace(node.output(), rewrite.b.op("LayerNormalization", {normal.x, scale, shift},
                                              {{"axis", *axis}, {"epsilon", normal.epsilon}}));
  return Outcome::done();
}

// x · k + (b - m · k), k = 1/√(v + ε) · s
Outcome normalization_by_factor(Node& node, Rewrite& rewrite, size_t side) {
  const Node* scaled = produced_by(node.input(side), "Mul");
  const Node* rest = produced_by(node.input(1 - side), "Sub");
  const Node* shifted = rest != nullptr ? produced_by(rest->input(1), "Mul") : nullptr;
  if (scaled == nullptr || shifted == nullptr) return Outcome::no("no normalization");
  for (const size_t place : {0U, 1U}) {
    const Node* factor = produced_by(scaled->input(place), "Mul");
    const Value* x = scaled->input(1 - place);
    if (factor == nullptr) continue;
    for (const size_t inner : {0U, 1U}) {
      const auto normal = inverse_deviation(factor->input(inner));
      if (!normal || normal->x != x) continue;
      const bool same = (shifted->input(0) == normal->mean && shifted->input(1) == factor->output()) ||
                        (shifted->input(1) == normal->mean && shifted->input(0) == factor->output());
      if (same) return layer_normalization(rewrite, node, *normal, factor->input(1 - inner), rest->input(0));
    }
  }
  return Outcome::no("no normalization");
}

// ((x - m) / √(v + ε)) · s + b
Outcome normalization_by_steps(Node& node, Rewrite& rewrite, size_t side) {
  const Node* scaled = produced_by(node.input(side), "Mul");
  if (scaled == nullptr) return Outcome::no("no normalization");
  for (const size_t place : {0U, 1U}) {
    const Node* quotient = scaled->input(place)->producer();
    if (quotient == nullptr || (!quotient->is("Div") && !quotient->is("Mul"))) continue;
    const auto normal = quotient->is("Div") ? deviation(quotient->input(1)) : inverse_deviation(quotient->input(1));
    const Node* centred = produced_by(quotient->input(0), "Sub");
    if (!normal || centred == nullptr || centred->input(0) != normal->x || centred->input(1) != normal->mean) continue;
    return layer_normalization(rewrite, node, *normal, scaled->input(1 - place), node.input(1 - side));
  }
  return Outcome::no("no normalization");
}

Outcome normalization(Node& node, Rewrite& rewrite) {
  for (const size_t side : {0U, 1U}) {
    if (const Outcome outcome = normalization_by_factor(node, rewrite, side)) return outcome;
    if (const Outcome outcome = normalization_by_steps(node, rewrite, side)) return outcome;
  }
  return Outcome::no("no normalization");
}

constexpr Rule kRules[] = {{"Mul", gelu}, {"Div", gelu}, {"Add", normalization}};

}  // namespace

bool fuse_patterns(ir::Graph& graph, const ir::Inference& inference) { return apply_rules(graph, inference, kRules); }

}  // namespace onward::passes
