// ONNX Runtime's own file format.
#pragma once

#include <filesystem>
#include <string>

#include "base/bytes.h"

namespace onward::runtime {

// Writes a model in memory (ONNX without external data; `name` stands in messages) as an .ort file, with the graph
// optimizations that hold on any machine: it loads faster and in less memory than the .onnx file. Throws as
// Session::from_bytes does.
void write_ort_file(const Bytes& model, const std::string& name, const std::filesystem::path& path);

}  // namespace onward::runtime
