#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "import/torch/script/builtins.h"

namespace onward::importer::script {
namespace {

using Kind = Symbolic::Kind;

bool all_numbers(const Items& args) {
  return !args.empty() && std::all_of(args.begin(), args.end(), [](const Py& arg) { return arg.is_number(); });
}
bool any_symbolic(const Items& args) {
  return std::any_of(args.begin(), args.end(), [](const Py& arg) { return arg.is_symbolic(); });
}
bool any_float(const Items& args) {
  return std::any_of(args.begin(), args.end(), [](const Py& arg) { return arg.is_float(); });
}

ir::Value* as(Machine& in, const Py& number, ir::DType dtype) { return in.b().Cast(in.scalar(number), dtype); }

// Both operands as int64, or as float64 where one is a float.
struct Pair {
  ir::Value* a;
  ir::Value* c;
  Kind kind;
};
Pair operands(Machine& in, const Items& args) {
  const bool wide = any_float(args);
  const ir::DType dtype = wide ? ir::DType::kDouble : ir::DType::kInt64;
  return {as(in, args[0], dtype), as(in, args[1], dtype), wide ? Kind::kFloat : Kind::kInt};
}

int64_t floor_div(int64_t a, int64_t b) {
  if (b == 0) throw Raised{"division by zero"};
  if (b == -1) return static_cast<int64_t>(-static_cast<uint64_t>(a));
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}
int64_t floor_mod(int64_t a, int64_t b) {
  if (b == 0) throw Raised{"division by zero"};
  if (b == -1) return 0;
  const int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }

// A binary operator: on known integers, on known floats, and as nodes.
template <int64_t (*Ints)(int64_t, int64_t), double (*Floats)(double, double),
          ir::Value* (*Nodes)(ir::Builder&, const Pair&)>
std::optional<Py> arithmetic(Machine& in, Items& args, Kwargs&) {
  if (args.size() < 2 || !all_numbers({args[0], args[1]})) return std::nullopt;
  const Items two{args[0], args[1]};
  if (any_symbolic(two)) {
    const Pair pair = operands(in, two);
    return Py::number(Nodes(in.b(), pair), pair.kind);
  }
  if (any_float(two)) return Floats(two[0].as_double(), two[1].as_double());
  return Ints(two[0].as_int(), two[1].as_int());
}

template <bool (*Known)(double, double), ir::Value* (*Nodes)(ir::Builder&, const Pair&)>
std::optional<Py> comparison(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || !all_numbers(args)) return std::nullopt;
  if (any_symbolic(args)) {
    if (known_equal(args[0], args[1]).value_or(false)) return Known(0, 0);
    return Py::number(Nodes(in.b(), operands(in, args)), Kind::kBool);
  }
  if (!any_float(args)) {  // exact beyond 2^53
    const int64_t a = args[0].as_int();
    const int64_t b = args[1].as_int();
    return Known(a < b ? -1 : a > b ? 1 : 0, 0);
  }
  return Known(args[0].as_double(), args[1].as_double());
}

bool lt_known(double a, double b) { return a < b; }
ir::Value* lt_nodes(ir::Builder& b, const Pair& p) { return b.Less(p.a, p.c); }
bool gt_known(double a, double b) { return a > b; }
ir::Value* gt_nodes(ir::Builder& b, const Pair& p) { return b.Greater(p.a, p.c); }
bool le_known(double a, double b) { return a <= b; }
ir::Value* le_nodes(ir::Builder& b, const Pair& p) { return b.LessOrEqual(p.a, p.c); }
bool ge_known(double a, double b) { return a >= b; }
ir::Value* ge_nodes(ir::Builder& b, const Pair& p) { return b.GreaterOrEqual(p.a, p.c); }
bool eq_known(double a, double b) { return a == b; }
ir::Value* eq_nodes(ir::Builder& b, const Pair& p) { return b.Equal(p.a, p.c); }
bool ne_known(double a, double b) { return a != b; }
ir::Value* ne_nodes(ir::Builder& b, const Pair& p) { return b.Not(b.Equal(p.a, p.c)); }

ir::Value* floor_div_nodes(ir::Builder& b, const Pair& p) {
  if (p.kind == Kind::kFloat) return b.Floor(b.Div(p.a, p.c));
  return b.Div(b.Sub(p.a, b.Mod(p.a, p.c)), p.c);  // exact division: ONNX's rounds towards zero
}
ir::Value* modulo_nodes(ir::Builder& b, const Pair& p) {
  if (p.kind == Kind::kFloat) return b.Sub(p.a, b.Mul(b.Floor(b.Div(p.a, p.c)), p.c));
  return b.Mod(p.a, p.c);
}

int64_t add_ints(int64_t a, int64_t b) { return wrap(static_cast<uint64_t>(a) + static_cast<uint64_t>(b)); }
int64_t sub_ints(int64_t a, int64_t b) { return wrap(static_cast<uint64_t>(a) - static_cast<uint64_t>(b)); }
int64_t mul_ints(int64_t a, int64_t b) { return wrap(static_cast<uint64_t>(a) * static_cast<uint64_t>(b)); }
double add_floats(double a, double b) { return a + b; }
double sub_floats(double a, double b) { return a - b; }
double mul_floats(double a, double b) { return a * b; }
double floor_div_floats(double a, double b) { return std::floor(a / b); }
double mod_floats(double a, double b) { return a - std::floor(a / b) * b; }
int64_t min_ints(int64_t a, int64_t b) { return std::min(a, b); }
int64_t max_ints(int64_t a, int64_t b) { return std::max(a, b); }
double min_floats(double a, double b) { return std::min(a, b); }
double max_floats(double a, double b) { return std::max(a, b); }
ir::Value* add_nodes(ir::Builder& b, const Pair& p) { return b.Add(p.a, p.c); }
ir::Value* sub_nodes(ir::Builder& b, const Pair& p) { return b.Sub(p.a, p.c); }
ir::Value* mul_nodes(ir::Builder& b, const Pair& p) { return b.Mul(p.a, p.c); }
ir::Value* min_nodes(ir::Builder& b, const Pair& p) { return b.Min(p.a, p.c); }
ir::Value* max_nodes(ir::Builder& b, const Pair& p) { return b.Max(p.a, p.c); }

std::optional<Py> true_divide(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || !all_numbers(args)) return std::nullopt;
  if (any_symbolic(args)) {
    return Py::number(in.b().Div(as(in, args[0], ir::DType::kDouble), as(in, args[1], ir::DType::kDouble)),
                      Kind::kFloat);
  }
  if (args[1].as_double() == 0) throw Raised{"division by zero"};
  return args[0].as_double() / args[1].as_double();
}

std::optional<Py> power(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || !all_numbers(args)) return std::nullopt;
  if (any_symbolic(args)) {
    const Pair pair = operands(in, args);
    return Py::number(in.b().Pow(pair.a, pair.c), pair.kind);
  }
  const double result = std::pow(args[0].as_double(), args[1].as_double());
  if (any_float(args) || args[1].as_int() < 0) return result;
  return static_cast<int64_t>(result);
}

std::optional<Py> negate(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1 || !args[0].is_number()) return std::nullopt;
  if (const auto* symbolic = args[0].get_if<Symbolic>()) return Py::number(in.b().Neg(symbolic->value), symbolic->kind);
  if (args[0].is<double>()) return -args[0].as_double();
  return wrap(-static_cast<uint64_t>(args[0].as_int()));
}

std::optional<Py> absolute(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1 || !args[0].is_number()) return std::nullopt;
  if (const auto* symbolic = args[0].get_if<Symbolic>()) return Py::number(in.b().Abs(symbolic->value), symbolic->kind);
  if (args[0].is<double>()) return std::abs(args[0].as_double());
  return std::abs(args[0].as_int());
}

template <double (*Known)(double), ir::Value* (ir::Builder::*Node)(ir::Value*), bool ToInt = false>
std::optional<Py> math(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1 || !args[0].is_number()) return std::nullopt;
  if (ToInt && args[0].is_int()) return args[0];
  if (args[0].is_symbolic()) {
    ir::Value* result = (in.b().*Node)(as(in, args[0], ir::DType::kDouble));
    if (ToInt) return Py::number(in.b().Cast(result, ir::DType::kInt64), Kind::kInt);
    return Py::number(result, Kind::kFloat);
  }
  const double result = Known(args[0].as_double());
  if (ToInt) return static_cast<int64_t>(result);
  return result;
}

double round_even(double value) { return std::nearbyint(value); }
double ceil_of(double value) { return std::ceil(value); }
double floor_of(double value) { return std::floor(value); }
double sqrt_of(double value) { return std::sqrt(value); }
double exp_of(double value) { return std::exp(value); }
double log_of(double value) { return std::log(value); }
double sin_of(double value) { return std::sin(value); }
double cos_of(double value) { return std::cos(value); }
double tan_of(double value) { return std::tan(value); }
double tanh_of(double value) { return std::tanh(value); }

// --- conversions -----------------------------------------------------------------------------------------------------

template <Symbolic::Kind K>
std::optional<Py> convert(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1) return std::nullopt;
  const Py& value = args[0];
  if (value.is<std::string>()) {
    if (K == Kind::kInt) return static_cast<int64_t>(std::strtoll(value.text().c_str(), nullptr, 10));
    if (K == Kind::kFloat) return std::strtod(value.text().c_str(), nullptr);
  }
  if (!value.is_number() && !value.is_tensor()) return std::nullopt;
  if (value.is_number() && !value.is_symbolic()) {
    if (K == Kind::kBool) return value.as_double() != 0;
    if (K == Kind::kFloat) return value.as_double();
    return value.is<double>() ? static_cast<int64_t>(value.as_double()) : value.as_int();
  }
  const ir::DType dtype = K == Kind::kInt     ? ir::DType::kInt64
                          : K == Kind::kFloat ? ir::DType::kDouble
                                              : ir::DType::kBool;
  return Py::number(in.b().Cast(in.scalar(value), dtype), K);
}

// item() and implicit conversions: the kind follows from the tensor.
std::optional<Py> item(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1) return std::nullopt;
  if (args[0].is_number()) return args[0];
  if (!args[0].is_tensor()) return std::nullopt;
  const ir::DType dtype = in.value(args[0])->dtype;
  Kwargs none;
  if (dtype == ir::DType::kBool) return convert<Kind::kBool>(in, args, none);
  return ir::is_floating(dtype) ? convert<Kind::kFloat>(in, args, none) : convert<Kind::kInt>(in, args, none);
}

// --- truth -----------------------------------------------------------------------------------------------------------

std::optional<Py> logical_not(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1 || args[0].is_tensor()) return std::nullopt;
  ir::Value* condition = nullptr;
  if (const std::optional<bool> known = in.truth(args[0], condition)) return !*known;
  return Py::number(in.b().Not(condition), Kind::kBool);
}

template <bool And>
std::optional<Py> logical(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || !all_numbers(args)) return std::nullopt;
  if (args[0].is<int64_t>() && args[1].is<int64_t>()) {
    return And ? args[0].as_int() & args[1].as_int() : args[0].as_int() | args[1].as_int();
  }
  ir::Value* a = nullptr;
  ir::Value* c = nullptr;
  const std::optional<bool> x = in.truth(args[0], a);
  const std::optional<bool> y = in.truth(args[1], c);
  if (x && y) return And ? *x && *y : *x || *y;
  if (x) return *x == And ? Py::number(c, Kind::kBool) : Py(!And);
  if (y) return *y == And ? Py::number(a, Kind::kBool) : Py(!And);
  return Py::number(And ? in.b().And(a, c) : in.b().Or(a, c), Kind::kBool);
}

std::optional<Py> exclusive_or(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || !all_numbers(args)) return std::nullopt;
  if (args[0].is<int64_t>() && args[1].is<int64_t>()) return args[0].as_int() ^ args[1].as_int();
  ir::Value* flags[2] = {nullptr, nullptr};
  for (size_t i = 0; i < 2; ++i) {
    if (const std::optional<bool> known = in.truth(args[i], flags[i])) flags[i] = in.b().boolean(*known);
  }
  return Py::number(in.b().Xor(flags[0], flags[1]), Kind::kBool);
}

template <bool Is>
std::optional<Py> identity(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2) return std::nullopt;
  if (args[0].is<Uninitialized>() || args[1].is<Uninitialized>()) {
    fail_unsupported("whether a value is None hangs on a condition that only the run can decide");
  }
  const bool none = args[0].is_none() || args[1].is_none();
  return (none ? args[0].is_none() && args[1].is_none() : same_value(args[0], args[1])) == Is;
}

// == and != of anything but numbers and tensors.
template <bool Equal>
std::optional<Py> equality(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2 || args[0].is_tensor() || args[1].is_tensor()) return std::nullopt;
  if (const std::optional<bool> known = known_equal(args[0], args[1])) return *known == Equal;
  if (!args[0].has_items() || !args[1].has_items()) return std::nullopt;
  ir::Value* all = nullptr;  // lists of numbers, some unknown
  for (size_t i = 0; i < args[0].items().size(); ++i) {
    const Py& a = args[0].items()[i];
    const Py& c = args[1].items()[i];
    if (known_equal(a, c).value_or(false)) continue;
    ir::Value* same = in.b().Equal(as(in, a, ir::DType::kDouble), as(in, c, ir::DType::kDouble));
    all = all == nullptr ? same : in.b().And(all, same);
  }
  return Py::number(Equal ? all : in.b().Not(all), Kind::kBool);
}

// min and max over a list, or of two lists' elements.
template <bool Min>
std::optional<Py> extreme(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.size() != 1 || !args[0].has_items()) return std::nullopt;
  const Items items = args[0].items();
  if (items.empty()) throw Raised{"min() or max() of an empty list"};
  Py best = items[0];
  for (size_t i = 1; i < items.size(); ++i) {
    Items pair{best, items[i]};
    const auto next = Min ? arithmetic<min_ints, min_floats, min_nodes>(in, pair, kwargs)
                          : arithmetic<max_ints, max_floats, max_nodes>(in, pair, kwargs);
    if (!next) return std::nullopt;
    best = *next;
  }
  return best;
}

// torch.sym_ite(condition, a, c)
std::optional<Py> either(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 3 || !all_numbers({args[1], args[2]})) return std::nullopt;
  ir::Value* condition = nullptr;
  if (const std::optional<bool> known = in.truth(args[0], condition)) return *known ? args[1] : args[2];
  if (args[1].is_bool() && args[2].is_bool()) {
    const ir::DType dtype = ir::DType::kBool;
    return Py::number(in.b().Where(condition, as(in, args[1], dtype), as(in, args[2], dtype)), Kind::kBool);
  }
  const Pair pair = operands(in, {args[1], args[2]});
  return Py::number(in.b().Where(condition, pair.a, pair.c), pair.kind);
}

std::optional<Py> sum_of_list(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.size() != 1 || !args[0].has_items()) return std::nullopt;
  Py sum = 0;
  for (const Py& item : args[0].items()) {
    Items pair{sum, item};
    const auto next = arithmetic<add_ints, add_floats, add_nodes>(in, pair, kwargs);
    if (!next) return std::nullopt;
    sum = *next;
  }
  return sum;
}

template <bool All>
std::optional<Py> every(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.size() != 1 || !args[0].has_items()) return std::nullopt;
  Py result = All;
  for (const Py& item : args[0].items()) {
    Items pair{result, item};
    const auto next = logical<All>(in, pair, kwargs);
    if (!next) return std::nullopt;
    result = *next;
  }
  return result;
}

}  // namespace

void register_numbers(BuiltinTable& table) {
  table.emplace("aten::add", arithmetic<add_ints, add_floats, add_nodes>);
  table.emplace("aten::sub", arithmetic<sub_ints, sub_floats, sub_nodes>);
  table.emplace("aten::mul", arithmetic<mul_ints, mul_floats, mul_nodes>);
  table.emplace("aten::floordiv", arithmetic<floor_div, floor_div_floats, floor_div_nodes>);
  table.emplace("aten::floor_divide", arithmetic<floor_div, floor_div_floats, floor_div_nodes>);
  table.emplace("aten::remainder", arithmetic<floor_mod, mod_floats, modulo_nodes>);
  table.emplace("aten::div", true_divide);
  table.emplace("aten::truediv", true_divide);
  table.emplace("aten::pow", power);
  table.emplace("aten::neg", negate);
  for (const char* name : {"aten::abs", "prim::abs", "python::abs"}) table.emplace(name, absolute);
  for (const char* name : {"prim::min", "python::min"}) {
    table.emplace(name, arithmetic<min_ints, min_floats, min_nodes>);
    table.emplace(name, extreme<true>);
  }
  for (const char* name : {"prim::max", "python::max"}) {
    table.emplace(name, arithmetic<max_ints, max_floats, max_nodes>);
    table.emplace(name, extreme<false>);
  }
  table.emplace("prim::ite", either);
  table.emplace("aten::sum", sum_of_list);
  table.emplace("aten::all", every<true>);
  table.emplace("aten::any", every<false>);

  table.emplace("aten::lt", comparison<lt_known, lt_nodes>);
  table.emplace("aten::gt", comparison<gt_known, gt_nodes>);
  table.emplace("aten::le", comparison<le_known, le_nodes>);
  table.emplace("aten::ge", comparison<ge_known, ge_nodes>);
  table.emplace("aten::eq", comparison<eq_known, eq_nodes>);
  table.emplace("aten::ne", comparison<ne_known, ne_nodes>);
  table.emplace("aten::eq", equality<true>);
  table.emplace("aten::ne", equality<false>);
  table.emplace("aten::__is__", identity<true>);
  table.emplace("aten::__isnot__", identity<false>);
  table.emplace("aten::__not__", logical_not);
  table.emplace("aten::__and__", logical<true>);
  table.emplace("aten::__or__", logical<false>);
  table.emplace("aten::__xor__", exclusive_or);

  for (const char* prefix : {"aten::", "python::", "prim::"}) {
    const std::string p(prefix);
    table.emplace(p + "ceil", math<ceil_of, &ir::Builder::Ceil, true>);
    table.emplace(p + "floor", math<floor_of, &ir::Builder::Floor, true>);
    table.emplace(p + "round", math<round_even, &ir::Builder::Round>);
    table.emplace(p + "sqrt", math<sqrt_of, &ir::Builder::Sqrt>);
    table.emplace(p + "exp", math<exp_of, &ir::Builder::Exp>);
    table.emplace(p + "log", math<log_of, &ir::Builder::Log>);
    table.emplace(p + "sin", math<sin_of, &ir::Builder::Sin>);
    table.emplace(p + "cos", math<cos_of, &ir::Builder::Cos>);
    table.emplace(p + "tan", math<tan_of, &ir::Builder::Tan>);
    table.emplace(p + "tanh", math<tanh_of, &ir::Builder::Tanh>);
  }
  for (const char* name : {"python::int", "aten::Int", "aten::IntImplicit"}) table.emplace(name, convert<Kind::kInt>);
  for (const char* name : {"python::float", "aten::Float", "aten::FloatImplicit"}) {
    table.emplace(name, convert<Kind::kFloat>);
  }
  for (const char* name : {"python::bool", "aten::Bool", "aten::is_nonzero"}) table.emplace(name, convert<Kind::kBool>);
  for (const char* name :
       {"aten::item", "aten::ScalarImplicit", "prim::ImplicitTensorToNum", "aten::_local_scalar_dense"}) {
    table.emplace(name, item);
  }
}

}  // namespace onward::importer::script
