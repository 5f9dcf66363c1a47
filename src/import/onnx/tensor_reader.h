// TensorProto → ir::Tensor.
#pragma once

#include <onnx/onnx_pb.h>

#include <filesystem>

#include "ir/tensor.h"

namespace onward::importer {

// Takes raw data out of `proto` instead of copying it, or from `in_place` where it is not empty; maps external data,
// whose location must lie inside `folder`.
ir::Tensor read_tensor(onnx::TensorProto& proto, const std::filesystem::path& folder, const Bytes& in_place = {});

}  // namespace onward::importer
