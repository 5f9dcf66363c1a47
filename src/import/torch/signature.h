// Operator signatures in PyTorch's own notation: "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) ->
// Tensor".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "import/torch/arg.h"

namespace onward::importer::torch {

struct Parameter {
  enum class Type { kTensor, kScalar, kInt, kFloat, kBool, kString, kDType, kDevice, kOther };
  Type type = Type::kOther;
  bool list = false;            // int[], Tensor[]
  bool optional_items = false;  // Tensor?[]
  bool optional = false;        // Tensor?
  std::string name;
  bool has_default = false;
  Arg default_value;
  bool keyword_only = false;
};

struct Signature {
  std::string name;      // "aten::add"
  std::string overload;  // "Tensor"; "" for the default one
  std::vector<Parameter> parameters;
  size_t results = 1;
  bool gives_list = false;    // -> Tensor[]: any number of results
  bool gives_number = false;  // -> int, SymInt, Scalar, bool, float: a rank 0 value

  const Parameter* find(std::string_view parameter) const;
};

// Throws Error(kInternal): signatures are written in the source of Onward, not in files.
Signature parse_signature(std::string_view text);

}  // namespace onward::importer::torch
