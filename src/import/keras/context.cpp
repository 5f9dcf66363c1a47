#include "import/keras/context.h"

#include <fmt/format.h>

#include "base/error.h"

namespace onward::importer::keras {
namespace {

void collect(const Json& json, const Resolve& resolve, ir::Values& values) {
  if (is_tensor(json)) {
    values.push_back(resolve(read_tensor_ref(json)));
  } else if (json.is_array()) {
    for (const Json& item : json.as_array()) collect(item, resolve, values);
  } else if (json.is_object()) {
    for (const Json::Member& member : json.as_object()) collect(member.second, resolve, values);
  }
}

}  // namespace

ir::Values Context::inputs() const {
  ir::Values values;
  if (call_.args.size() > 0) {
    collect(call_.args[0], resolve_, values);
  } else if (call_.kwargs.size() > 0) {
    collect(call_.kwargs, resolve_, values);
  }
  return values;
}

ir::Value* Context::x() const {
  const ir::Values values = inputs();
  require(values.size() == 1, fmt::format("is called with {} tensors where one is expected", values.size()));
  return values.front();
}

const Json& Context::argument(size_t index, std::string_view name) const {
  static const Json kNull;
  if (const Json* given = call_.kwargs.find(name)) return *given;
  return index < call_.args.size() ? call_.args[index] : kNull;
}

ir::Value* Context::tensor(size_t index, std::string_view name) const {
  const Json& json = argument(index, name);
  return is_tensor(json) ? resolve_(read_tensor_ref(json)) : nullptr;
}

bool Context::has_weight(const std::string& name, const std::string& child) const {
  return weights_.count(path_ + (child.empty() ? "" : "/" + child) + "/" + name) > 0;
}

const ir::Tensor& Context::weight_tensor(const std::string& name, const std::string& child) const {
  const auto found = weights_.find(path_ + (child.empty() ? "" : "/" + child) + "/" + name);
  if (found == weights_.end()) {
    fail_data(fmt::format("[{}] the file has no weight \"{}\" for this layer", layer.class_name, name));
  }
  return found->second;
}

ir::Value* Context::weight(const std::string& name, const std::string& child) const {
  const ir::Tensor& tensor = weight_tensor(name, child);
  const std::string key = path_ + (child.empty() ? "" : "/" + child) + "/" + name;
  ir::Value*& value = weight_values_[key];
  if (value == nullptr) value = b.constant(tensor, key);
  return value;
}

std::vector<int64_t> Context::ints(std::string_view key, size_t count, int64_t fallback) const {
  const Json& value = config[key];
  if (value.is_null()) return std::vector<int64_t>(count, fallback);
  if (value.is_number()) return std::vector<int64_t>(count, value.as_int());
  std::vector<int64_t> values = value.as_ints();
  require(values.size() == count, fmt::format("{} has {} entries where {} are expected", key, values.size(), count));
  return values;
}

void Context::require(bool condition, const std::string& message, const std::string& hint) const {
  if (!condition) fail_unsupported("[" + layer.class_name + "] " + message, hint);
}

}  // namespace onward::importer::keras
