// Special functions that ONNX has no operator for, by series, recurrences and fitted polynomials. All on doubles.
#pragma once

#include "ir/builder.h"

namespace onward::importer::special {

using Function = ir::Value* (*)(ir::Builder&, ir::Value*);

// --- the gamma function's family
ir::Value* log_gamma(ir::Builder& b, ir::Value* x);
ir::Value* digamma(ir::Builder& b, ir::Value* x);
// Hurwitz's zeta function.
ir::Value* zeta(ir::Builder& b, ir::Value* s, ir::Value* q);
// The regularized incomplete gamma functions; their sum is 1.
ir::Value* lower_gamma(ir::Builder& b, ir::Value* a, ir::Value* x);
ir::Value* upper_gamma(ir::Builder& b, ir::Value* a, ir::Value* x);

// --- Bessel functions; a final e: scaled by exp(-|x|), K by exp(x)
ir::Value* i0(ir::Builder& b, ir::Value* x);
ir::Value* i0e(ir::Builder& b, ir::Value* x);
ir::Value* i1(ir::Builder& b, ir::Value* x);
ir::Value* i1e(ir::Builder& b, ir::Value* x);
ir::Value* k0(ir::Builder& b, ir::Value* x);
ir::Value* k0e(ir::Builder& b, ir::Value* x);
ir::Value* k1(ir::Builder& b, ir::Value* x);
ir::Value* k1e(ir::Builder& b, ir::Value* x);
ir::Value* j0(ir::Builder& b, ir::Value* x);
ir::Value* j1(ir::Builder& b, ir::Value* x);
ir::Value* y0(ir::Builder& b, ir::Value* x);
ir::Value* y1(ir::Builder& b, ir::Value* x);
ir::Value* spherical_j0(ir::Builder& b, ir::Value* x);
ir::Value* airy_ai(ir::Builder& b, ir::Value* x);

// --- error functions and the normal distribution
ir::Value* erfc(ir::Builder& b, ir::Value* x);
// exp(x²) erfc(x).
ir::Value* scaled_erfc(ir::Builder& b, ir::Value* x);
ir::Value* erfinv(ir::Builder& b, ir::Value* y);
ir::Value* ndtr(ir::Builder& b, ir::Value* x);
ir::Value* ndtri(ir::Builder& b, ir::Value* p);
ir::Value* log_ndtr(ir::Builder& b, ir::Value* x);

// --- integrals
// The regularized incomplete beta function of x with parameters p and q, which broadcast.
ir::Value* incomplete_beta(ir::Builder& b, ir::Value* p, ir::Value* q, ir::Value* x);
// Dawson's integral.
ir::Value* dawson(ir::Builder& b, ir::Value* x);
// Ei for x > 0; NaN below, as TensorFlow has it.
ir::Value* exponential_integral(ir::Builder& b, ir::Value* x);
// The dilogarithm of 1 - x.
ir::Value* spence(ir::Builder& b, ir::Value* x);
ir::Value* fresnel_sin(ir::Builder& b, ir::Value* x);
ir::Value* fresnel_cos(ir::Builder& b, ir::Value* x);

}  // namespace onward::importer::special
