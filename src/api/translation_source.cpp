#include "api/translation_source.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "import/keras/context.h"
#include "import/tensorflow/types.h"

namespace onward::api {
namespace {

namespace torch = importer::torch;

// Keywords come after every position.
constexpr size_t kByNameOnly = std::numeric_limits<size_t>::max();

[[noreturn]] void fail_no_weights(const std::string& framework) {
  fail_invalid("weights by name are Keras'", framework + "'s operators get theirs as inputs");
}

template <class T>
std::vector<double> doubles(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

// A number, a string, or nothing; of lists, see below.
std::optional<Attribute> scalar_of(const torch::Arg& arg) {
  if (const auto* value = std::get_if<bool>(&arg.data)) return int64_t{*value};
  if (const auto* value = std::get_if<int64_t>(&arg.data)) return *value;
  if (const auto* value = std::get_if<double>(&arg.data)) return *value;
  if (const auto* value = std::get_if<std::string>(&arg.data)) return *value;
  if (const auto* value = std::get_if<ir::DType>(&arg.data)) return static_cast<int64_t>(*value);
  return std::nullopt;
}

std::optional<Attribute> scalar_of(const Json& json) {
  if (json.is_bool()) return int64_t{json.as_bool()};
  if (json.is_int()) return json.as_int();
  if (json.is_double()) return json.as_double();
  if (json.is_string()) return json.as_string();
  return std::nullopt;
}

// All integers, all numbers, or all strings; an empty list counts as one of integers.
template <class Items>
std::optional<Attribute> list_of(const Items& items) {
  std::vector<int64_t> integers;
  std::vector<double> numbers;
  std::vector<std::string> texts;
  for (const auto& item : items) {
    const std::optional<Attribute> value = scalar_of(item);
    if (!value) return std::nullopt;
    if (const auto* integer = std::get_if<int64_t>(&*value)) {
      integers.push_back(*integer);
      numbers.push_back(static_cast<double>(*integer));
    } else if (const auto* number = std::get_if<double>(&*value)) {
      numbers.push_back(*number);
    } else if (const auto* text = std::get_if<std::string>(&*value)) {
      texts.push_back(*text);
    }
  }
  if (integers.size() == items.size()) return integers;
  if (numbers.size() == items.size()) return numbers;
  if (texts.size() == items.size()) return texts;
  return std::nullopt;
}

}  // namespace

// --- PyTorch ---------------------------------------------------------------------------------------------------------

const torch::Arg& TorchSource::argument(std::string_view name) const {
  if (!call_.has(name)) {
    fail_invalid("[" + call_.signature().name + "] its signature has no parameter \"" + std::string(name) + "\"");
  }
  return call_.arg(name);
}

ir::Values TorchSource::inputs() {
  ir::Values values;
  for (const torch::Parameter& parameter : call_.signature().parameters) {
    if (parameter.type != torch::Parameter::Type::kTensor) continue;
    if (!parameter.list) {
      values.push_back(call_.maybe_tensor(parameter.name));
    } else {
      const ir::Values list = call_.tensors(parameter.name);
      values.insert(values.end(), list.begin(), list.end());
    }
  }
  return values;
}

ir::Value* TorchSource::input(std::string_view name) {
  argument(name);
  return call_.maybe_tensor(name);
}

std::optional<Attribute> TorchSource::attribute(std::string_view name) {
  const torch::Arg& arg = argument(name);
  if (arg.is_none()) return std::nullopt;
  std::optional<Attribute> value = arg.is_list() ? list_of(*arg.list()) : scalar_of(arg);
  if (!value) call_.fail("its argument \"" + std::string(name) + "\" is only known when the model runs");
  return value;
}

ir::Value* TorchSource::weight(const std::string&) { fail_no_weights("PyTorch"); }

// --- TensorFlow ------------------------------------------------------------------------------------------------------

ir::Value* TensorFlowSource::input(std::string_view) {
  fail_invalid("[" + name() + "] TensorFlow's graphs do not name inputs", "ask for them by number");
}

std::optional<Attribute> TensorFlowSource::attribute(std::string_view name) {
  using tensorflow::AttrValue;
  const auto found = call_.node().attrs.find(name);
  if (found == call_.node().attrs.end()) return std::nullopt;
  const AttrValue& value = found->second;
  if (const auto* integer = value.get_if<int64_t>()) return *integer;
  if (const auto* number = value.get_if<float>()) return static_cast<double>(*number);
  if (const auto* flag = value.get_if<bool>()) return int64_t{*flag};
  if (const auto* text = value.get_if<std::string>()) return *text;
  if (value.get_if<tensorflow::DataType>() != nullptr) return static_cast<int64_t>(call_.dtype(name));
  if (const auto* list = value.get_if<AttrValue::List>()) {
    if (!list->strings.empty()) return list->strings;
    if (!list->floats.empty()) return doubles(list->floats);
    if (!list->bools.empty()) return std::vector<int64_t>(list->bools.begin(), list->bools.end());
    return list->ints;
  }
  call_.fail("its attribute \"" + std::string(name) + "\" has a type that translations do not get");
}

ir::Value* TensorFlowSource::weight(const std::string&) { fail_no_weights("TensorFlow"); }

// --- Keras -----------------------------------------------------------------------------------------------------------

ir::Builder& KerasSource::builder() { return context_.b; }
std::string KerasSource::name() const { return context_.layer.class_name; }
ir::Values KerasSource::inputs() { return context_.inputs(); }
ir::Value* KerasSource::input(std::string_view name) { return context_.tensor(kByNameOnly, name); }

std::optional<Attribute> KerasSource::attribute(std::string_view name) {
  const Json& json = context_.config[name];
  if (json.is_null()) return std::nullopt;
  std::optional<Attribute> value = json.is_array() ? list_of(json.as_array()) : scalar_of(json);
  if (!value) context_.require(false, "its setting \"" + std::string(name) + "\" is no number, string or list of them");
  return value;
}

ir::Value* KerasSource::weight(const std::string& name) { return context_.weight(name); }

}  // namespace onward::api
