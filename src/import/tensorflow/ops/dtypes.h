// Element types that ONNX Runtime's kernels compute in: a translator computes in one of them and casts back.
#pragma once

#include "ir/builder.h"

namespace onward::importer::tf {

using Widen = ir::DType (*)(ir::DType);

// float, double, int32, int64: narrower integers wrap the same way in int32, unsigned ones in int64.
ir::DType arithmetic_dtype(ir::DType dtype);
// float, double (and half); integers are computed as float.
ir::DType floating_dtype(ir::DType dtype);
// float (and half): for kernels that lack double.
ir::DType single_dtype(ir::DType dtype);
inline ir::DType any_dtype(ir::DType dtype) { return dtype; }

using UnaryNode = ir::Value* (ir::Builder::*)(ir::Value*);
using BinaryNode = ir::Value* (ir::Builder::*)(ir::Value*, ir::Value*);

// The node on casts of its operands, cast back.
ir::Value* computed(ir::Builder& b, UnaryNode node, ir::Value* x, Widen widen);
ir::Value* computed(ir::Builder& b, BinaryNode node, ir::Value* x, ir::Value* y, Widen widen);

// Where() for any type.
ir::Value* select(ir::Builder& b, ir::Value* condition, ir::Value* x, ir::Value* y);

}  // namespace onward::importer::tf
