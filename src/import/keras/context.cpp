#include "import/keras/context.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "import/keras/graph_builder.h"
#include "import/keras/ops/quantized.h"

namespace onward::importer::keras {
namespace {

// Tensors of a structure in Keras' order: dicts by sorted key.
void collect(const Json& json, const Resolve& resolve, ir::Values& values) {
  for_each_tensor(json, [&](const TensorRef& ref) { values.push_back(resolve(ref)); });
}

}  // namespace

ir::Values Context::inputs() const {
  ir::Values values;
  if (call_.args.size() > 0) {
    collect(call_.args[0], resolve_, values);
  } else if (call_.kwargs.size() > 0) {
    collect(call_.kwargs.as_object().front().second, resolve_, values);
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

bool Context::flag(size_t index, std::string_view name, bool fallback) const {
  const Json& json = argument(index, name);
  return json.is_bool() ? json.as_bool() : fallback;
}

ir::Value* Context::tensor(size_t index, std::string_view name) const {
  const Json& json = argument(index, name);
  return is_tensor(json) ? resolve_(read_tensor_ref(json)) : nullptr;
}

ir::Values Context::tensors(size_t index, std::string_view name) const {
  ir::Values values;
  collect(argument(index, name), resolve_, values);
  return values;
}

ir::Value* Context::mask_of(const ir::Value* value) const {
  const auto found = session.masks.find(value);
  return found != session.masks.end() ? found->second : nullptr;
}

ir::Value* Context::mask() const {
  const Json* given = call_.kwargs.find("mask");
  if (given != nullptr && is_tensor(*given)) return resolve(*given);
  const ir::Values values = inputs();
  return values.empty() ? nullptr : mask_of(values.front());
}

void Context::set_mask(const ir::Value* value, ir::Value* mask) const {
  if (mask != nullptr) session.masks[value] = mask;
}

bool Context::has_weight(const std::string& name, const std::string& child) const {
  return session.weights.count(path_ + (child.empty() ? "" : "/" + child) + "/" + name) > 0;
}

const ir::Tensor& Context::weight_tensor(const std::string& name, const std::string& child) const {
  const auto found = session.weights.find(path_ + (child.empty() ? "" : "/" + child) + "/" + name);
  if (found == session.weights.end()) {
    fail_data(fmt::format("[{}] the file has no weight \"{}\" for this layer", layer.class_name, name));
  }
  return found->second;
}

ir::DType Context::compute_dtype() const {
  const ir::DType dtype = compute_dtype_of(layer);
  return dtype == ir::DType::kUndefined ? ir::DType::kFloat : dtype;
}

ir::Value* Context::weight(const std::string& name, const std::string& child) const {
  const ir::Tensor& tensor = weight_tensor(name, child);
  // Keras itself does not load such files: it is inner layers that were quantized.
  require(tensor.dtype() != ir::DType::kInt8 || is_quantized(layer),
          fmt::format("its {} was quantized, and its configuration does not say how",
                      child.empty() ? name : child + "/" + name),
          kQuantizedHint);
  const std::string key = path_ + (child.empty() ? "" : "/" + child) + "/" + name;
  ir::Value*& value = session.weight_values[key];
  if (value == nullptr) value = b.constant(tensor, key);
  return ir::is_floating(value->dtype) ? b.Cast(value, compute_dtype()) : value;
}

std::optional<std::string> Context::asset(const std::string& file) const {
  const auto found = session.assets.find(path_ + "/" + file);
  return found != session.assets.end() ? std::optional(found->second) : std::nullopt;
}

Json anonymous_tensor(size_t index) {
  return Json::object(
      {{"class_name", "__keras_tensor__"},
       {"config", Json::object({{"keras_history", Json::array({"", 0, static_cast<int64_t>(index)})}})}});
}

ir::Values Context::apply(const Layer& inner, const std::string& child, const ir::Values& inputs, bool list) const {
  Json refs = Json::array();
  for (size_t i = 0; i < inputs.size(); ++i) refs.push(anonymous_tensor(i));
  const Call step{Json::array({inputs.size() == 1 && !list ? refs[0] : refs}), Json::object()};
  const auto origin = b.origin();
  ir::Values results = driver_.call(inner, step, child.empty() ? path_ : path_ + "/" + child,
                                    [&inputs](const TensorRef& ref) { return inputs.at(ref.tensor); });
  b.set_origin(origin);
  return results;
}

std::vector<int64_t> Context::ints(std::string_view key, size_t count, int64_t fallback) const {
  constexpr int64_t kMost = int64_t{1} << 31;
  const Json& value = config[key];
  if (value.is_null()) return std::vector<int64_t>(count, fallback);
  std::vector<int64_t> values = value.is_number() ? std::vector<int64_t>(count, value.as_int()) : value.as_ints();
  for (const int64_t item : values) require(item > -kMost && item < kMost, fmt::format("{} is out of range", key));
  require(values.size() == count, fmt::format("{} has {} entries where {} are expected", key, values.size(), count));
  return values;
}

void Context::require(bool condition, const std::string& message, const std::string& hint) const {
  if (!condition) fail_unsupported("[" + layer.class_name + "] " + message, hint);
}

ir::DType compute_dtype_of(const Layer& layer) {
  if (!layer.config.is_object()) return ir::DType::kUndefined;
  const Json& policy = layer.config["dtype"];
  std::string name;
  if (policy.is_string()) name = policy.as_string();
  if (policy.is_object() && policy["config"].is_object()) {
    const Json& config = policy["config"];
    // Of a quantized policy: what the rest of the layer is in.
    name = config.get("source_name", config.get("name", "").c_str());
    if (config["default_policy"].is_string()) name = config["default_policy"].as_string();
  }
  const size_t from = name.find("_from_");
  if (from != std::string::npos) name = name.substr(from + 6);
  if (name.rfind("mixed_", 0) == 0) name = name.substr(6);
  const auto dtype = ir::dtype_from_name(name);
  if (!dtype || !ir::is_floating(*dtype)) return ir::DType::kUndefined;
  return *dtype == ir::DType::kBFloat16 ? ir::DType::kFloat : *dtype;
}

}  // namespace onward::importer::keras
