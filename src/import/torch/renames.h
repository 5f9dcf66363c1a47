// Names that the user gave a model's inputs and outputs beside the program, in the archive's extra file onward.json.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace onward::importer {

// Empty lists: the program's own names stay.
struct Renames {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

// `file` is {"inputs": ["name", …], "outputs": […]}, either may be missing; `what` names the archive in errors.
Renames read_renames(const std::optional<Bytes>& file, const std::string& what);

// Throws Error(kDataLoss) where the file names another number of `kind` ("inputs") than the program has.
void check_renames(const std::string& kind, size_t named, size_t has, const std::string& what);

}  // namespace onward::importer
