// Older ONNX models → the canonical opset.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>

namespace onward::importer {

// Raises `proto` from `opset` to `target` with the ONNX library's version converter. The converter trusts its input, so
// the model is checked first. Throws Error: kDataLoss for a model that ONNX's checker refuses, kUnimplemented for one
// that cannot be raised.
onnx::ModelProto raise_opset(const onnx::ModelProto& proto, int opset, int target, const std::filesystem::path& folder);

}  // namespace onward::importer
