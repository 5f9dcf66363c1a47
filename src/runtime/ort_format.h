// Models as ONNX Runtime optimizes them, as files: its fusions are done once, not whenever the model is loaded.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace onward::runtime {

// What ONNX Runtime may make of the graph.
enum class Fusions {
  kStandard,     // only operators of the ONNX standard
  kAnyMachine,   // also its own operators that every processor runs
  kThisMachine,  // also what this machine's processor is fastest with; others may not load it, or be slower
};

struct SaveOptions {
  Fusions fusions = Fusions::kAnyMachine;
  std::vector<std::filesystem::path> custom_ops;  // as SessionOptions::custom_ops
};

// A model in memory (ONNX without external data; `name` stands in messages) as an .ort file: it loads faster and in
// less memory than the .onnx file. Nothing is optimized when an .ort file is loaded: what is to be fused must be fused
// here. Throws as Session::from_bytes does, and Error(kUnimplemented) for what .ort can't hold.
Bytes ort_file(const Bytes& model, const std::string& name, const SaveOptions& options = {});

struct OnnxFile {
  Bytes model;
  Bytes external;  // the content of the data file, empty when everything is inline
};

// The ONNX file at `path` with the fusions in it. With `data_file` (a bare file name, written into external references)
// its large tensors become external. `name` stands in messages. Throws as Session::load does.
OnnxFile fused_onnx(const std::filesystem::path& path, const std::string& name, const std::string& data_file,
                    const SaveOptions& options);

}  // namespace onward::runtime
