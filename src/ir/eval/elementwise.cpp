// Unary and binary arithmetic, comparisons, logic, Cast, Where. Integers are computed in int64, half and float in
// float, double in double, as ONNX Runtime does.
#include <cmath>
#include <limits>

#include "ir/eval/table.h"

namespace onward::ir::eval {
namespace {

template <class T>
std::vector<T> read_as(const Tensor& tensor) {
  if constexpr (std::is_same_v<T, double>) return tensor.doubles();
  if constexpr (std::is_same_v<T, float>) return tensor.floats();
  if constexpr (std::is_same_v<T, int64_t>) return tensor.ints();
}

template <class T>
Tensor write_as(DType dtype, const Dims& dims, const std::vector<T>& values) {
  if constexpr (std::is_same_v<T, int64_t>) return Tensor::from_ints(dtype, dims, values);
  if constexpr (std::is_same_v<T, double>) return Tensor::from_doubles(dtype, dims, values);
  if constexpr (std::is_same_v<T, float>) {
    if (dtype == DType::kFloat) return Tensor::of<float>(dims, values);
    return Tensor::from_doubles(dtype, dims, {values.begin(), values.end()});
  }
}

// Calls function(T{}) with the type that elements of `dtype` are computed in.
template <class Function>
auto computed(DType dtype, const Function& function) {
  if (dtype == DType::kDouble) return function(double{});
  if (is_floating(dtype)) {
    if (dtype_bits(dtype) < 16) throw Unfit();
    return function(float{});
  }
  if (is_integer(dtype) || dtype == DType::kBool) {
    if (dtype_bits(dtype) < 8 || dtype == DType::kUInt64) throw Unfit();
    return function(int64_t{});
  }
  throw Unfit();
}

template <class T, class Op>
std::vector<std::invoke_result_t<Op, T, T>> zip_values(const Tensor& a, const Tensor& b, const Dims& dims,
                                                       const Op& op) {
  const std::vector<T> left = read_as<T>(a);
  const std::vector<T> right = read_as<T>(b);
  const Dims left_strides = broadcast_strides(a.dims(), dims);
  const Dims right_strides = broadcast_strides(b.dims(), dims);
  std::vector<std::invoke_result_t<Op, T, T>> out;
  const int64_t count = element_count(dims);
  out.reserve(static_cast<size_t>(count));
  Dims index(dims.size(), 0);
  int64_t i = 0;
  int64_t j = 0;
  for (int64_t n = 0; n < count; ++n) {
    out.push_back(op(left[static_cast<size_t>(i)], right[static_cast<size_t>(j)]));
    for (size_t axis = dims.size(); axis-- > 0;) {
      i += left_strides[axis];
      j += right_strides[axis];
      if (++index[axis] < dims[axis]) break;
      i -= left_strides[axis] * dims[axis];
      j -= right_strides[axis] * dims[axis];
      index[axis] = 0;
    }
  }
  return out;
}

template <class Op>
Tensor combine(const Call& call, const Tensor& a, const Tensor& b, const Op& op) {
  if (a.dtype() != b.dtype()) throw Unfit();
  const Dims dims = broadcast_dims(a.dims(), b.dims());
  call.allow(a.dtype(), dims);
  return computed(a.dtype(), [&]<class T>(T) { return write_as<T>(a.dtype(), dims, zip_values<T>(a, b, dims, op)); });
}

template <class Op>
std::vector<Tensor> arithmetic(const Call& call, const Op& op) {
  return {combine(call, call.required(0), call.required(1), op)};
}

template <class Op>
std::vector<Tensor> variadic(const Call& call, const Op& op) {
  Tensor result = call.required(0);
  for (size_t i = 1; i < call.inputs.size(); ++i) result = combine(call, result, call.required(i), op);
  return {result};
}

template <class Op>
std::vector<Tensor> comparison(const Call& call, const Op& op) {
  const Tensor& a = call.required(0);
  const Tensor& b = call.required(1);
  if (a.dtype() != b.dtype()) throw Unfit();
  const Dims dims = broadcast_dims(a.dims(), b.dims());
  call.allow(DType::kBool, dims);
  return {computed(a.dtype(), [&]<class T>(T) { return Tensor::of<bool>(dims, zip_values<T>(a, b, dims, op)); })};
}

template <class Op>
std::vector<Tensor> unary(const Call& call, const Op& op) {
  const Tensor& x = call.required(0);
  return {computed(x.dtype(), [&]<class T>(T) {
    std::vector<T> values = read_as<T>(x);
    for (T& value : values) value = static_cast<T>(op(value));
    return write_as<T>(x.dtype(), x.dims(), values);
  })};
}

// Only for floating dtypes.
template <class Op>
std::vector<Tensor> floating(const Call& call, const Op& op) {
  if (!is_floating(call.required(0).dtype())) throw Unfit();
  return unary(call, op);
}

template <class T>
T divide(T a, T b) {
  if constexpr (std::is_integral_v<T>) {
    if (b == 0 || (b == -1 && a == std::numeric_limits<T>::min())) throw Unfit();
  }
  return a / b;
}

template <class T>
T power(T base, T exponent) {
  if constexpr (std::is_integral_v<T>) {
    if (exponent < 0) throw Unfit();
    uint64_t result = 1;
    auto factor = static_cast<uint64_t>(base);
    for (auto left = static_cast<uint64_t>(exponent); left != 0; left >>= 1U, factor *= factor) {
      if ((left & 1U) != 0) result *= factor;
    }
    return static_cast<T>(result);
  } else {
    return std::pow(base, exponent);
  }
}

std::vector<Tensor> modulo(const Call& call) {
  const bool fmod = call.attrs.get("fmod", int64_t{0}) != 0;
  return arithmetic(call, [fmod]<class T>(T a, T b) -> T {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) throw Unfit();
      const T rest = b == -1 ? 0 : a % b;
      return !fmod && rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
    } else {
      if (!fmod) throw Unfit();
      return std::fmod(a, b);
    }
  });
}

// Wrapping, as two's complement arithmetic does, without undefined overflow.
template <class T, class Op>
T wrapping(T a, T b, const Op& op) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(op(static_cast<uint64_t>(a), static_cast<uint64_t>(b)));
  } else {
    return op(a, b);
  }
}

std::vector<Tensor> cast(const Call& call) {
  const Tensor& x = call.required(0);
  const auto to = static_cast<DType>(call.attrs.at("to").as_int());
  if (x.dtype() == to) return {x};
  if (x.dtype() == DType::kString || to == DType::kString || dtype_bits(to) < 8 || dtype_bits(x.dtype()) < 8)
    throw Unfit();
  if ((is_floating(to) && dtype_bits(to) < 16) || is_complex(to) || is_complex(x.dtype())) throw Unfit();
  if (!is_floating(x.dtype())) {
    if (x.dtype() == DType::kUInt64) throw Unfit();
    return {Tensor::from_ints(to, x.dims(), x.ints())};
  }
  const std::vector<double> values = x.doubles();
  if (!is_floating(to) && to != DType::kBool) {
    for (const double value : values) {
      if (!(std::fabs(value) < 9.2e18)) throw Unfit();  // what the run time gives depends on the machine
    }
  }
  return {Tensor::from_doubles(to, x.dims(), values)};
}

std::vector<Tensor> where(const Call& call) {
  const Tensor& condition = call.required(0);
  const Tensor& a = call.required(1);
  const Tensor& b = call.required(2);
  const Dims dims = broadcast_dims(condition.dims(), broadcast_dims(a.dims(), b.dims()));
  if (a.dtype() != b.dtype()) throw Unfit();
  call.allow(a.dtype(), dims);
  const size_t width = element_size(a);
  const Tensor mask = strided_copy(condition, dims, broadcast_strides(condition.dims(), dims));
  const Tensor left = strided_copy(a, dims, broadcast_strides(a.dims(), dims));
  const Tensor right = strided_copy(b, dims, broadcast_strides(b.dims(), dims));
  std::vector<std::byte> bytes(left.bytes().size());
  for (size_t i = 0; i < left.count(); ++i) {
    const Tensor& from = mask.bytes().data()[i] != std::byte{0} ? left : right;
    std::memcpy(&bytes[i * width], from.bytes().data() + i * width, width);
  }
  return {Tensor(a.dtype(), dims, Bytes::from_vector(std::move(bytes)))};
}

std::vector<Tensor> clip(const Call& call) {
  Tensor x = call.required(0);
  const auto at_least = [](auto a, auto b) { return a < b ? b : a; };
  const auto at_most = [](auto a, auto b) { return a > b ? b : a; };
  if (const Tensor* low = call.input(1)) x = combine(call, x, *low, at_least);
  if (const Tensor* high = call.input(2)) x = combine(call, x, *high, at_most);
  return {x};
}

void register_unary(EvalTable& table) {
  table["Neg"] = [](const Call& call) {
    return unary(call, []<class T>(T x) { return wrapping<T>(T{}, x, [](auto zero, auto y) { return zero - y; }); });
  };
  table["Abs"] = [](const Call& call) { return unary(call, [](auto x) { return x < 0 ? -x : x; }); };
  table["Sign"] = [](const Call& call) { return unary(call, [](auto x) { return (x > 0) - (x < 0); }); };
  table["Floor"] = [](const Call& call) { return floating(call, [](auto x) { return std::floor(x); }); };
  table["Ceil"] = [](const Call& call) { return floating(call, [](auto x) { return std::ceil(x); }); };
  table["Round"] = [](const Call& call) { return floating(call, [](auto x) { return std::nearbyint(x); }); };
  table["Sqrt"] = [](const Call& call) { return floating(call, [](auto x) { return std::sqrt(x); }); };
  table["Exp"] = [](const Call& call) { return floating(call, [](auto x) { return std::exp(x); }); };
  table["Log"] = [](const Call& call) { return floating(call, [](auto x) { return std::log(x); }); };
  table["Reciprocal"] = [](const Call& call) { return floating(call, [](auto x) { return 1 / x; }); };
  table["Relu"] = [](const Call& call) { return unary(call, [](auto x) { return x < 0 ? decltype(x){} : x; }); };
  table["Not"] = [](const Call& call) { return unary(call, [](auto x) { return x == 0; }); };
  table["Cast"] = cast;
}

void register_binary(EvalTable& table) {
  table["Add"] = [](const Call& call) {
    return arithmetic(call, []<class T>(T a, T b) { return wrapping<T>(a, b, [](auto x, auto y) { return x + y; }); });
  };
  table["Sub"] = [](const Call& call) {
    return arithmetic(call, []<class T>(T a, T b) { return wrapping<T>(a, b, [](auto x, auto y) { return x - y; }); });
  };
  table["Mul"] = [](const Call& call) {
    return arithmetic(call, []<class T>(T a, T b) { return wrapping<T>(a, b, [](auto x, auto y) { return x * y; }); });
  };
  table["Div"] = [](const Call& call) { return arithmetic(call, []<class T>(T a, T b) { return divide<T>(a, b); }); };
  table["Pow"] = [](const Call& call) { return arithmetic(call, []<class T>(T a, T b) { return power<T>(a, b); }); };
  table["Mod"] = modulo;
  // NaN wins, as ONNX Runtime has it.
  table["Max"] = [](const Call& call) {
    return variadic(call, [](auto a, auto b) { return a > b || a != a ? a : b; });
  };
  table["Min"] = [](const Call& call) {
    return variadic(call, [](auto a, auto b) { return a < b || a != a ? a : b; });
  };
  table["And"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a != 0 && b != 0; }); };
  table["Or"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a != 0 || b != 0; }); };
  table["Xor"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return (a != 0) != (b != 0); }); };
  table["Equal"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a == b; }); };
  table["Less"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a < b; }); };
  table["LessOrEqual"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a <= b; }); };
  table["Greater"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a > b; }); };
  table["GreaterOrEqual"] = [](const Call& call) { return comparison(call, [](auto a, auto b) { return a >= b; }); };
}

}  // namespace

void register_elementwise(EvalTable& table) {
  register_unary(table);
  register_binary(table);
  table["Where"] = where;
  table["Clip"] = clip;
}

}  // namespace onward::ir::eval
