// How values look on a terminal.
#pragma once

#include <string>
#include <vector>

#include "ir/tensor.h"

namespace onward::cli {

// "float32 [1,512,512,1]"
std::string type_text(const ir::Tensor& tensor);

// The first values, and how many more there are: "0.0012, 0.0013, … (262144 values)".
std::string preview(const ir::Tensor& tensor);

// "1.2 MB", "317 B".
std::string size_text(size_t bytes);

// "1 tensor", "3 tensors"
std::string counted(size_t count, std::string_view thing);

// Rows as lines of aligned columns, each indented by two spaces; the last column is not padded.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace onward::cli
