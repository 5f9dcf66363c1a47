// einops' rearrange.
#include <sstream>

#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

// One side of a pattern, "b (h a) w": the names of each axis of the tensor.
using Side = std::vector<std::vector<std::string>>;

Side parse_side(const Arguments& a, const std::string& text) {
  std::string spaced;
  for (const char c : text) spaced += c == '(' || c == ')' ? std::string(" ") + c + " " : std::string(1, c);
  std::istringstream words(spaced);
  Side side;
  bool grouped = false;
  for (std::string word; words >> word;) {
    if (word == "(") {
      a.require(!grouped, "parentheses within parentheses");
      side.emplace_back();
      grouped = true;
    } else if (word == ")") {
      a.require(grouped, "an unexpected \")\"");
      grouped = false;
    } else if (grouped) {
      side.back().push_back(word);
    } else {
      side.push_back({word});
    }
  }
  a.require(!grouped, "a missing \")\"");
  return side;
}

struct Axes {
  std::vector<std::string> names;
  ir::Values sizes;  // rank 1 with one element each
};

// The axes that the input's own axes hold; at most one of a group has no given length.
Axes taken_apart(const Arguments& a, Value* x, const Side& side) {
  Builder& b = a.b;
  Axes axes;
  for (size_t i = 0; i < side.size(); ++i) {
    Value* whole = b.dim(x, static_cast<int64_t>(i));
    int64_t known = 1;
    for (const std::string& name : side[i]) known *= a.integer(name, 1);
    a.require(known > 0, "an axis of length 0");
    size_t open = 0;
    for (const std::string& name : side[i]) {
      open += a.has(name) ? 0 : 1;
      axes.names.push_back(name);
      axes.sizes.push_back(a.has(name) ? b.ints({a.integer(name, 1)}) : b.Div(whole, b.ints({known})));
    }
    a.require(open <= 1, "the lengths of a group's axes are missing");
  }
  return axes;
}

// rearrange(tensor, pattern, **axes_lengths)
ir::Values rearrange(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("tensor");
  const std::string pattern = a.text("pattern", "");
  const size_t arrow = pattern.find("->");
  a.require(arrow != std::string::npos, "the pattern has no arrow");
  const Side from = parse_side(a, pattern.substr(0, arrow));
  const Side to = parse_side(a, pattern.substr(arrow + 2));
  a.require(from.size() == x->rank(), "the pattern does not fit the tensor's rank");
  const Axes axes = taken_apart(a, x, from);
  if (axes.names.size() != x->rank()) x = b.Reshape(x, b.join(axes.sizes));
  std::vector<int64_t> perm;
  ir::Values sizes;
  for (const std::vector<std::string>& group : to) {
    Value* size = b.ints({1});
    for (const std::string& name : group) {
      const auto found = std::find(axes.names.begin(), axes.names.end(), name);
      a.require(found != axes.names.end(), "the axis \"" + name + "\" is not on the pattern's left side");
      perm.push_back(found - axes.names.begin());
      size = b.Mul(size, axes.sizes[static_cast<size_t>(perm.back())]);
    }
    sizes.push_back(size);
  }
  a.require(perm.size() == axes.names.size(), "the pattern's sides differ in their axes");
  x = b.Transpose(x, perm);
  return {to.size() == perm.size() ? x : b.Reshape(x, b.join(sizes))};
}

}  // namespace

void register_rearrange_operations(OperationTable& table) { table.add("Rearrange", {"tensor pattern", rearrange}); }

}  // namespace onward::importer::keras
