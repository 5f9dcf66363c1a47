#include "import/torch/call.h"

#include <algorithm>

#include "base/error.h"

namespace onward::importer::torch {
namespace {

using ir::DType;

const ir::Value* symbol(const Arg& arg) {
  const auto* symbol = std::get_if<SymbolArg>(&arg.data);
  return symbol == nullptr ? nullptr : symbol->value;
}

// Category of a dtype in PyTorch's promotion: bool < integer < float < complex.
int category(DType dtype) {
  if (dtype == DType::kBool) return 0;
  if (ir::is_complex(dtype)) return 3;
  return ir::is_floating(dtype) ? 2 : 1;
}

DType number_dtype(const Arg& arg) {
  if (arg.is_bool()) return DType::kBool;
  if (arg.is_int()) return DType::kInt64;
  return arg.is_complex() ? DType::kComplex64 : DType::kFloat;
}

}  // namespace

bool Arg::is_bool() const {
  const ir::Value* value = symbol(*this);
  return std::holds_alternative<bool>(data) || (value != nullptr && value->dtype == DType::kBool);
}
bool Arg::is_int() const {
  const ir::Value* value = symbol(*this);
  return std::holds_alternative<int64_t>(data) || (value != nullptr && ir::is_integer(value->dtype));
}
bool Arg::is_float() const {
  const ir::Value* value = symbol(*this);
  return std::holds_alternative<double>(data) || (value != nullptr && ir::is_floating(value->dtype));
}

void Call::fail(const std::string& message) const { fail_unsupported("[" + signature_.name + "] " + message); }
void Call::require(bool condition, const std::string& message) const {
  if (!condition) fail(message);
}

const Arg& Call::arg(std::string_view name) const {
  for (size_t i = 0; i < signature_.parameters.size(); ++i) {
    if (signature_.parameters[i].name == name) return args_.at(i);
  }
  throw Error(Code::kInternal, "[" + signature_.name + "] has no parameter \"" + std::string(name) + "\"");
}

bool Call::known(std::string_view name) const {
  const Arg& value = arg(name);
  if (value.is_none() || value.is_symbol() || value.is_tensor()) return false;
  const Arg::List* list = value.list();
  return list == nullptr ||
         std::none_of(list->begin(), list->end(), [](const Arg& a) { return a.is_symbol() || a.is_tensor(); });
}

ir::Value* Call::maybe_tensor(std::string_view name) {
  const Arg& value = arg(name);
  if (value.is_none()) return nullptr;
  if (const auto* tensor = std::get_if<TensorArg>(&value.data)) return tensor->value;
  if (value.is_number() && !value.is_complex()) return operand(name, number_dtype(value));
  fail("its argument \"" + std::string(name) + "\" is no tensor");
}

ir::Value* Call::tensor(std::string_view name) {
  ir::Value* value = maybe_tensor(name);
  require(value != nullptr, "its tensor \"" + std::string(name) + "\" is missing");
  return value;
}

ir::Values Call::tensors(std::string_view name) {
  const Arg& value = arg(name);
  if (value.is_none()) return {};
  if (const auto* one = std::get_if<TensorArg>(&value.data)) return {one->value};
  require(value.list() != nullptr, "its argument \"" + std::string(name) + "\" is no list of tensors");
  ir::Values tensors;
  for (const Arg& item : *value.list()) {
    const auto* tensor = std::get_if<TensorArg>(&item.data);
    require(tensor != nullptr || item.is_none(), "its list \"" + std::string(name) + "\" holds what is no tensor");
    tensors.push_back(tensor == nullptr ? nullptr : tensor->value);
  }
  return tensors;
}

std::optional<double> Call::maybe_number(std::string_view name) const {
  const Arg& value = arg(name);
  if (value.is_none()) return std::nullopt;
  if (const auto* x = std::get_if<double>(&value.data)) return *x;
  if (const auto* x = std::get_if<int64_t>(&value.data)) return static_cast<double>(*x);
  if (const auto* x = std::get_if<bool>(&value.data)) return *x ? 1 : 0;
  if (const auto* x = std::get_if<TensorArg>(&value.data); x != nullptr && x->value->is_constant()) {
    if (x->value->constant()->count() == 1) return x->value->constant()->as_double();
  }
  require(!value.is_symbol() && !value.is_tensor(),
          "its number \"" + std::string(name) + "\" is only known when the model runs");
  fail("its argument \"" + std::string(name) + "\" is no number");
}

double Call::number(std::string_view name) const {
  const std::optional<double> value = maybe_number(name);
  require(value.has_value(), "its number \"" + std::string(name) + "\" is missing");
  return *value;
}

std::optional<int64_t> Call::maybe_integer(std::string_view name) const {
  if (const auto* x = std::get_if<int64_t>(&arg(name).data)) return *x;
  const std::optional<double> value = maybe_number(name);
  if (!value) return std::nullopt;
  return static_cast<int64_t>(*value);
}

int64_t Call::integer(std::string_view name) const {
  const std::optional<int64_t> value = maybe_integer(name);
  require(value.has_value(), "its integer \"" + std::string(name) + "\" is missing");
  return *value;
}

bool Call::flag(std::string_view name) const { return !arg(name).is_none() && integer(name) != 0; }

std::string Call::text(std::string_view name) const {
  const auto* value = std::get_if<std::string>(&arg(name).data);
  require(value != nullptr, "its argument \"" + std::string(name) + "\" is no string");
  return *value;
}

std::vector<double> Call::numbers(std::string_view name) const {
  const Arg& value = arg(name);
  if (value.is_none()) return {};
  if (value.list() == nullptr) return {number(name)};
  std::vector<double> numbers;
  for (const Arg& item : *value.list()) {
    if (const auto* x = std::get_if<double>(&item.data)) {
      numbers.push_back(*x);
    } else if (const auto* n = std::get_if<int64_t>(&item.data)) {
      numbers.push_back(static_cast<double>(*n));
    } else {
      fail("its list \"" + std::string(name) + "\" holds numbers that are only known when the model runs");
    }
  }
  return numbers;
}

std::vector<int64_t> Call::integers(std::string_view name) const {
  const Arg& value = arg(name);
  if (value.list() == nullptr) return value.is_none() ? std::vector<int64_t>() : std::vector<int64_t>{integer(name)};
  std::vector<int64_t> integers;
  for (const Arg& item : *value.list()) {
    const auto* x = std::get_if<int64_t>(&item.data);
    require(x != nullptr,
            "its list \"" + std::string(name) + "\" holds numbers that are only known when the model runs");
    integers.push_back(*x);
  }
  return integers;
}

std::vector<int64_t> Call::integers(std::string_view name, size_t count) const {
  std::vector<int64_t> values = integers(name);
  if (values.size() == 1) values.resize(count, values[0]);
  require(values.size() == count, "its list \"" + std::string(name) + "\" needs " + std::to_string(count) + " numbers");
  return values;
}

std::optional<DType> Call::dtype(std::string_view name) const {
  const Arg& value = arg(name);
  if (value.is_none()) return std::nullopt;
  const auto* dtype = std::get_if<DType>(&value.data);
  require(dtype != nullptr, "its argument \"" + std::string(name) + "\" is no element type");
  return *dtype;
}

int64_t Call::axis(std::string_view name, size_t rank) const {
  const int64_t given = integer(name);
  const int64_t size = std::max<int64_t>(1, static_cast<int64_t>(rank));
  require(given >= -size && given < size, "its axis \"" + std::string(name) + "\" is out of range");
  return given < 0 ? given + size : given;
}

std::vector<int64_t> Call::axes(std::string_view name, size_t rank) const {
  std::vector<int64_t> values = integers(name);
  const int64_t size = std::max<int64_t>(1, static_cast<int64_t>(rank));
  for (int64_t& value : values) {
    require(value >= -size && value < size, "an axis of \"" + std::string(name) + "\" is out of range");
    if (value < 0) value += size;
  }
  return values;
}

ir::Value* Call::operand(std::string_view name, DType dtype) {
  const Arg& value = arg(name);
  if (const auto* x = std::get_if<TensorArg>(&value.data)) return b.Cast(x->value, dtype);
  if (const auto* x = std::get_if<SymbolArg>(&value.data)) return b.Cast(x->value, dtype);
  if (const auto* x = std::get_if<int64_t>(&value.data); x != nullptr && ir::is_integer(dtype)) {
    return b.constant(ir::Tensor::from_ints(dtype, {}, {*x}));
  }
  return b.number(number(name), dtype);
}

ir::Value* Call::scalar(std::string_view name, DType dtype) {
  ir::Value* value = operand(name, dtype);
  return arg(name).is_tensor() && value->shape && !value->shape->empty() ? b.Reshape(value, b.ints({})) : value;
}

ir::Value* Call::int_vector(std::string_view name) {
  const Arg& value = arg(name);
  if (const auto* x = std::get_if<TensorArg>(&value.data)) return b.join({x->value});
  if (value.list() == nullptr) return b.join({int_scalar(name)});
  if (known(name)) return b.ints(integers(name));
  ir::Values parts;
  for (const Arg& item : *value.list()) {
    if (const auto* n = std::get_if<int64_t>(&item.data)) {
      parts.push_back(b.i64(*n));
    } else if (const auto* s = std::get_if<SymbolArg>(&item.data)) {
      parts.push_back(s->value);
    } else if (const auto* t = std::get_if<TensorArg>(&item.data)) {
      parts.push_back(b.Reshape(t->value, b.ints({})));
    } else {
      fail("its list \"" + std::string(name) + "\" holds what is no integer");
    }
  }
  return b.join(parts);
}

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (category(a) != category(b)) {
    const DType high = category(a) > category(b) ? a : b;
    const DType low = high == a ? b : a;
    if (ir::is_complex(high) && low == DType::kDouble) return DType::kComplex128;
    return high;
  }
  if (ir::is_complex(a)) return DType::kComplex128;
  if (ir::is_floating(a)) {
    if (a == DType::kDouble || b == DType::kDouble) return DType::kDouble;
    return DType::kFloat;  // half and bfloat16 meet there, too
  }
  const bool a_unsigned = ir::is_unsigned_integer(a);
  const size_t a_bits = ir::dtype_bits(a);
  const size_t b_bits = ir::dtype_bits(b);
  if (a_unsigned == ir::is_unsigned_integer(b)) return a_bits > b_bits ? a : b;
  // uint8 with a signed type: the signed one that holds both.
  const DType signed_type = a_unsigned ? b : a;
  const size_t unsigned_bits = a_unsigned ? a_bits : b_bits;
  if (ir::dtype_bits(signed_type) > unsigned_bits) return signed_type;
  return unsigned_bits == 8 ? DType::kInt16 : unsigned_bits == 16 ? DType::kInt32 : DType::kInt64;
}

DType Call::promoted_dtype(const std::vector<std::string_view>& names) {
  // Later classes only matter where they are of a higher category: tensors with dimensions, then without, then numbers.
  std::optional<DType> by_class[3];
  const auto add = [&](size_t which, DType dtype) {
    by_class[which] = by_class[which] ? promote_types(*by_class[which], dtype) : dtype;
  };
  const auto add_arg = [&](const Arg& value) {
    if (const auto* tensor = std::get_if<TensorArg>(&value.data)) {
      const std::optional<ir::Shape> shape = framework_shape(tensor->value);
      add(shape && shape->empty() ? 1 : 0, framework_dtype(tensor->value));
    } else if (!value.is_none()) {
      add(2, number_dtype(value));
    }
  };
  for (const std::string_view name : names) {
    const Arg& value = arg(name);
    if (value.list() == nullptr) {
      add_arg(value);
    } else {
      for (const Arg& item : *value.list()) add_arg(item);
    }
  }
  std::optional<DType> result;
  for (const std::optional<DType>& next : by_class) {
    if (!next) continue;
    if (!result) {
      result = next;
    } else if (category(*next) > category(*result)) {
      // A number or 0-d tensor of a higher category brings its category, in the default size where it is a number.
      const bool wide = *result == DType::kDouble && ir::is_complex(*next);
      result = wide ? DType::kComplex128 : *next;
    }
  }
  require(result.has_value(), "no argument says what type to compute in");
  return *result;
}

ir::Values Call::promoted(const std::vector<std::string_view>& names) {
  const DType dtype = promoted_dtype(names);
  ir::Values values;
  for (const std::string_view name : names) values.push_back(operand(name, dtype));
  return values;
}

ir::Values Call::promoted_float(const std::vector<std::string_view>& names) {
  DType dtype = promoted_dtype(names);
  if (!ir::is_floating(dtype) && !ir::is_complex(dtype)) dtype = DType::kFloat;
  ir::Values values;
  for (const std::string_view name : names) values.push_back(operand(name, dtype));
  return values;
}

Complex Call::complex(std::string_view name) {
  const Arg& value = arg(name);
  if (const auto* x = std::get_if<TensorArg>(&value.data)) return parts(b, x->value);
  if (const auto* x = std::get_if<std::complex<double>>(&value.data)) return constant(b, *x, DType::kFloat);
  require(value.is_number(), "its argument \"" + std::string(name) + "\" is no number");
  return {operand(name, number_dtype(value)), nullptr};
}

std::vector<Complex> Call::promoted_complex(const std::vector<std::string_view>& names) {
  const DType dtype = real_dtype(promoted_dtype(names));
  std::vector<Complex> values;
  for (const std::string_view name : names) {
    const auto* number = std::get_if<std::complex<double>>(&arg(name).data);
    values.push_back(number != nullptr ? constant(b, *number, dtype) : cast(b, complex(name), dtype));
  }
  return values;
}

}  // namespace onward::importer::torch
