// The pickled calls that make a tensor: torch._utils._rebuild_*.
#include <algorithm>

#include "base/error.h"
#include "formats/torch/tensor.h"

namespace onward::torchfile {
namespace {

using pickle::Items;
using pickle::Kind;
using pickle::Value;

constexpr int kMaxNesting = 16;

bool is_any(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_plain(std::string_view name) {
  return is_any(name,
                {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3"});
}
// Calls whose first argument is the tensor itself.
bool is_wrapper(std::string_view name) {
  return is_any(name, {"torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state",
                       "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"});
}
// Calls of the form f(rebuild function, class, arguments, state).
bool is_from_type(std::string_view name) {
  return is_any(name, {"torch._tensor._rebuild_from_type", "torch._tensor._rebuild_from_type_v2",
                       "torch.tensor._rebuild_from_type"});
}
bool is_quantized(std::string_view name) { return name == "torch._utils._rebuild_qtensor"; }

const Value& argument(const Items& args, size_t index, std::string_view callable) {
  if (index >= args.size()) {
    fail_data(std::string(callable) + " has only " + std::to_string(args.size()) + " arguments");
  }
  return *args[index];
}

}  // namespace

bool TensorReader::is_tensor(const Value& value) const {
  if (referrer_ && value.kind == Kind::kPersistent) return true;
  if (value.kind != Kind::kObject) return false;
  const std::string_view name = pickle::callable_name(value.object());
  return is_plain(name) || is_wrapper(name) || (is_from_type(name) && subclass_state(value.object()) == nullptr) ||
         is_quantized(name);
}

const Value* TensorReader::subclass_state(const pickle::Object& object) {
  if (!is_from_type(pickle::callable_name(object)) || object.args == nullptr || !object.args->is_sequence())
    return nullptr;
  const Items& args = object.args->items();
  const bool wraps =
      args.size() == 4 && args[0]->kind == Kind::kGlobal && args[0]->text() == "torch._utils._rebuild_wrapper_subclass";
  return wraps && pickle::mapping_entries(*args[3]) != nullptr ? args[3] : nullptr;
}

std::optional<StorageKey> TensorReader::storage_key(const Value& value) {
  if (value.kind != Kind::kPersistent || !value.persistent_id().is_sequence()) return std::nullopt;
  const Items& parts = value.persistent_id().items();
  if (parts.size() < 5 || !parts[0]->is_string() || parts[0]->text() != "storage") return std::nullopt;
  StorageKey key;
  if (parts[1]->kind != Kind::kGlobal) fail_data("a storage without a type");
  const std::string& type = parts[1]->text();
  key.dtype = dtype_of_storage(type);
  if (key.dtype.empty() && !type.ends_with("UntypedStorage")) {
    fail_data("a storage of the unknown type " + type);
  }
  key.key = parts[2]->kind == Kind::kInt ? std::to_string(parts[2]->as_int()) : parts[2]->text();
  key.location = parts[3]->is_string() ? parts[3]->text() : std::string();
  key.count = parts[4]->as_int();
  if (key.count < 0) fail_data("storage " + key.key + " has a negative size");
  return key;
}

std::optional<StridedTensor> TensorReader::tensor(const Value& value) const { return rebuild(value, 0); }

std::optional<StridedTensor> TensorReader::rebuild(const Value& value, int depth) const {
  if (!is_tensor(value)) return std::nullopt;
  if (depth > kMaxNesting) fail_data(what_ + ": a tensor is nested in too many calls");
  if (value.kind == Kind::kPersistent) return referrer_(value.persistent_id());
  const pickle::Object& object = value.object();
  const std::string_view name = pickle::callable_name(object);
  const Items& args = object.args->items();
  if (is_plain(name)) return plain(args, name);
  if (is_quantized(name)) return quantized(args, depth);
  if (is_wrapper(name)) {
    std::optional<StridedTensor> inner = rebuild(argument(args, 0, name), depth + 1);
    if (inner) {
      inner->is_parameter = name != "torch.nn.parameter.Buffer";
      inner->requires_grad = args.size() > 1 && args[1]->kind == Kind::kBool && args[1]->as_bool();
    }
    return inner;
  }
  const Value& function = argument(args, 0, name);
  const Value& arguments = argument(args, name.ends_with("_v2") || args.size() > 2 ? 2 : 1, name);
  if (function.kind != Kind::kGlobal) fail_data(what_ + ": " + std::string(name) + " without a function");
  if (is_plain(function.text())) return plain(arguments.items(), function.text());
  if (is_wrapper(function.text())) return rebuild(argument(arguments.items(), 0, name), depth + 1);
  if (is_quantized(function.text())) return quantized(arguments.items(), depth);
  return std::nullopt;
}

StridedTensor TensorReader::strided(const StorageKey& key, const Value& offset, const Value& sizes,
                                    const Value& strides, const std::string& dtype) const {
  StridedTensor tensor;
  tensor.dtype = dtype;
  tensor.sizes = int_list(sizes);
  tensor.strides = int_list(strides);
  tensor.offset = offset.as_int();
  const StorageBytes storage = loader_(key);
  tensor.storage = storage.bytes;
  tensor.big_endian = storage.big_endian;
  tensor.storage_key = key.key;
  tensor.check(what_);
  return tensor;
}

StridedTensor TensorReader::plain(const Items& args, std::string_view callable) const {
  const std::optional<StorageKey> key = storage_key(argument(args, 0, callable));
  if (!key) fail_data(what_ + ": a tensor without a storage");
  std::string dtype = key->dtype;
  if (callable.ends_with("_v3")) dtype = dtype_of_global(argument(args, 6, callable).text());
  if (dtype.empty()) fail_data(what_ + ": a tensor of storage " + key->key + " has no element type");
  StridedTensor tensor =
      strided(*key, argument(args, 1, callable), argument(args, 2, callable), argument(args, 3, callable), dtype);
  if (args.size() > 4 && args[4]->kind == Kind::kBool) tensor.requires_grad = args[4]->as_bool();
  const size_t metadata = callable.ends_with("_v3") ? 7 : 6;
  if (args.size() > metadata && args[metadata]->kind == Kind::kDict && !args[metadata]->entries().empty()) {
    for (const std::string_view flag : {"conj", "neg"}) {
      const Value* set = args[metadata]->find(flag);
      if (set != nullptr && set->kind == Kind::kBool && set->as_bool()) {
        fail_unsupported(what_ + ": a tensor is stored with its lazy \"" + std::string(flag) + "\" bit",
                         "save it again after tensor.resolve_conj().resolve_neg()");
      }
    }
  }
  return tensor;
}

StridedTensor TensorReader::quantized(const Items& args, int depth) const {
  constexpr std::string_view kCallable = "torch._utils._rebuild_qtensor";
  const std::optional<StorageKey> key = storage_key(argument(args, 0, kCallable));
  if (!key || key->dtype.empty()) fail_data(what_ + ": a quantized tensor without a storage");
  StridedTensor tensor = strided(*key, argument(args, 1, kCallable), argument(args, 2, kCallable),
                                 argument(args, 3, kCallable), key->dtype);
  const Items& parameters = argument(args, 4, kCallable).items();
  auto quantizer = std::make_shared<Quantizer>();
  const std::string scheme = argument(parameters, 0, kCallable).text();
  quantizer->scheme = scheme.substr(scheme.rfind('.') + 1);
  const auto values = [&](const Value& value, std::vector<double>& out) {
    if (const std::optional<StridedTensor> inner = rebuild(value, depth + 1)) {
      const Bytes bytes = inner->contiguous();
      ByteReader reader(bytes.view(), what_);
      while (!reader.at_end()) {
        if (inner->dtype == "float64") {
          out.push_back(reader.read<double>());
        } else if (inner->dtype == "float32") {
          out.push_back(reader.read<float>());
        } else if (inner->dtype == "int64") {
          out.push_back(static_cast<double>(reader.read<int64_t>()));
        } else {
          out.push_back(reader.read<int32_t>());
        }
      }
    } else {
      out.push_back(value.as_float());
    }
  };
  values(argument(parameters, 1, kCallable), quantizer->scales);
  values(argument(parameters, 2, kCallable), quantizer->zero_points);
  if (parameters.size() > 3) quantizer->axis = parameters[3]->as_int();
  tensor.quantizer = std::move(quantizer);
  return tensor;
}

}  // namespace onward::torchfile
