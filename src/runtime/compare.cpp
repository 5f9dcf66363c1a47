#include "runtime/compare.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cmath>

#include "base/error.h"
#include "runtime/arrays.h"

namespace onward::runtime {
namespace {

using ir::DType;
using ir::Tensor;

std::string index_text(size_t index, const ir::Dims& dims) {
  std::vector<size_t> position(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    const auto dim = static_cast<size_t>(dims[i]);
    position[i] = index % dim;
    index /= dim;
  }
  return fmt::format("[{}]", fmt::join(position, ","));
}

// Counts unequal elements and tells of the first; `show(tensor, index)` prints one.
template <class Equal, class Show>
void count_differences(Comparison& result, const Tensor& got, const Equal& equal, const Show& show) {
  size_t first = got.count();
  for (size_t i = 0; i < got.count(); ++i) {
    if (equal(i)) continue;
    if (result.differing++ == 0) first = i;
  }
  if (result.differing == 0) return;
  const auto [shown_got, shown_expected] = show(first);
  result.difference = fmt::format("{} of {} values differ, first at {}: got {}, expected {}", result.differing,
                                  got.count(), index_text(first, got.dims()), shown_got, shown_expected);
}

void compare_floats(Comparison& result, const Tensor& got, const Tensor& expected, const Tolerance& tolerance) {
  const std::vector<double> a = got.doubles();
  const std::vector<double> b = expected.doubles();
  const auto equal = [&](size_t i) {
    if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) return true;
    const double error = std::abs(a[i] - b[i]);
    if (!std::isfinite(error)) return false;
    result.largest_error = std::max(result.largest_error, error);
    return error <= tolerance.atol + tolerance.rtol * std::abs(b[i]);
  };
  // As many digits as the element type can tell apart.
  const bool wide = got.dtype() == DType::kDouble;
  const auto shown = [&](double value) {
    return wide ? fmt::format("{}", value) : fmt::format("{}", static_cast<float>(value));
  };
  count_differences(result, got, equal, [&](size_t i) { return std::pair(shown(a[i]), shown(b[i])); });
}

template <class Value>
void compare_exactly(Comparison& result, const Tensor& got, const std::vector<Value>& a, const std::vector<Value>& b) {
  count_differences(
      result, got, [&](size_t i) { return a[i] == b[i]; }, [&](size_t i) { return std::pair(a[i], b[i]); });
}

std::string normal(std::string_view name) {
  std::string kept;
  for (const char c : name.substr(0, name.find(':'))) {
    const auto letter = static_cast<unsigned char>(c);
    kept.push_back(std::isalnum(letter) != 0 ? static_cast<char>(std::tolower(letter)) : '_');
  }
  return kept;
}

const NamedTensor* find(const std::vector<NamedTensor>& given, std::string_view name) {
  const auto found =
      std::find_if(given.begin(), given.end(), [&](const NamedTensor& one) { return one.first == name; });
  if (found != given.end()) return &*found;
  const auto like = [&](const NamedTensor& one) { return normal(one.first) == normal(name); };
  return std::count_if(given.begin(), given.end(), like) == 1 ? &*std::find_if(given.begin(), given.end(), like)
                                                              : nullptr;
}

}  // namespace

Comparison compare(const std::string& output, const Tensor& got, const Tensor& recorded, const Tolerance& tolerance) {
  const Tensor expected = as_stored(recorded, got.dtype());
  Comparison result{output, {}, got.count(), 0, 0};
  if (got.dims() != expected.dims()) {
    result.difference = fmt::format("shape {}, expected {}", ir::shape_text(ir::to_shape(got.dims())),
                                    ir::shape_text(ir::to_shape(expected.dims())));
  } else if (got.dtype() != expected.dtype()) {
    result.difference =
        fmt::format("dtype {}, expected {}", ir::dtype_name(got.dtype()), ir::dtype_name(expected.dtype()));
  } else if (got.dtype() == DType::kString) {
    compare_exactly(result, got, got.strings(), expected.strings());
  } else if (ir::is_floating(got.dtype())) {
    compare_floats(result, got, expected, tolerance);
  } else {
    compare_exactly(result, got, got.ints(), expected.ints());
  }
  return result;
}

std::vector<NamedTensor> matched(const std::vector<ValueInfo>& wanted, const std::vector<NamedTensor>& given,
                                 std::string_view kind) {
  std::vector<NamedTensor> result;
  for (const ValueInfo& info : wanted) {
    if (const NamedTensor* found = find(given, info.name)) result.emplace_back(info.name, found->second);
  }
  if (result.size() == wanted.size()) return result;
  if (given.size() != wanted.size()) {
    std::vector<std::string> names;
    for (const ValueInfo& info : wanted) names.push_back(fmt::format("\"{}\"", info.name));
    std::vector<std::string> keys;
    for (const NamedTensor& one : given) keys.push_back(fmt::format("\"{}\"", one.first));
    fail_invalid(
        fmt::format("the model has the {}s {}, the file holds {}", kind, fmt::join(names, ", "), fmt::join(keys, ", ")),
        fmt::format("name the arrays of the .npz like the model's {}s", kind));
  }
  result.clear();
  for (size_t i = 0; i < wanted.size(); ++i) result.emplace_back(wanted[i].name, given[i].second);
  return result;
}

std::vector<Comparison> verify(const Session& session, const std::vector<NamedTensor>& inputs,
                               const std::vector<NamedTensor>& outputs, const Tolerance& tolerance) {
  std::vector<Tensor> fed;
  for (const auto& [name, tensor] : matched(session.inputs(), inputs, "input")) {
    fed.push_back(as_stored(tensor, session.inputs()[session.input_index(name)].dtype));
  }
  const std::vector<NamedTensor> expected = matched(session.outputs(), outputs, "output");
  const std::vector<Tensor> got = session.run(fed);
  std::vector<Comparison> comparisons;
  for (size_t i = 0; i < got.size(); ++i) {
    comparisons.push_back(compare(expected[i].first, got[i], expected[i].second, tolerance));
  }
  return comparisons;
}

}  // namespace onward::runtime
