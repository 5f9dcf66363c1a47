// Complex arithmetic on pairs of real tensors: ONNX's operators take no complex numbers.
//
// In the graph a complex tensor is a real one whose last dimension of 2 holds the real and the imaginary part, and says
// so (ir::Value::complex). Within a computation the parts stay apart:
//
//   ir::Value* product = join(b, mul(b, parts(b, x), parts(b, y)));
//
// join() makes the pair; parts() takes it apart again, without new nodes where join() made it. Both parts are of the
// same real dtype; the imaginary part broadcasts to the real one.
#pragma once

#include <complex>
#include <optional>

#include "ir/builder.h"

namespace onward::importer {

struct Complex {
  ir::Value* re = nullptr;
  ir::Value* im = nullptr;  // null: zero
};

// A real value has no imaginary part.
Complex parts(ir::Builder& b, ir::Value* x);
ir::Value* join(ir::Builder& b, const Complex& x);
// Marks a tensor that has the last dimension of 2 already.
ir::Value* as_complex(ir::Value* pairs);

// A complex constant of a file as pairs (the same bytes); any other tensor as it is.
ir::Tensor pairs_of(const ir::Tensor& tensor);
// A graph input for what the framework calls `dtype` and `shape`: pairs where that is complex.
ir::Value* add_input(ir::Graph& graph, const std::string& name, ir::DType dtype, std::optional<ir::Shape> shape);

// What the source framework says of a value: complex64 for a float pair; the rank without the pairs' dimension.
ir::DType framework_dtype(const ir::Value* x);
size_t framework_rank(const ir::Value* x);
std::optional<ir::Shape> framework_shape(const ir::Value* x);
// float for complex64, double for complex128, others as they are; and back.
ir::DType real_dtype(ir::DType dtype);
ir::DType complex_dtype(ir::DType dtype);

// --- arithmetic ------------------------------------------------------------------------------------------------------
Complex constant(ir::Builder& b, std::complex<double> value, ir::DType real);
Complex cast(ir::Builder& b, const Complex& x, ir::DType real);
ir::Value* imaginary(ir::Builder& b, const Complex& x);  // zeros of the real part's shape where it is left out
Complex conj(ir::Builder& b, const Complex& x);
Complex neg(ir::Builder& b, const Complex& x);
Complex times_i(ir::Builder& b, const Complex& x);
Complex add(ir::Builder& b, const Complex& x, const Complex& y);
Complex sub(ir::Builder& b, const Complex& x, const Complex& y);
Complex mul(ir::Builder& b, const Complex& x, const Complex& y);
Complex mul(ir::Builder& b, const Complex& x, double factor);
Complex div(ir::Builder& b, const Complex& x, const Complex& y);
Complex reciprocal(ir::Builder& b, const Complex& x);
Complex matmul(ir::Builder& b, const Complex& x, const Complex& y);
Complex where(ir::Builder& b, ir::Value* condition, const Complex& x, const Complex& y);

// --- functions (principal values) ------------------------------------------------------------------------------------
ir::Value* squared_abs(ir::Builder& b, const Complex& x);
ir::Value* abs(ir::Builder& b, const Complex& x);
ir::Value* angle(ir::Builder& b, const Complex& x);
Complex polar(ir::Builder& b, ir::Value* abs, ir::Value* angle);
Complex sgn(ir::Builder& b, const Complex& x);
Complex exp(ir::Builder& b, const Complex& x);
Complex log(ir::Builder& b, const Complex& x);
Complex sqrt(ir::Builder& b, const Complex& x);
Complex pow(ir::Builder& b, const Complex& x, const Complex& y);
Complex sin(ir::Builder& b, const Complex& x);
Complex cos(ir::Builder& b, const Complex& x);
Complex tan(ir::Builder& b, const Complex& x);
Complex sinh(ir::Builder& b, const Complex& x);
Complex cosh(ir::Builder& b, const Complex& x);
Complex tanh(ir::Builder& b, const Complex& x);
Complex sigmoid(ir::Builder& b, const Complex& x);
ir::Value* equal(ir::Builder& b, const Complex& x, const Complex& y);

// The angle of the point (x, y) of two real tensors, in all four quadrants.
ir::Value* atan2(ir::Builder& b, ir::Value* y, ir::Value* x);

}  // namespace onward::importer
