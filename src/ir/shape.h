// Dimensions and shapes: a dimension is unknown, a number, or a symbol ("batch").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace onward::ir {

class Dim {
 public:
  Dim() = default;                       // unknown
  Dim(int64_t value) : value_(value) {}  // NOLINT(google-explicit-constructor): a number
  explicit Dim(std::string symbol) : symbol_(std::move(symbol)) {}

  bool is_known() const { return value_.has_value(); }
  bool is_symbol() const { return !symbol_.empty(); }
  bool is_unknown() const { return !is_known() && !is_symbol(); }
  int64_t value() const { return value_.value(); }
  const std::string& symbol() const { return symbol_; }
  // "3", "batch", "?"
  std::string text() const;
  // True when both are surely the same size: equal numbers or equal symbols.
  bool same(const Dim& other) const { return !is_unknown() && *this == other; }
  bool operator==(const Dim&) const = default;

 private:
  std::optional<int64_t> value_;
  std::string symbol_;
};

using Dims = std::vector<int64_t>;
using Shape = std::vector<Dim>;

Shape to_shape(const Dims& dims);
// The dims where all are known, else nothing.
std::optional<Dims> static_dims(const Shape& shape);
// "[batch,3,?]"
std::string shape_text(const Shape& shape);
// Product; throws Error when it overflows or a dim is negative.
int64_t element_count(const Dims& dims);

}  // namespace onward::ir
