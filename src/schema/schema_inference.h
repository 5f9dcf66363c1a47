// Type, shape and content inference for single nodes, by the operator schemas of the ONNX library.
#pragma once

#include "ir/inference.h"

namespace onward::schema {

// The opset every importer builds in; newer operators are taken from the first opset that has them.
constexpr int kCanonicalOpset = 18;

// The newest opset that the linked ONNX library defines.
int newest_opset();

// Stateless and thread safe.
class SchemaInference final : public ir::Inference {
 public:
  // `opset`: whose schemas the nodes in ONNX's own domain follow.
  explicit SchemaInference(int opset = kCanonicalOpset) : opset_(opset) {}
  void infer(ir::Node& node) const override;

 private:
  int opset_;
};

// Whether ONNX's own domain has `op_type` at or before `opset`.
bool has_schema(const std::string& op_type, int opset);

}  // namespace onward::schema
