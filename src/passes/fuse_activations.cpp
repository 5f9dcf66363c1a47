// Activations that files have in small parts become one operator, which the lowering to older opsets then writes in the
// form that ONNX Runtime fuses:
//
//   x · 0.5 · (1 + erf(x / √2)), in any order of the factors         →  Gelu(x)
//   x · 0.5 · (1 - erf(-x / √2)), likewise                           →  Gelu(x)
//   x · 0.5 · (1 + tanh(√(2/π) · (x + 0.044715 · x³))), likewise     →  Gelu(x) <approximate = "tanh">
//
//   a · min(max(x + c, 0), 1/a)                                      →  HardSigmoid(x) <alpha = a, beta = a·c>
//   x · min(max(x + 3, 0), 6) / 6, in any order of the factors       →  HardSwish(x)
//
// Condition: floats. x · sigmoid(x) stays: ONNX Runtime fuses it as it is.
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

bool near(double a, double b) { return std::fabs(a - b) <= 1e-3 * std::fabs(b); }

// Multiplications and divisions by numbers below `value`, as far as nothing else uses them.
void collect(Value* value, bool top, Product& product) {
  Node* node = value->producer();
  const bool open = node != nullptr && (top || has_single_use(value));
  if (open && node->is("Mul")) {
    for (const size_t side : {0U, 1U}) {
      if (const auto number = constant_number(node->input(side))) {
        product.number *= *number;
        return collect(node->input(1 - side), false, product);
      }
    }
    collect(node->input(0), false, product);
    collect(node->input(1), false, product);
    return;
  }
  if (open && node->is("Neg")) {
    product.number = -product.number;
    return collect(node->input(0), false, product);
  }
  if (open && node->is("Div")) {
    if (const auto number = constant_number(node->input(1))) {
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
    const auto found = constant_number(add->input(side));
    if (found && near(*found, number)) return add->input(1 - side);
  }
  return nullptr;
}

// `value` is 1 - f.
Value* one_minus(const Value* value) {
  const Node* sub = produced_by(value, "Sub");
  return sub != nullptr && constant_number(sub->input(0)) == 1.0 ? sub->input(1) : nullptr;
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
  const auto exponent = power != nullptr ? constant_number(power->input(1)) : std::nullopt;
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
    if (const Node* erf = produced_by(one_minus(product.factors[1 - side]), "Erf");
        erf != nullptr && is_product_of(erf->input(0), -M_SQRT1_2, x)) {
      rewrite.replace(node.output(), rewrite.b.op("Gelu", {x}));
      return Outcome::done();
    }
    const Value* inner = plus_number(product.factors[1 - side], 1);
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

// --- HardSigmoid, HardSwish ---------------------------------------------------------------------------------------

// min(max(x + shift, 0), limit)
struct Ramp {
  Value* x;
  double shift;
  double limit;
};

std::optional<Ramp> ramp(const Value* value) {
  const Node* node = value->producer();
  if (node == nullptr) return std::nullopt;
  std::optional<double> limit;
  const Value* risen = nullptr;
  if (node->is("Clip") && constant_number(node->input(1)) == 0.0) {
    limit = constant_number(node->input(2));
    risen = node->input(0);
  } else if (node->is("Min") && node->inputs().size() == 2) {
    for (const size_t side : {0U, 1U}) {
      const Node* relu = produced_by(node->input(side), "Relu");
      if (relu == nullptr || !has_single_use(relu->output())) continue;
      limit = constant_number(node->input(1 - side));
      risen = relu->input(0);
    }
  }
  const Node* add = limit && has_single_use(value) ? produced_by(risen, "Add") : nullptr;
  if (add == nullptr) return std::nullopt;
  for (const size_t side : {0U, 1U}) {
    if (const auto shift = constant_number(add->input(side))) return Ramp{add->input(1 - side), *shift, *limit};
  }
  return std::nullopt;
}

bool is_swish_ramp(const std::optional<Ramp>& found, const Value* x) {
  return found && found->x == x && near(found->shift, 3) && near(found->limit, 6);
}

bool is_swish_sigmoid(const Value* value, const Value* x) {
  const Node* node = produced_by(value, "HardSigmoid");
  return node != nullptr && node->input(0) == x && has_single_use(value) &&
         near(node->attrs.get("alpha", 0.2F), 1.0 / 6) && near(node->attrs.get("beta", 0.5F), 0.5);
}

Outcome hard_activation(Node& node, Rewrite& rewrite) {
  if (node.output()->dtype != ir::DType::kFloat) return Outcome::no("no float");
  const Product product = product_of(node.output());
  if (product.factors.size() == 1) {
    const auto found = ramp(product.factors[0]);
    if (!found || !near(product.number * found->limit, 1)) return Outcome::no("no ramp up to 1");
    rewrite.replace(node.output(), rewrite.b.op("HardSigmoid", {found->x},
                                                {{"alpha", product.number}, {"beta", product.number * found->shift}}));
    return Outcome::done();
  }
  if (product.factors.size() != 2) return Outcome::no("no two factors");
  for (const size_t side : {0U, 1U}) {
    Value* x = product.factors[side];
    const Value* other = product.factors[1 - side];
    const bool by_ramp = near(product.number, 1.0 / 6) && is_swish_ramp(ramp(other), x);
    if (!by_ramp && !(product.number == 1 && is_swish_sigmoid(other, x))) continue;
    rewrite.replace(node.output(), rewrite.b.HardSwish(x));
    return Outcome::done();
  }
  return Outcome::no("no HardSwish");
}

constexpr Rule kRules[] = {{"Mul", gelu}, {"Div", gelu}, {"Mul", hard_activation}, {"Div", hard_activation}};

}  // namespace

bool fuse_activations(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
