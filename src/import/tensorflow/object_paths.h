// Where a SavedModel's checkpoint keeps what the object graph holds.
#pragma once

#include <string>
#include <vector>

#include "formats/tensorflow/saved_model.h"

namespace onward::importer::tf {

// The checkpoint's key of each object's value, by number; empty for what the root does not reach.
std::vector<std::string> checkpoint_keys(const std::vector<tensorflow::TrackedObject>& objects);

}  // namespace onward::importer::tf
