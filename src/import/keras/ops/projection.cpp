#include "import/keras/ops/projection.h"

#include <algorithm>
#include <set>

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

int64_t product(const Value* x, size_t from, size_t to) {
  int64_t total = 1;
  for (size_t i = from; i < to; ++i) total *= x->dim(i).value();
  return total;
}

}  // namespace

size_t contracted_axes(const std::string& equation, const Value* x, const Value* kernel) {
  std::string text;
  for (const char c : equation) {
    if (c != ' ') text += c;
  }
  const size_t comma = text.find(',');
  const size_t arrow = text.find("->");
  if (comma == std::string::npos || arrow == std::string::npos || text.find('.') != std::string::npos) return 0;
  const std::string left = text.substr(0, comma);
  const std::string right = text.substr(comma + 1, arrow - comma - 1);
  const std::string out = text.substr(arrow + 2);
  if (left.size() != x->rank() || right.size() != kernel->rank()) return 0;
  for (size_t count = std::min(left.size(), right.size()); count > 0; --count) {
    const std::string tail = left.substr(left.size() - count);
    const std::string rest = left.substr(0, left.size() - count) + right.substr(count);
    const std::set<char> distinct(rest.begin(), rest.end());
    if (right.substr(0, count) == tail && out == rest && distinct.size() == rest.size()) return count;
  }
  return 0;
}

Value* project_last(Builder& b, Value* x, Value* kernel, size_t contracted) {
  const int64_t in = product(kernel, 0, contracted);
  const int64_t out = product(kernel, contracted, kernel->rank());
  const size_t kept = x->rank() - contracted;
  if (contracted > 1) {
    std::vector<int64_t> shape(kept, 0);
    shape.push_back(in);
    x = b.Reshape(x, shape);
  }
  Value* y = b.MatMul(x, kernel->rank() == 2 ? kernel : b.Reshape(kernel, {in, out}));
  if (kernel->rank() == contracted + 1) return y;
  std::vector<int64_t> shape(kept, 0);
  for (size_t i = contracted; i < kernel->rank(); ++i) shape.push_back(kernel->dim(i).value());
  return b.Reshape(y, shape);
}

Value* project(Builder& b, const std::string& equation, Value* x, Value* kernel) {
  const size_t contracted = contracted_axes(equation, x, kernel);
  if (contracted > 0) return project_last(b, x, kernel, contracted);
  return b.op("Einsum", {x, kernel}, {{"equation", equation}});
}

}  // namespace onward::importer::keras
