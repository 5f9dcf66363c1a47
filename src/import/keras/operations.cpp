#include "import/keras/operations.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace onward::importer::keras {
namespace {

using ir::DType;
using ir::Value;

const Json kNone;

bool is_class(const Json& json, std::string_view class_name) {
  const Json* found = json.find("class_name");
  return found != nullptr && found->is_string() && found->as_string() == class_name;
}

// A list of (lists of) numbers or booleans.
bool is_plain(const Json& json) {
  if (json.is_number() || json.is_bool() || json.is_string()) return true;
  return json.is_array() && std::all_of(json.as_array().begin(), json.as_array().end(), is_plain);
}

struct Flat {
  ir::Dims dims;
  std::vector<double> numbers;
  std::vector<std::string> strings;
  bool fractional = false;
  bool boolean = true;
};

void flatten(const Json& json, size_t depth, Flat& flat) {
  if (json.is_array()) {
    const auto size = static_cast<int64_t>(json.size());
    if (depth == flat.dims.size()) flat.dims.push_back(size);
    if (depth > flat.dims.size() || flat.dims[depth] != size) fail_data("a constant is a ragged list");
    for (const Json& item : json.as_array()) flatten(item, depth + 1, flat);
    return;
  }
  if (json.is_string()) {
    flat.strings.push_back(json.as_string());
    return;
  }
  flat.fractional = flat.fractional || json.is_double();
  flat.boolean = flat.boolean && json.is_bool();
  flat.numbers.push_back(json.is_bool() ? (json.as_bool() ? 1 : 0) : json.as_double());
}

ir::Tensor constant_of(const Json& json, DType like) {
  Flat flat;
  flatten(json, 0, flat);
  if (!flat.strings.empty()) return ir::Tensor::of_strings(flat.dims, flat.strings);
  DType dtype = flat.fractional ? DType::kFloat : flat.boolean && !flat.numbers.empty() ? DType::kBool : DType::kInt32;
  if (like != DType::kUndefined) {
    const bool lossy = flat.fractional && !ir::is_floating(like);
    const bool from_bool = like == DType::kBool && dtype != DType::kBool;
    if (!lossy && !from_bool) dtype = like;
  }
  return ir::Tensor::from_doubles(dtype, flat.dims, flat.numbers);
}

void parse_signature(std::string_view signature, std::map<std::string, size_t, std::less<>>& positions,
                     std::map<std::string, std::string, std::less<>>& given) {
  size_t index = 0;
  while (!signature.empty()) {
    const size_t end = std::min(signature.find(' '), signature.size());
    const std::string_view word = signature.substr(0, end);
    const size_t colon = word.find(':');
    const std::string name(word.substr(0, colon));
    positions[name] = index++;
    if (colon != std::string_view::npos) given[name] = std::string(word.substr(colon + 1));
    signature = signature.substr(std::min(end + 1, signature.size()));
  }
}

std::string operator_name(const Layer& layer) {
  if (layer.class_name == "SlicingOpLambda") return "tf.__operators__.getitem";
  if (layer.class_name == "TFOpLambda") return "tf." + layer.config.get("function", layer.name.c_str());
  return layer.class_name;
}

}  // namespace

bool is_operator(const Layer& layer) {
  return is_operation(layer) || layer.class_name == "TFOpLambda" || layer.class_name == "SlicingOpLambda";
}

Arguments::Arguments(Session& session, const Layer& layer, const Call& call, std::string_view signature,
                     Resolve resolve)
    : b(session.b),
      config_(layer.config),
      call_(call),
      resolve_(std::move(resolve)),
      name_(operator_name(layer)),
      tensorflow_(!is_operation(layer)) {
  parse_signature(signature, positions_, given_names_);
}

const Json& Arguments::json(std::string_view name) const {
  const auto renamed = given_names_.find(name);
  const std::string_view given = renamed != given_names_.end() ? std::string_view(renamed->second) : name;
  if (const Json* found = call_.kwargs.find(given)) return *found;
  if (const Json* found = call_.kwargs.find(name)) return *found;
  const auto position = positions_.find(name);
  if (position != positions_.end() && position->second < call_.args.size()) return call_.args[position->second];
  if (!tensorflow_ && config_.is_object()) {
    if (const Json* found = config_.find(given)) return *found;
  }
  return kNone;
}

bool Arguments::flag(std::string_view name, bool fallback) const {
  const Json& given = json(name);
  return given.is_null() ? fallback : given.as_bool();
}

int64_t Arguments::integer(std::string_view name, int64_t fallback) const {
  const Json& given = json(name);
  if (given.is_null()) return fallback;
  require(given.is_number(), fmt::format("{} must be a number", name));
  return given.as_int();
}

double Arguments::number(std::string_view name, double fallback) const {
  const Json& given = json(name);
  if (given.is_null()) return fallback;
  require(given.is_number(), fmt::format("{} must be a number", name));
  return given.as_double();
}

std::string Arguments::text(std::string_view name, const char* fallback) const {
  const Json& given = json(name);
  return given.is_null() ? fallback : given.as_string();
}

std::vector<int64_t> Arguments::ints(std::string_view name) const {
  const Json& given = json(name);
  if (given.is_null()) return {};
  if (given.is_number()) return {given.as_int()};
  require(given.is_array(), fmt::format("{} must be known when the model is made", name));
  return given.as_ints();
}

std::string Arguments::padding() const {
  const Json& given = json("padding");
  require(given.is_null() || given.is_string(), "explicit padding is not supported");
  std::string padding = given.is_null() ? "valid" : given.as_string();
  std::transform(padding.begin(), padding.end(), padding.begin(), [](unsigned char c) { return std::tolower(c); });
  require(padding == "same" || padding == "valid", "padding \"" + padding + "\" is unknown");
  return padding;
}

std::optional<DType> Arguments::dtype(std::string_view name) const {
  const Json& given = json(name);
  if (given.is_null()) return std::nullopt;
  std::string text = given.is_string() ? given.as_string() : given["config"].get("name", "");
  if (text.rfind("<dtype: '", 0) == 0) text = text.substr(9, text.size() - 11);
  const auto dtype = ir::dtype_from_name(text);
  require(dtype.has_value(), "dtype " + given.dump() + " is unknown");
  return dtype;
}

Value* Arguments::from_json(const Json& json, DType like) const {
  if (is_tensor(json)) return resolve_(read_tensor_ref(json));
  if (is_class(json, "__numpy__") || is_class(json, "__tensor__")) {
    const Json& config = json.at("config");
    const auto dtype = ir::dtype_from_name(config.get("dtype", "float32"));
    require(dtype.has_value(), "a constant of dtype " + config.get("dtype", ""));
    ir::Tensor tensor = constant_of(config.at("value"), *dtype);
    return b.Cast(b.constant(std::move(tensor)), *dtype);
  }
  if (is_plain(json)) return b.constant(constant_of(json, like));
  require(json.is_array() && json.size() > 0,
          "an argument is neither a tensor nor a number: " + json.dump().substr(0, 60));
  ir::Values parts;
  DType dtype = like;
  for (const Json& item : json.as_array()) {
    if (is_tensor(item)) dtype = resolve_(read_tensor_ref(item))->dtype;
  }
  for (const Json& item : json.as_array()) parts.push_back(b.Unsqueeze(from_json(item, dtype), {0}));
  return b.Concat(parts, 0);
}

Value* Arguments::value(std::string_view name) const {
  require(has(name), fmt::format("the argument {} is missing", name));
  return from_json(json(name));
}

ir::Values Arguments::values(std::string_view name) const {
  const Json& given = json(name);
  require(!given.is_null(), fmt::format("the argument {} is missing", name));
  if (!given.is_array()) return {from_json(given)};
  ir::Values values;
  for (const Json& item : given.as_array()) values.push_back(from_json(item));
  return values;
}

ir::Values Arguments::rest(size_t first) const {
  ir::Values values;
  for (size_t i = first; i < call_.args.size(); ++i) {
    const Json& item = call_.args[i];
    if (item.is_array() && !is_plain(item)) {
      for (const Json& part : item.as_array()) values.push_back(from_json(part));
    } else {
      values.push_back(from_json(item));
    }
  }
  return values;
}

std::pair<Value*, Value*> Arguments::operands(std::string_view a, std::string_view c) const {
  const Json& left = json(a);
  const Json& right = json(c);
  require(!left.is_null() && !right.is_null(), "needs two operands");
  const bool left_plain = is_plain(left);
  const bool right_plain = is_plain(right);
  Value* x = left_plain && !right_plain ? nullptr : from_json(left);
  Value* y = right_plain && x != nullptr ? from_json(right, x->dtype) : from_json(right);
  if (x == nullptr) x = from_json(left, y->dtype);
  if (x->dtype == y->dtype) return {x, y};
  const DType dtype = common_dtype(x->dtype, y->dtype);
  return {b.Cast(x, dtype), b.Cast(y, dtype)};
}

Value* Arguments::sizes(std::string_view name) const {
  const Json& given = json(name);
  require(!given.is_null(), fmt::format("the argument {} is missing", name));
  if (given.is_number()) return b.ints({given.as_int()});
  if (is_class(given, "TensorShape")) return b.ints(given.at("items").as_ints());
  if (!given.is_array()) {
    Value* value = b.Cast(from_json(given), DType::kInt64);
    return value->rank() == 0 ? b.Unsqueeze(value, {0}) : value;
  }
  ir::Values parts;
  for (const Json& item : given.as_array()) {
    parts.push_back(item.is_null() ? b.i64(-1) : from_json(item, DType::kInt64));
  }
  return b.join(parts);
}

int64_t Arguments::axis(std::string_view name, const Value* x, int64_t fallback) const {
  const auto rank = static_cast<int64_t>(x->rank());
  int64_t axis = integer(name, fallback);
  require(axis >= -rank && axis < std::max<int64_t>(rank, 1), fmt::format("{} {} is out of range", name, axis));
  return axis < 0 ? axis + rank : axis;
}

std::vector<int64_t> Arguments::axes(std::string_view name, const Value* x) const {
  const auto rank = static_cast<int64_t>(x->rank());
  std::vector<int64_t> axes = ints(name);
  if (!has(name)) {
    for (int64_t i = 0; i < rank; ++i) axes.push_back(i);
  }
  for (int64_t& axis : axes) {
    require(axis >= -rank && axis < rank, fmt::format("{} {} is out of range", name, axis));
    if (axis < 0) axis += rank;
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

void Arguments::require(bool condition, const std::string& message) const {
  if (!condition) fail_unsupported("[" + name_ + "] " + message);
}

void OperationTable::add(std::string name, Operation operation) {
  const auto [place, added] = entries_.emplace(std::move(name), operation);
  if (!added) throw Error(Code::kInternal, "the operator " + place->first + " is registered twice");
}

const Operation* OperationTable::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found != entries_.end() ? &found->second : nullptr;
}

const OperationTable& operation_table() {
  static const OperationTable kTable = [] {
    OperationTable table;
    register_arithmetic(table);
    register_indexing_operations(table);
    register_layout_operations(table);
    register_linear_algebra_operations(table);
    register_loss_operations(table);
    register_matrix_operations(table);
    register_nan_operations(table);
    register_nn_operations(table);
    register_pairwise_operations(table);
    register_quantile_operations(table);
    register_reduction_operations(table);
    register_unary_operations(table);
    register_fourier_operations(table);
    register_image_operations(table);
    register_range_operations(table);
    register_rearrange_operations(table);
    register_set_operations(table);
    register_window_operations(table);
    return table;
  }();
  return kTable;
}

ir::Values translate_operator(Session& session, const Layer& layer, const Call& call, const Resolve& resolve) {
  const std::string name = operator_name(layer);
  std::string known = name;
  for (const char* prefix : {"tf.compat.v1.", "tf.compat.v2."}) {
    if (known.rfind(prefix, 0) == 0) known = "tf." + known.substr(std::string_view(prefix).size());
  }
  const Operation* operation = operation_table().find(known);
  if (operation == nullptr) {
    fail_unsupported("the operator " + name + " is not supported",
                     "export the model as a SavedModel (model.export(\"folder\")) and convert that");
  }
  return operation->translate(Arguments(session, layer, call, operation->signature, resolve));
}

DType common_dtype(DType a, DType c) {
  if (a == c) return a;
  if (a == DType::kBool) return c;
  if (c == DType::kBool) return a;
  const bool float_a = ir::is_floating(a);
  const bool float_c = ir::is_floating(c);
  if (float_a != float_c) return float_a ? a : c;
  if (float_a) {
    if (a == DType::kDouble || c == DType::kDouble) return DType::kDouble;
    return DType::kFloat;
  }
  const size_t bits_a = ir::dtype_bits(a);
  const size_t bits_c = ir::dtype_bits(c);
  const bool signed_a = ir::is_signed_integer(a);
  if (signed_a == ir::is_signed_integer(c)) return bits_a >= bits_c ? a : c;
  const DType with_sign = signed_a ? a : c;
  const size_t unsigned_bits = signed_a ? bits_c : bits_a;
  if (ir::dtype_bits(with_sign) > unsigned_bits) return with_sign;
  switch (unsigned_bits) {
    case 8:
      return DType::kInt16;
    case 16:
      return DType::kInt32;
    case 32:
      return DType::kInt64;
    default:
      return DType::kFloat;
  }
}

Value* floating(ir::Builder& b, Value* x) { return ir::is_floating(x->dtype) ? x : b.Cast(x, DType::kFloat); }

}  // namespace onward::importer::keras
