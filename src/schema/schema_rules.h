// Whether nodes are valid by the operator schemas of the ONNX library.
#pragma once

#include "ir/verify.h"
#include "schema/schema_inference.h"

namespace onward::schema {

// The operator exists at `opset` (or, where `allow_newer`, in a later one), has as many inputs and outputs as its
// schema allows, only attributes it knows, and those it needs. Domains other than ONNX's are not judged. Thread safe.
class SchemaRules final : public ir::NodeRules {
 public:
  explicit SchemaRules(int opset = kCanonicalOpset, bool allow_newer = true)
      : opset_(opset), allow_newer_(allow_newer) {}
  std::optional<std::string> problem(const ir::Node& node) const override;

 private:
  int opset_;
  bool allow_newer_;
};

}  // namespace onward::schema
