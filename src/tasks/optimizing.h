// From any file to an optimized one, in ONNX's format or ONNX Runtime's own.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "import/common/options.h"

namespace onward::tasks {

// Whose operators the result may hold.
enum class Target {
  kPortable,     // the ONNX standard's
  kOnnxRuntime,  // also ONNX Runtime's own that every processor runs
  kMachine,      // also those for this machine's processor
};

struct OptimizeTask {
  std::string source;
  std::string output;  // .ort: ONNX Runtime's format, otherwise ONNX
  importer::Options import;
  int opset = 0;  // 0: the model's own, or the default
  Target target = Target::kPortable;
  bool external = false;                          // weights to "<output>.data"; not for .ort
  std::vector<std::filesystem::path> custom_ops;  // libraries that ONNX Runtime needs to load the model
};

struct Optimized {
  int opset;
  // Each {bytes, nodes, tensors, tensor_bytes, operators}.
  Json before;
  Json after;
};

// Writes `output` (and its data file), whole or not at all. Throws Error as convert::import_file does,
// and kUnimplemented for an .ort file of over 1.9 GB.
Optimized optimize_file(const OptimizeTask& task);

}  // namespace onward::tasks
