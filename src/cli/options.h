// Option values that several subcommands share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/predict/program.h"
#include "import/common/options.h"
#include "ir/shape.h"

namespace CLI {
class App;
}

namespace onward::cli {

// What --input says of one input.
struct InputArgument {
  std::string name;
  std::optional<ir::DType> dtype;
  ir::Shape dims;
};

// "NAME=1,3,224,224" or "NAME:DTYPE=1,3,224,224": numbers, and `-1`, `?` or a name for a dynamic dimension; "NAME=" is
// a scalar. The name may contain spaces and "=" signs (the last one counts). Fails as wrong usage, showing the form.
InputArgument parse_input(const std::string& text);

// "A,B" → {"A", "B"}.
std::vector<std::string> split_names(const std::string& text);

// What the user gave of --input, --signature, --tag, --inputs and --outputs.
struct ImportArguments {
  std::vector<std::string> input_dims;
  std::string signature;
  std::string tag;
  std::string inputs;
  std::string outputs;

  // `dims` is what the option NAME[:DTYPE]=DIMS is called: "--input", or "--dims" in verbs whose --input names files.
  void add_to(CLI::App& verb, const std::string& dims = "--input");
  // Without --inputs and --outputs.
  void add_dims_to(CLI::App& verb, const std::string& dims);
  importer::Options options() const;
};

}  // namespace onward::cli
