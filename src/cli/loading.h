// A session from a file of any supported format.
#pragma once

#include <filesystem>

#include "convert/convert.h"
#include "runtime/session.h"

namespace onward::cli {

// Converts in memory what is not ONNX.
runtime::Session open_session(const std::filesystem::path& path, const convert::Options& options = {});

// The same for a graph at hand (it is changed no further than writing it would).
runtime::Session open_session(ir::Model& model, const std::string& name, int opset);

// The opset to write: `wanted`, or for 0 the default, unless the model was read from ONNX of a newer one.
int target_opset(const ir::Model& model, int wanted);

}  // namespace onward::cli
