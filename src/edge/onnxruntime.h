// ONNX Runtime as a library that is loaded when it is needed: the edge program starts, and says what is wrong, without
// it.
#pragma once

#include <filesystem>

namespace onward::edge {

// libonnxruntime.so.1 in `folder`, or where the system has it. Call once, before any session. Throws Error(kNotFound),
// or Error(kUnavailable) for one that can't be used.
void load_onnxruntime(const std::filesystem::path& folder);

}  // namespace onward::edge
