// Samples that are the files of a folder.
#pragma once

#include <string>
#include <vector>

#include "runtime/session.h"

namespace onward::tasks {

bool is_npz(const std::string& file);  // by its ending

// The files of `folder` that hold samples (.npz, .npy, .png, .jpg, .json), by name.
std::vector<std::string> sample_files(const std::string& folder);

// The file as read_feeds takes it: an .npz holds all inputs.
std::vector<std::string> sample_feeds(const std::string& file, const std::vector<runtime::ValueInfo>& inputs);

}  // namespace onward::tasks
