#include "import/tensorflow/call.h"

#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/op_table.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {

using tensorflow::AttrValue;

void Call::fail(const std::string& message, const std::string& hint) const { fail_unsupported(message, hint); }

void Call::require(bool condition, const std::string& message, const std::string& hint) const {
  if (!condition) fail(message, hint);
}

Items Call::run(const Op& op) {
  if (op.translate_complex != nullptr) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (is_complex(i)) return op.translate_complex(*this);
    }
  }
  if (op.translate_items != nullptr) return op.translate_items(*this);
  if (op.translate_one != nullptr) return {op.translate_one(*this)};
  const ir::Values values = op.translate(*this);
  return {values.begin(), values.end()};
}

// --- inputs
// ------------------------------------------------------------------------------------------------------------

const Item& Call::item(size_t index) const {
  if (index >= inputs_.size()) fail_data("it has " + std::to_string(inputs_.size()) + " inputs, too few");
  return inputs_[index];
}

ir::Value* Call::input(size_t index) const { return tensor_of(item(index), "input " + std::to_string(index)); }

ir::Values Call::inputs(size_t first, size_t count) const {
  ir::Values values;
  for (size_t i = first; i < inputs_.size() && values.size() < count; ++i) values.push_back(input(i));
  return values;
}

ir::Value* Call::tensor_of(const Item& item, const std::string& what) const {
  if (ir::Value* value = item.tensor()) return value;
  if (const auto* stored = item.get_if<std::shared_ptr<const Stored>>()) return evaluator_.load(**stored);
  if (const Resource* resource = item.resource(); resource != nullptr && resource->reference) {
    const auto found = state().variables.find(resource);
    if (found == state().variables.end()) {
      fail("the variable \"" + resource->name + "\" has no value in the file");
    }
    return tensor_of(found->second, what);
  }
  if (item.get_if<Complex>() != nullptr) fail("complex numbers are not supported here");
  if (item.resource() != nullptr) fail(what + " is a handle, not a tensor");
  if (item.list() != nullptr) fail(what + " is a list of tensors, not a tensor");
  fail(what + " is no tensor");
}

const Resource& Call::resource(size_t index) const {
  const Resource* resource = item(index).resource();
  require(resource != nullptr, "input " + std::to_string(index) + " is no handle of a variable or table");
  return *resource;
}

std::optional<std::vector<int64_t>> Call::known_ints(size_t index) const {
  const ir::Value* value = input(index);
  if (value->is_constant() && value->dtype != ir::DType::kString) return value->constant()->ints();
  if (!value->content) return std::nullopt;
  return ir::static_dims(*value->content);
}

std::optional<std::vector<double>> Call::known_numbers(size_t index) const {
  const ir::Value* value = input(index);
  if (!value->is_constant() || value->dtype == ir::DType::kString) return std::nullopt;
  return value->constant()->doubles();
}

std::vector<int64_t> Call::constant_ints(size_t index, const char* what) const {
  const auto numbers = known_ints(index);
  require(numbers.has_value(), std::string("its ") + what + " is only known when the model runs");
  return *numbers;
}

int64_t Call::constant_int(size_t index, const char* what) const {
  const std::vector<int64_t> numbers = constant_ints(index, what);
  require(numbers.size() == 1, std::string("its ") + what + " is no single number");
  return numbers[0];
}

double Call::constant_number(size_t index, const char* what) const {
  const auto numbers = known_numbers(index);
  require(numbers.has_value(), std::string("its ") + what + " is only known when the model runs");
  require(numbers->size() == 1, std::string("its ") + what + " is no single number");
  return (*numbers)[0];
}

std::string Call::constant_text(size_t index, const char* what) const {
  const ir::Value* value = input(index);
  const bool one = value->is_constant() && value->dtype == ir::DType::kString && value->constant()->count() == 1;
  require(one, std::string("its ") + what + " is only known when the model runs");
  return value->constant()->strings()[0];
}

// --- attributes
// --------------------------------------------------------------------------------------------------------

const AttrValue* Call::find(std::string_view name) const {
  const auto found = node().attrs.find(name);
  if (found == node().attrs.end() || found->second.get_if<AttrValue::Placeholder>() != nullptr) return nullptr;
  return &found->second;
}

template <class T>
const T* Call::attr(std::string_view name) const {
  const AttrValue* value = find(name);
  if (value == nullptr) return nullptr;
  const T* held = value->get_if<T>();
  if (held == nullptr) fail_data("its attribute \"" + std::string(name) + "\" has another type than it should");
  return held;
}

int64_t Call::integer(std::string_view name, int64_t fallback) const {
  const auto* value = attr<int64_t>(name);
  return value == nullptr ? fallback : *value;
}

double Call::number(std::string_view name, double fallback) const {
  const auto* value = attr<float>(name);
  return value == nullptr ? fallback : static_cast<double>(*value);
}

bool Call::flag(std::string_view name, bool fallback) const {
  const auto* value = attr<bool>(name);
  return value == nullptr ? fallback : *value;
}

std::string Call::text(std::string_view name, const char* fallback) const {
  const auto* value = attr<std::string>(name);
  return value == nullptr ? fallback : *value;
}

tensorflow::DataType Call::type(std::string_view name, tensorflow::DataType fallback) const {
  const auto* value = attr<tensorflow::DataType>(name);
  return value == nullptr ? fallback : tensorflow::without_ref(*value);
}

ir::DType Call::dtype(std::string_view name, tensorflow::DataType fallback) const {
  const tensorflow::DataType given = type(name, fallback);
  const ir::DType dtype = to_dtype(given);
  require(dtype != ir::DType::kUndefined,
          "tensors of type " + std::string(tensorflow::display_name(given)) + " are not supported");
  return dtype;
}

tensorflow::PartialShape Call::shape(std::string_view name) const {
  const auto* value = attr<AttrValue::Shape>(name);
  return value == nullptr ? std::nullopt : value->value;
}

std::vector<int64_t> Call::integers(std::string_view name) const {
  const auto* list = attr<AttrValue::List>(name);
  return list == nullptr ? std::vector<int64_t>() : list->ints;
}

std::vector<float> Call::numbers(std::string_view name) const {
  const auto* list = attr<AttrValue::List>(name);
  return list == nullptr ? std::vector<float>() : list->floats;
}

std::vector<std::string> Call::texts(std::string_view name) const {
  const auto* list = attr<AttrValue::List>(name);
  return list == nullptr ? std::vector<std::string>() : list->strings;
}

std::vector<tensorflow::DataType> Call::types(std::string_view name) const {
  const auto* list = attr<AttrValue::List>(name);
  return list == nullptr ? std::vector<tensorflow::DataType>() : list->types;
}

std::string Call::function(std::string_view name) const {
  const auto* value = attr<tensorflow::FunctionRef>(name);
  require(value != nullptr, "it names no function \"" + std::string(name) + "\"");
  return value->name;
}

std::vector<std::string> Call::functions(std::string_view name) const {
  std::vector<std::string> names;
  const auto* list = attr<AttrValue::List>(name);
  if (list == nullptr) return names;
  for (const tensorflow::FunctionRef& function : list->functions) names.push_back(function.name);
  return names;
}

const Array* Call::array(std::string_view name) const { return attr<Array>(name); }

int64_t Call::axis(int64_t axis, const ir::Value* x) const {
  if (!x->has_rank()) {
    require(axis >= 0, "its axis " + std::to_string(axis) + " counts from the end of a tensor of unknown rank");
    return axis;
  }
  const auto rank = static_cast<int64_t>(x->rank());
  require(axis >= -rank && axis < std::max<int64_t>(rank, 1), "its axis " + std::to_string(axis) + " is out of range");
  return axis < 0 ? axis + rank : axis;
}

}  // namespace onward::importer::tf
