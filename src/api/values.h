// Tensors, shapes and options of the public API as the layers below have them, and back. No elements are copied, but
// for strings.
#pragma once

#include "convert/convert.h"
#include "ir/graph.h"
#include "onward/options.h"
#include "onward/tensor.h"
#include "runtime/session.h"

namespace onward::api {

// Throws Error(kInvalidArgument) for a tensor without a dtype.
ir::Tensor to_internal(const Tensor& tensor);
Tensor to_public(const ir::Tensor& tensor);

ir::Shape to_internal(const Shape& shape);
Shape to_public(const ir::Shape& shape);

importer::Options to_internal(const ImportOptions& options);
convert::Options to_internal(const ConvertOptions& options);

std::vector<ValueInfo> describe_inputs(const ir::Graph& graph);
std::vector<ValueInfo> describe_outputs(const ir::Graph& graph);
std::vector<ValueInfo> to_public(const std::vector<runtime::ValueInfo>& infos);

}  // namespace onward::api
