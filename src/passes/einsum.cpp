// Einsum of two operands that is a product of matrices or of elements becomes one, with the transposes and reshapes
// that it needs, which other passes then merge with those around it:
//
//   Einsum<"abc,cde->abde">(x, W)   →  Reshape(MatMul(x, Reshape(W, [c, d·e])), [0, 0, d, e])
//   Einsum<"abhd,achd->ahbc">(q, k) →  MatMul(Transpose(q), Transpose(k))
//   Einsum<"ab,c->abc">(x, y)       →  Mul(Unsqueeze(x, [2]), y)
//
// Every letter of the equation is shared by all three (a batch), by both operands only (summed), or by one operand and
// the result (free). Without a summed letter it is a product of elements. Conditions: no letter is twice in an operand,
// and a letter's dims are nowhere known to differ; several free letters of the second operand have known dims but for
// one.
#include <algorithm>
#include <string>
#include <utility>

#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Node;
using ir::Value;

struct Equation {
  std::string first;
  std::string second;
  std::string result;
};

bool has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

bool has_twice(const std::string& letters) {
  return std::any_of(letters.begin(), letters.end(),
                     [&](char letter) { return std::count(letters.begin(), letters.end(), letter) > 1; });
}

std::optional<Equation> read_equation(std::string text) {
  std::erase(text, ' ');
  const size_t comma = text.find(',');
  const size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || comma > arrow) return std::nullopt;
  Equation equation{text.substr(0, comma), text.substr(comma + 1, arrow - comma - 1), text.substr(arrow + 2)};
  const auto plain = [](const std::string& letters) {
    return letters.find_first_of(".,") == std::string::npos && !has_twice(letters);
  };
  if (!plain(equation.first) || !plain(equation.second) || !plain(equation.result)) return std::nullopt;
  return equation;
}

// The letters of the equation by what they do. `batch` and the free ones are in the order of the result.
struct Roles {
  std::string batch;
  std::string first;   // free
  std::string second;  // free
  std::string summed;
};

std::optional<Roles> roles_of(const Equation& equation) {
  Roles roles;
  for (const char letter : equation.result) {
    const bool in_first = has(equation.first, letter);
    const bool in_second = has(equation.second, letter);
    if (!in_first && !in_second) return std::nullopt;
    (in_first && in_second ? roles.batch : in_first ? roles.first : roles.second) += letter;
  }
  for (const char letter : equation.first) {
    if (has(equation.result, letter)) continue;
    if (!has(equation.second, letter)) return std::nullopt;
    roles.summed += letter;
  }
  for (const char letter : equation.second) {
    if (!has(equation.result, letter) && !has(equation.first, letter)) return std::nullopt;
  }
  return roles;
}

std::vector<int64_t> order(const std::string& from, const std::string& to) {
  std::vector<int64_t> perm;
  for (const char letter : to) perm.push_back(static_cast<int64_t>(from.find(letter)));
  return perm;
}

// The dim of a letter in an operand.
ir::Dim dim_of(const std::string& letters, const Value* operand, char letter) {
  return operand->dim(letters.find(letter));
}

// `letters` of the operand as reshape's sizes; more than one unknown: nothing.
std::optional<std::vector<int64_t>> sizes(const std::string& own, const Value* operand, const std::string& letters) {
  std::vector<int64_t> result;
  for (const char letter : letters) {
    const ir::Dim dim = dim_of(own, operand, letter);
    result.push_back(dim.is_known() ? dim.value() : -1);
  }
  if (std::count(result.begin(), result.end(), -1) > 1 || std::count(result.begin(), result.end(), 0) > 0) {
    return std::nullopt;
  }
  return result;
}

// The operand with its letters in the order of the result, and an axis of length 1 for each that it lacks.
Value* spread_over(ir::Builder& b, Value* operand, const std::string& own, const std::string& result) {
  std::string ordered;
  std::vector<int64_t> missing;
  for (size_t i = 0; i < result.size(); ++i) {
    if (has(own, result[i])) {
      ordered += result[i];
    } else {
      missing.push_back(static_cast<int64_t>(i));
    }
  }
  // Those in front come by themselves.
  std::erase_if(missing,
                [&](int64_t axis) { return ordered.empty() || axis < static_cast<int64_t>(result.find(ordered[0])); });
  for (int64_t& axis : missing) axis -= static_cast<int64_t>(result.find(ordered[0]));
  Value* turned = b.Transpose(operand, order(own, ordered));
  return missing.empty() ? turned : b.Unsqueeze(turned, missing);
}

class Product {
 public:
  Product(ir::Builder& b, const Equation& equation, const Roles& roles) : b_(b), equation_(equation), roles_(roles) {}

  // Null where a reshape would need sizes that are not known.
  Value* of(Value* x, Value* y) const {
    const auto spread = sizes(equation_.second, y, roles_.second);
    const bool rows_as_one = !roles_.batch.empty() && roles_.first.size() != 1;
    const auto rows = sizes(equation_.first, x, roles_.first);
    if (!spread || (rows_as_one && !rows)) return nullptr;
    // Several sizes that only the run tells: the rows' or the columns', not both.
    if (rows_as_one && open(*rows) && open(*spread)) return nullptr;
    Value* left = grouped(x, equation_.first, roles_.first, roles_.summed, rows_as_one);
    Value* right = grouped(y, equation_.second, roles_.summed, roles_.second, true);
    if (left == nullptr || right == nullptr) return nullptr;
    Value* product = b_.MatMul(left, right);
    std::vector<int64_t> target(roles_.batch.size() + (rows_as_one ? 0 : roles_.first.size()), 0);
    if (rows_as_one) target.insert(target.end(), rows->begin(), rows->end());
    target.insert(target.end(), spread->begin(), spread->end());
    if (rows_as_one || roles_.second.size() != 1) product = b_.Reshape(product, target);
    return b_.Transpose(product, order(roles_.batch + roles_.first + roles_.second, equation_.result));
  }

 private:
  static bool open(const std::vector<int64_t>& sizes) { return std::count(sizes.begin(), sizes.end(), -1) > 0; }

  // The operand in the order [batch, one, other], with `other`, and where `first_as_one` also `one`, as one dim each.
  Value* grouped(Value* operand, const std::string& own, const std::string& one, const std::string& other,
                 bool one_as_one) const {
    Value* turned = b_.Transpose(operand, order(own, roles_.batch + one + other));
    if ((!one_as_one || one.size() == 1) && other.size() == 1) return turned;
    std::vector<int64_t> target(roles_.batch.size(), 0);
    const auto part = [&](const std::string& letters) -> std::optional<int64_t> {
      const auto known = sizes(own, operand, letters);
      if (!known || open(*known)) return std::nullopt;
      int64_t count = 1;
      for (const int64_t size : *known) count *= size;
      return count;
    };
    const std::optional<int64_t> last = part(other);
    if (one_as_one && one.size() != 1) {
      const std::optional<int64_t> before = part(one);
      if (!before && !last) return nullptr;
      target.push_back(before.value_or(-1));
    } else {
      target.resize(target.size() + one.size(), 0);
    }
    target.push_back(last.value_or(-1));
    return b_.Reshape(turned, target);
  }

  ir::Builder& b_;
  const Equation& equation_;
  const Roles& roles_;
};

bool dims_agree(const Equation& equation, const Value* x, const Value* y) {
  return std::all_of(equation.first.begin(), equation.first.end(), [&](char letter) {
    if (!has(equation.second, letter)) return true;
    const ir::Dim a = dim_of(equation.first, x, letter);
    const ir::Dim c = dim_of(equation.second, y, letter);
    return !a.is_known() || !c.is_known() || a.value() == c.value();
  });
}

Outcome to_matmul(Node& node, Rewrite& rewrite) {
  if (node.inputs().size() != 2) return Outcome::no("not two operands");
  Value* x = node.input(0);
  Value* y = node.input(1);
  auto equation = read_equation(node.attrs.get("equation", ""));
  auto roles = equation ? roles_of(*equation) : std::nullopt;
  if (!roles) return Outcome::no("no product");
  if (!x->shape || !y->shape || x->rank() != equation->first.size() || y->rank() != equation->second.size()) {
    return Outcome::no("a rank is unknown");
  }
  if (!dims_agree(*equation, x, y)) return Outcome::no("the dims of a letter differ");
  if (roles->summed.empty()) {
    rewrite.replace(node.output(), rewrite.b.Mul(spread_over(rewrite.b, x, equation->first, equation->result),
                                                 spread_over(rewrite.b, y, equation->second, equation->result)));
    return Outcome::done();
  }
  // Whose free letters come first in the result is the left factor.
  if (equation->result.find_first_of(roles->second) < equation->result.find_first_of(roles->first)) {
    std::swap(x, y);
    std::swap(equation->first, equation->second);
    std::swap(roles->first, roles->second);
  }
  Value* product = Product(rewrite.b, *equation, *roles).of(x, y);
  if (product == nullptr) return Outcome::no("a reshape would need sizes that are not known");
  rewrite.replace(node.output(), product);
  return Outcome::done();
}

constexpr Rule kRules[] = {{"Einsum", to_matmul}};

}  // namespace

bool einsum_to_matmul(ir::Graph& graph, const ir::Inference& inference) {
  return apply_rules(graph, inference, kRules);
}

}  // namespace onward::passes
