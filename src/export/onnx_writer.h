// Graph → ONNX file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "ir/graph.h"

namespace onward::exporter {

// A mapped file with tensors.
struct DataFile {
  std::string name;  // as the model refers to it
  Bytes bytes;
};

struct WriteOptions {
  int opset = 18;
  // Tensors go to "<file>.data" beside the model when the file would pass `inline_limit` bytes (protobuf's own limit is
  // 2 GiB).
  size_t inline_limit = 1900UL << 20;
  // Tensors that lie there already are referred to, not written.
  std::optional<DataFile> lying;
};

// A serialized model as a list of parts in file order: small ones own their bytes, weights are views of whatever the
// IR's tensors lie in, so no weight is copied. Deterministic: the same graph gives the same bytes.
struct Serialized {
  std::vector<Bytes> parts;
  std::vector<Bytes> external;  // content of the data file, empty when everything is inline
  std::vector<std::pair<std::string, ir::Tensor>> external_tensors;  // what is in it, by name
  std::vector<size_t> external_offsets;                              // where, for each of these
  size_t size() const;
  Bytes joined() const;  // a copy of `parts` in one piece
};

// The graph's values get unique names (inputs and outputs keep theirs). Throws Error(kInternal) on a node outside the
// ONNX domains. `data_file` is the name written into external references.
Serialized serialize(ir::Model& model, const WriteOptions& options, const std::string& data_file = "model.onnx.data");

// serialize() to `path`, and "<path>.data" when tensors are external; both appear whole or not at all.
void write_onnx(ir::Model& model, const std::filesystem::path& path, const WriteOptions& options);

}  // namespace onward::exporter
