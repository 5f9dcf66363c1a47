#include "import/torch/signature.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/error.h"

namespace onward::importer::torch {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

[[noreturn]] void fail(std::string_view text) {
  throw Error(Code::kInternal, "a bad operator signature: " + std::string(text));
}

// The pieces between commas that stand in no bracket.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  int depth = 0;
  size_t start = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i == text.size() || (text[i] == ',' && depth == 0)) {
      if (const std::string_view part = trimmed(text.substr(start, i - start)); !part.empty()) parts.push_back(part);
      start = i + 1;
    } else if (text[i] == '[' || text[i] == '(') {
      ++depth;
    } else if (text[i] == ']' || text[i] == ')') {
      --depth;
    }
  }
  return parts;
}

Parameter::Type base_type(std::string_view name) {
  if (name == "Tensor") return Parameter::Type::kTensor;
  if (name == "Scalar") return Parameter::Type::kScalar;
  if (name == "int" || name == "SymInt") return Parameter::Type::kInt;
  if (name == "float" || name == "SymFloat") return Parameter::Type::kFloat;
  if (name == "bool" || name == "SymBool") return Parameter::Type::kBool;
  if (name == "str") return Parameter::Type::kString;
  if (name == "ScalarType") return Parameter::Type::kDType;
  if (name == "Device" || name == "Layout" || name == "MemoryFormat" || name == "Generator") {
    return Parameter::Type::kDevice;
  }
  return Parameter::Type::kOther;
}

// "Tensor(a!)?", "SymInt[2]?", "Tensor?[]"
void parse_type(std::string_view text, Parameter& parameter) {
  if (text.ends_with('?')) {
    parameter.optional = true;
    text.remove_suffix(1);
  }
  if (text.ends_with(']')) {
    parameter.list = true;
    text = text.substr(0, text.rfind('['));
    if (text.ends_with('?')) {
      parameter.optional_items = true;
      text.remove_suffix(1);
    }
  }
  if (const size_t alias = text.find('('); alias != std::string_view::npos) {
    const size_t close = text.find(')');
    const std::string rest(text.substr(close + 1));
    text = text.substr(0, alias);
    if (rest == "?") parameter.optional = true;
    if (rest == "[]") parameter.list = true;
  }
  parameter.type = base_type(text);
}

Arg parse_default(std::string_view text, const Parameter& parameter, std::string_view signature) {
  text = trimmed(text);
  if (text == "None") return {};
  if (text == "True") return true;
  if (text == "False") return false;
  if (text.starts_with('[')) {
    Arg::List list;
    for (const std::string_view item : split(text.substr(1, text.size() - 2))) {
      list.push_back(parse_default(item, parameter, signature));
    }
    return list;
  }
  if (text.starts_with('"') || text.starts_with('\'')) return std::string(text.substr(1, text.size() - 2));
  if (text == "Mean") return int64_t{1};
  if (text == "Sum") return int64_t{2};
  if (text == "contiguous_format" || text == "long" || text == "strided") {
    if (text == "long") return ir::DType::kInt64;
    return {};
  }
  const std::string copy(text);
  const bool fraction = copy.find_first_of(".e") != std::string::npos;
  char* end = nullptr;
  const double number = std::strtod(copy.c_str(), &end);
  if (end != copy.c_str() + copy.size()) fail(signature);
  if (fraction || parameter.type == Parameter::Type::kFloat) return number;
  return static_cast<int64_t>(number);
}

Parameter parse_parameter(std::string_view text, std::string_view signature) {
  Parameter parameter;
  std::string_view head = text;
  std::string_view value;
  if (const size_t equals = text.find('='); equals != std::string_view::npos) {
    head = trimmed(text.substr(0, equals));
    value = text.substr(equals + 1);
  }
  const size_t space = head.rfind(' ');
  if (space == std::string_view::npos) fail(signature);
  parameter.name = head.substr(space + 1);
  parse_type(trimmed(head.substr(0, space)), parameter);
  if (!value.empty()) {
    parameter.has_default = true;
    parameter.default_value = parse_default(value, parameter, signature);
  }
  return parameter;
}

void parse_returns(std::string_view text, Signature& signature) {
  text = trimmed(text);
  if (text.starts_with('(') && text.ends_with(')')) {
    signature.results = split(text.substr(1, text.size() - 2)).size();
    return;
  }
  signature.results = 1;
  signature.gives_list = text.ends_with("[]") && text.starts_with("Tensor");
  signature.gives_number = !text.starts_with("Tensor");
}

}  // namespace

const Parameter* Signature::find(std::string_view parameter) const {
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == parameter; });
  return found == parameters.end() ? nullptr : &*found;
}

Signature parse_signature(std::string_view text) {
  const size_t open = text.find('(');
  const size_t arrow = text.rfind("->");
  if (open == std::string_view::npos || arrow == std::string_view::npos) fail(text);
  const size_t close = text.rfind(')', arrow);
  if (close == std::string_view::npos || close < open) fail(text);
  Signature signature;
  const std::string_view full = trimmed(text.substr(0, open));
  const size_t dot = full.find('.');
  signature.name = full.substr(0, dot);
  if (dot != std::string_view::npos) signature.overload = full.substr(dot + 1);
  bool keyword_only = false;
  for (const std::string_view part : split(text.substr(open + 1, close - open - 1))) {
    if (part == "*") {
      keyword_only = true;
      continue;
    }
    signature.parameters.push_back(parse_parameter(part, text));
    signature.parameters.back().keyword_only = keyword_only;
  }
  parse_returns(text.substr(arrow + 2), signature);
  return signature;
}

}  // namespace onward::importer::torch
