// A session from a file of any supported format.
#pragma once

#include <filesystem>
#include <optional>

#include "convert/convert.h"
#include "runtime/session.h"

namespace onward::cli {

// Converts in memory what is not ONNX.
runtime::Session open_session(const std::filesystem::path& path, const convert::Options& options = {});

// The same for a graph at hand (it is changed no further than writing it would).
runtime::Session open_session(ir::Model& model, const std::string& name, int opset);

// The opset to write: `wanted`, or for 0 the one of the ONNX file that the model was read from, where that is newer
// than the default; else none, for what convert::optimize chooses.
std::optional<int> target_opset(const ir::Model& model, int wanted);

}  // namespace onward::cli
