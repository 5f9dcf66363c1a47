// ONNX file → graph.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "ir/graph.h"

namespace onward::importer {

// Reads a serialized ModelProto. `folder` is where external data files lie; their locations must stay inside it. Models
// below the canonical opset are raised to it by the ONNX library's version converter; newer ones keep their opset,
// which `Model::opset_imports` tells. Model-local functions are inlined. Types and shapes are inferred node by node.
// Throws Error: kDataLoss for what is no ONNX model or contradicts itself, kUnimplemented for sparse initializers and
// attributes that hold lists of tensors, graphs or types.
ir::Model read_onnx(const Bytes& file, const std::filesystem::path& folder);

}  // namespace onward::importer
