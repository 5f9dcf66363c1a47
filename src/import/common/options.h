// What a user may say about an import; every importer takes the same.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/inference.h"

namespace onward::importer {

struct Options {
  // --input NAME=DIMS: shapes for inputs where the file has none or dynamic ones.
  std::map<std::string, ir::Shape> input_dims;
  // --input NAME:DTYPE=DIMS: element types for inputs where the file has none. What the file says can't be changed.
  std::map<std::string, ir::DType> input_dtypes;
  // --signature, --tag (SavedModel); empty: the file's default.
  std::string signature;
  std::string tag;
  // --inputs, --outputs: tensor names where the file has no signature.
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

// Throws Error(kInvalidArgument) where the user gave the input an element type that is not the file's.
void check_dtype(const Options& options, const std::string& input, ir::DType file_dtype);

}  // namespace onward::importer
