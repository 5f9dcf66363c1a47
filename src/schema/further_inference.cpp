#include "schema/further_inference.h"

#include <algorithm>

namespace onward::schema {
namespace {

using ir::Dim;
using ir::Node;
using ir::Shape;
using ir::Value;

// A product of dimensions: the numbers multiplied, the symbols one by one.
struct Product {
  int64_t number = 1;
  std::vector<std::string> symbols;
};

bool multiply(Product& product, const Dim& dim) {
  if (dim.is_symbol()) product.symbols.push_back(dim.symbol());
  if (!dim.is_known()) return dim.is_symbol();
  return dim.value() > 0 && !__builtin_mul_overflow(product.number, dim.value(), &product.number);
}

// total / part where that is a number or a symbol.
Dim quotient(Product total, const Product& part) {
  for (const std::string& symbol : part.symbols) {
    const auto found = std::ranges::find(total.symbols, symbol);
    if (found == total.symbols.end()) return {};
    total.symbols.erase(found);
  }
  if (total.number % part.number != 0) return {};
  const int64_t number = total.number / part.number;
  if (total.symbols.empty()) return Dim(number);
  return total.symbols.size() == 1 && number == 1 ? Dim(total.symbols.front()) : Dim();
}

const Shape* content_of(const Node& node, size_t input) {
  const Value* value = node.input(input);
  return value != nullptr && value->content ? &*value->content : nullptr;
}

// The dimension that -1 stands for, from the elements of the input.
void infer_reshape(Node& node) {
  const Shape* target = content_of(node, 1);
  Value& output = *node.output();
  if (target == nullptr || !node.input(0)->shape || !output.shape || output.shape->size() != target->size()) return;
  Product total;
  Product part;
  size_t open = target->size();
  for (const Dim& dim : *node.input(0)->shape) {
    if (!multiply(total, dim)) return;
  }
  for (size_t i = 0; i < target->size(); ++i) {
    const bool is_open = (*target)[i].is_known() && (*target)[i].value() == -1;
    if (is_open && open == target->size()) {
      open = i;
    } else if (!multiply(part, (*target)[i])) {
      return;
    }
  }
  if (open < target->size() && (*output.shape)[open].is_unknown()) (*output.shape)[open] = quotient(total, part);
}

void infer_tile(Node& node) {
  const Shape* repeats = content_of(node, 1);
  Value& output = *node.output();
  const std::optional<Shape>& shape = node.input(0)->shape;
  if (repeats == nullptr || !shape || repeats->size() != shape->size()) return;
  if (!output.shape) output.shape = Shape(shape->size());
  for (size_t i = 0; i < shape->size(); ++i) {
    if (!(*output.shape)[i].is_unknown()) continue;
    const Dim& size = (*shape)[i];
    const Dim& times = (*repeats)[i];
    if (times.is_known() && times.value() == 1) {
      (*output.shape)[i] = size;
    } else if (size.is_known() && size.value() == 1) {
      (*output.shape)[i] = times;
    }
  }
}

void infer_split(Node& node) {
  const std::optional<Shape>& shape = node.input(0)->shape;
  if (!shape || shape->empty()) return;
  const ir::Attr* given = node.attrs.find("axis");
  const int64_t axis = given == nullptr ? 0 : *given->get_if<int64_t>();
  const size_t place = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape->size()) : axis);
  if (place >= shape->size()) return;
  const Shape* sizes = content_of(node, 1);
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    Value& part = *node.output(i);
    if (part.shape) continue;
    part.shape = *shape;
    (*part.shape)[place] = sizes != nullptr && i < sizes->size() ? (*sizes)[i] : Dim();
  }
}

// DFT of a length that is not known here.
void infer_dft(Node& node) {
  const std::optional<Shape>& shape = node.input(0)->shape;
  const ir::Attr* given = node.attrs.find("axis");
  if (!shape || shape->size() < 2 || node.output()->shape || node.input(2) != nullptr) return;
  const int64_t axis = given == nullptr ? 1 : *given->get_if<int64_t>();
  const size_t place = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(shape->size()) : axis);
  if (place + 1 >= shape->size()) return;
  const ir::Attr* onesided = node.attrs.find("onesided");
  const bool half = onesided != nullptr && *onesided->get_if<int64_t>() != 0;
  const Shape* length = content_of(node, 1);
  node.output()->shape = *shape;
  node.output()->shape->back() = Dim(2);
  (*node.output()->shape)[place] = length != nullptr && length->size() == 1 && !half ? length->front() : Dim();
}

}  // namespace

void infer_further(Node& node) {
  if (node.inputs().empty() || node.input(0) == nullptr) return;
  if (node.op_type == "Reshape") infer_reshape(node);
  if (node.op_type == "Tile") infer_tile(node);
  if (node.op_type == "Split") infer_split(node);
  if (node.op_type == "DFT") infer_dft(node);
}

}  // namespace onward::schema
