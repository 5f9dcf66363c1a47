// Whether a model answers what was recorded.
#pragma once

#include <string>
#include <vector>

#include "runtime/session.h"

namespace onward::runtime {

// |got - expected| <= atol + rtol * |expected|; NaN equals NaN; integers, booleans and strings exactly.
struct Tolerance {
  double rtol = 1e-4;
  double atol = 1e-5;
};

struct Comparison {
  std::string output;
  // Empty where all agrees, else what differs: "dtype int64, expected int32", "shape [1,3], expected [1,4]", or
  // "3 of 12 values differ, first at [0,2]: got 1.5, expected 1.25".
  std::string difference;
  size_t values = 0;
  size_t differing = 0;
  double largest_error = 0;  // of the finite values
};

Comparison compare(const std::string& output, const ir::Tensor& got, const ir::Tensor& expected,
                   const Tolerance& tolerance);

// Pairs recorded tensors with the names that a model uses: all by name (its letters and digits count, since formats
// differ in what else a name may hold), else by position. `kind` ("input") stands in errors. Throws
// Error(kInvalidArgument) where the numbers differ. The result has the order of `names`.
std::vector<NamedTensor> matched(const std::vector<ValueInfo>& wanted, const std::vector<NamedTensor>& given,
                                 std::string_view kind);

// Runs the model on recorded inputs and compares all outputs, in the model's order.
std::vector<Comparison> verify(const Session& session, const std::vector<NamedTensor>& inputs,
                               const std::vector<NamedTensor>& outputs, const Tolerance& tolerance);

}  // namespace onward::runtime
