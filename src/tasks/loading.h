// A session from a file of any supported format.
#pragma once

#include <filesystem>
#include <optional>

#include "convert/convert.h"
#include "runtime/session.h"

namespace onward::tasks {

// Converts in memory what is not ONNX.
runtime::Session open_session(const std::filesystem::path& path, const convert::Options& options = {},
                              const runtime::SessionOptions& session = {});

// The same for a graph at hand (it is changed no further than writing it would).
runtime::Session open_session(ir::Model& model, const std::string& name, int opset,
                              const runtime::SessionOptions& session = {});

// What a server makes of a file that is not ONNX. Throws Error as import_file does, and kUnimplemented for a model that
// is too large to be held in memory as one message.
Bytes converted_for_serving(const std::filesystem::path& path);

// The opset to write: `wanted`, or for 0 the one of the ONNX file that the model was read from, where that is newer
// than the default; else none, for what convert::optimize chooses.
std::optional<int> target_opset(const ir::Model& model, int wanted);

}  // namespace onward::tasks
