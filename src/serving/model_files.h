// Where a repository folder keeps its models.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "serving/model.h"

namespace onward::serving {

bool is_onnx_file(const std::filesystem::path& path);  // by its ending: .onnx or .ort

// The models in a folder, by name: sub-folders and files that look like models. Throws Error when it is no folder.
std::map<std::string, std::filesystem::path> find_models(const std::filesystem::path& folder);

// The versions of one model: of NAME/VERSION/model.*, or version 1 for a plain file or folder. Throws Error when a
// version folder has no model or more than one.
std::map<int64_t, std::filesystem::path> find_versions(const std::filesystem::path& model);

// Those that the configuration wants served. Throws Error(kNotFound) for a wanted version that is missing.
std::map<int64_t, std::filesystem::path> choose_versions(std::map<int64_t, std::filesystem::path> found,
                                                         const ModelConfig& config);

// What a model's weights take, about: the size of its file, or of all files in its folder.
uint64_t size_on_disk(const std::filesystem::path& path);

// Changes when a file or folder does: names, sizes and times, not content.
std::string fingerprint(const std::filesystem::path& path);

}  // namespace onward::serving
