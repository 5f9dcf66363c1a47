// Algorithms on matrices (the last two dimensions; any number before them) as ONNX loops, for operators that ONNX
// lacks.
#pragma once

#include <functional>

#include "ir/builder.h"

namespace onward::importer {

// The identity of the matrix's own size and dtype (batched like it).
ir::Value* identity_matrix(ir::Builder& b, ir::Value* like);
ir::Value* transposed(ir::Builder& b, ir::Value* matrix);

// One triangle, the rest zero; with ones on the diagonal where it is `unit`.
ir::Value* triangle(ir::Builder& b, ir::Value* a, bool upper, bool unit);
// Gauss-Jordan elimination with partial pivoting: X of A X = B.
ir::Value* solve(ir::Builder& b, ir::Value* a, ir::Value* right);
ir::Value* inverse_of(ir::Builder& b, ir::Value* a);

struct Lu {
  ir::Value* packed;  // L below the diagonal, U on and above it
  ir::Value* pivots;  // int64, from 0: what row was swapped with row k
  ir::Value* order;   // row i of L U is row order[i] of A
};
Lu lu(ir::Builder& b, ir::Value* a);

ir::Value* cholesky(ir::Builder& b, ir::Value* a);  // lower

struct Reflections {
  ir::Value* packed;   // R on and above the diagonal, Householder vectors below it
  ir::Value* factors;  // one for each vector
};
Reflections householder(ir::Builder& b, ir::Value* a);
// (H0 H1 …) times `matrix`, H_k given by column k of `vectors` below its diagonal; or transposed.
ir::Value* reflected_product(ir::Builder& b, ir::Value* vectors, ir::Value* factors, ir::Value* matrix, bool transpose);

struct Qr {
  ir::Value* q;  // orthogonal: square, or reduced to as many columns as the smaller side
  ir::Value* r;  // upper triangle
};
Qr orthogonal_factors(ir::Builder& b, ir::Value* a, bool reduced);

struct Eigen {
  ir::Value* values;   // rising
  ir::Value* vectors;  // in columns
};
// Of a symmetric matrix, by Jacobi's rotations.
Eigen symmetric_eigen(ir::Builder& b, ir::Value* a);
// The symmetric matrix of which `a` holds one triangle.
ir::Value* symmetric(ir::Builder& b, ir::Value* a, bool upper);

// A = U diag(s) V', by one-sided Jacobi rotations in double; results in `a`'s dtype.
struct Svd {
  ir::Value* u;       // [*, m, k], or [*, m, m] where `full`; k is the smaller side
  ir::Value* values;  // [*, k], falling
  ir::Value* v;       // [*, n, k], or [*, n, n]
};
Svd singular_factors(ir::Builder& b, ir::Value* a, bool full);
ir::Value* singular_values(ir::Builder& b, ir::Value* a);
// Singular values not above cut(largest [*]), which is [*] or rank 0, count as zero.
using SingularCut = std::function<ir::Value*(ir::Value* largest)>;
ir::Value* pseudo_inverse(ir::Builder& b, ir::Value* a, const SingularCut& cut);

}  // namespace onward::importer
