// Any supported file → ONNX. The same input and options give the same bytes. Functions may run at the same time in
// several threads, for different outputs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "onward/export.h"
#include "onward/options.h"
#include "onward/status.h"

namespace onward {

// What a conversion made.
struct Conversion {
  int opset = 0;
  size_t nodes = 0;
  size_t bytes = 0;  // of `target`, without a data file beside it
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
};

// Writes `target`, and "<target>.data" beside it where the model is too large for one file; both appear whole or not at
// all. Fails with kNotFound, kDataLoss for a damaged source, kUnimplemented with all that blocks the conversion, and
// kInvalidArgument for options that make no sense or a target that would overwrite the source.
ONWARD_API Result<Conversion> convert_file(const std::filesystem::path& source, const std::filesystem::path& target,
                                           const ConvertOptions& options = {});

// The same in memory. Fails with kResourceExhausted for a model over 2 GiB, which needs a file.
ONWARD_API Result<std::vector<std::byte>> convert_to_bytes(const std::filesystem::path& source,
                                                           const ConvertOptions& options = {});

// What a file holds, without running or writing anything.
struct FileInfo {
  std::string format;    // "Keras (.keras)"
  std::string producer;  // "keras 3.15"; may be empty
  std::vector<ValueInfo> inputs;
  std::vector<ValueInfo> outputs;
  // How many nodes of each operator the graph has before it is optimized; "domain.Operator" outside ONNX's own domain.
  std::map<std::string, size_t> operators;
  size_t weights = 0;       // tensors
  size_t weight_bytes = 0;  // of all of them
};

// Reads the whole graph. Fails as convert_file does; a file of weights alone is kUnimplemented, with what to do.
ONWARD_API Result<FileInfo> inspect_file(const std::filesystem::path& source, const ImportOptions& options = {});

}  // namespace onward
