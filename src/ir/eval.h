// Computes ONNX operators on constant tensors: what the builder and the constant folding pass use.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "ir/graph.h"

namespace onward::ir {

// The outputs of `op_type` (ONNX domain, opset 18 semantics) on `inputs` (null: an optional input left out), or nothing
// when the operator isn't covered, the result would be larger than `max_bytes` beyond its inputs, or the inputs don't
// fit together (the schema's own inference then tells why). Deterministic; views share the input's bytes where the
// operator allows it (Reshape, Squeeze, Unsqueeze, Flatten, Identity).
std::optional<std::vector<Tensor>> evaluate(std::string_view op_type, const std::vector<const Tensor*>& inputs,
                                            const Attrs& attrs, size_t output_count, size_t max_bytes = 1 << 20);

// The content of a rank 0 or 1 integer value whose every element is known before run time, such as a static shape.
std::optional<Tensor> known_content(const Value& value);

}  // namespace onward::ir
