// Computes ONNX operators on constant tensors: what the builder and the constant folding pass use.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ir/attr.h"
#include "ir/tensor.h"

namespace onward::ir {

// The outputs of `op_type` (ONNX domain, opset 18 semantics) on `inputs` (null: an optional input left out), or nothing
// when the operator isn't covered, the result would be larger than `max_bytes` beyond its inputs, or the inputs don't
// fit together (the schema's own inference then tells why). Deterministic; views share the input's bytes where the
// operator allows it (Reshape, Squeeze, Unsqueeze, Flatten, Identity).
std::optional<std::vector<Tensor>> evaluate(std::string_view op_type, const std::vector<const Tensor*>& inputs,
                                            const Attrs& attrs, size_t output_count, size_t max_bytes = 1 << 20);

}  // namespace onward::ir
