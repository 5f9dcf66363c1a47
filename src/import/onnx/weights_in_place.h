// Reads an ONNX file without its weights, which stay where they lie.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace onward::importer {

struct LeanModel {
  std::string message;         // the ModelProto, whose graph's large initializers have no raw_data
  std::vector<Bytes> weights;  // by position of the initializer: its raw_data in the file; empty where `message` has it
};

// Nothing where the file has no such weights, or is laid out in a way that protobuf allows but nobody writes (the graph
// or a tensor's raw_data in several pieces, groups): then, and for a damaged file, protobuf itself is to read it whole.
std::optional<LeanModel> without_weights(const Bytes& file);

}  // namespace onward::importer
