// Files that hold tensors and no network.
#pragma once

#include <filesystem>

#include "convert/detect.h"

namespace onward::convert {

// PyTorch checkpoints, safetensors, and .h5 files of Keras' save_weights.
bool holds_weights_only(Format format, const std::filesystem::path& path);

// Throws Error(kFailedPrecondition) that tells what is inside and the command that converts it through the user's own
// class; a damaged or unsafe file throws what reading it throws.
[[noreturn]] void fail_weights_only(Format format, const std::filesystem::path& path);

}  // namespace onward::convert
