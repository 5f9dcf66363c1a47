// Where two models depart from one another inside.
#pragma once

#include <string>
#include <vector>

#include "ir/graph.h"
#include "runtime/session.h"

namespace onward::cli {

struct TensorDifference {
  std::string name;
  std::string made_by;  // the operator in the first model
  double sqnr = 0;      // decibels; quantize::Difference::kExact where nothing differs
  double largest_error = 0;
};

// A graph, the opset that it is written for, and how it is opened.
struct Opened {
  ir::Model& model;
  int opset;
  runtime::SessionOptions session;
};

// The float tensors that both graphs compute under one name and with one shape, in the order of the first. Both must
// have been opened before, so that their values have names. Holds what `a` computes in memory.
std::vector<TensorDifference> compare_tensors(const Opened& a, const std::vector<ir::Tensor>& inputs_a, const Opened& b,
                                              const std::vector<ir::Tensor>& inputs_b);

}  // namespace onward::cli
