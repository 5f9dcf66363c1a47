#include "cli/options.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <tuple>

namespace onward::cli {
namespace {

ir::Dim parse_dim(const std::string& text, const std::string& whole) {
  if (text == "?" || text == "-1") return {};
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size() && value >= 0) return ir::Dim(value);
  const bool number = text.empty() || text.front() == '-' || (text.front() >= '0' && text.front() <= '9');
  if (number) {
    fail_usage("--input " + whole + ": \"" + text + "\" is no dimension",
               "write NAME=1,3,224,224; use -1 or a name for a dimension that varies");
  }
  return ir::Dim(text);
}

// "mask:bool" → {"mask", bool}; "x:0" is a name.
std::pair<std::string, std::optional<ir::DType>> split_dtype(const std::string& name, const std::string& whole) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos || colon == 0) return {name, std::nullopt};
  const std::string type = name.substr(colon + 1);
  if (type.find_first_not_of("0123456789") == std::string::npos) return {name, std::nullopt};
  const std::optional<ir::DType> dtype = ir::dtype_from_name(type);
  if (!dtype) {
    fail_usage("--input " + whole + ": \"" + type + "\" is no dtype",
               "the dtypes are float32, float64, float16, bfloat16, int8 to int64, uint8 to uint64, bool, complex64, "
               "complex128 and string");
  }
  return {name.substr(0, colon), dtype};
}

std::string trimmed(const std::string& text) {
  const size_t start = text.find_first_not_of(' ');
  return start == std::string::npos ? "" : text.substr(start, text.find_last_not_of(' ') - start + 1);
}

}  // namespace

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    names.push_back(trimmed(text.substr(start, end - start)));
    start = end + 1;
  }
  return names;
}

InputArgument parse_input(const std::string& text) {
  const size_t equals = text.rfind('=');
  if (equals == std::string::npos || equals == 0) {
    fail_usage("--input " + text + " has no name", "write NAME=1,3,224,224");
  }
  InputArgument input;
  std::tie(input.name, input.dtype) = split_dtype(text.substr(0, equals), text);
  for (const std::string& dim : split_names(text.substr(equals + 1))) input.dims.push_back(parse_dim(dim, text));
  return input;
}

void ImportArguments::add_dims_to(CLI::App& verb, const std::string& dims) {
  verb.add_option(
          dims, input_dims,
          "Shape of an input where the file leaves it open, e.g. \"x=1,3,224,224\" (-1: varies), and its element "
          "type where the file has none, e.g. \"mask:bool=-1,8\"; repeatable")
      ->type_name("NAME[:DTYPE]=DIMS")
      ->take_all();
  verb.add_option("--signature", signature, "Which signature of a SavedModel (default: serving_default)")
      ->type_name("S");
  verb.add_option("--tag", tag, "Which meta graph of a SavedModel (default: serve)")->type_name("TAG");
}

void ImportArguments::add_to(CLI::App& verb, const std::string& dims) {
  add_dims_to(verb, dims);
  verb.add_option("--inputs", inputs, "Graph tensors that are the inputs, where the file has no signature")
      ->type_name("A,B");
  verb.add_option("--outputs", outputs, "Graph tensors that are the outputs")->type_name("C,D");
}

importer::Options ImportArguments::options() const {
  importer::Options options;
  for (const std::string& text : input_dims) {
    const InputArgument input = parse_input(text);
    options.input_dims.insert({input.name, input.dims});
    if (input.dtype) options.input_dtypes.insert({input.name, *input.dtype});
  }
  options.signature = signature;
  options.tag = tag;
  options.inputs = split_names(inputs);
  options.outputs = split_names(outputs);
  return options;
}

}  // namespace onward::cli
