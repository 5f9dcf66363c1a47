// model.yaml beside a model's versions.
#pragma once

#include <filesystem>
#include <string>

#include "serving/model.h"

namespace onward::serving {

// Paths in it are relative to its folder. Throws Error(kInvalidArgument) with file and line for an unknown key, a wrong
// type or a value out of range.
ModelConfig read_model_config(const std::filesystem::path& file);

// The same file with every value, defaults included.
std::string show_model_config(const ModelConfig& config);

}  // namespace onward::serving
