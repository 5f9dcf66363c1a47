#include "import/tensorflow/ops/dtypes.h"

namespace onward::importer::tf {

using ir::DType;
using ir::Value;

DType arithmetic_dtype(DType dtype) {
  switch (dtype) {
    case DType::kBool:
    case DType::kInt8:
    case DType::kInt16:
    case DType::kUInt8:
    case DType::kUInt16:
      return DType::kInt32;
    case DType::kUInt32:
    case DType::kUInt64:
      return DType::kInt64;
    case DType::kBFloat16:
      return DType::kFloat;
    default:
      return dtype;
  }
}

DType floating_dtype(DType dtype) {
  const bool known = dtype == DType::kDouble || dtype == DType::kFloat16;
  return known ? dtype : DType::kFloat;
}

DType single_dtype(DType dtype) { return dtype == DType::kFloat16 ? dtype : DType::kFloat; }

Value* computed(ir::Builder& b, UnaryNode node, Value* x, Widen widen) {
  return b.Cast((b.*node)(b.Cast(x, widen(x->dtype))), x->dtype);
}

Value* computed(ir::Builder& b, BinaryNode node, Value* x, Value* y, Widen widen) {
  const DType wide = widen(x->dtype);
  return b.Cast((b.*node)(b.Cast(x, wide), b.Cast(y, wide)), x->dtype);
}

Value* select(ir::Builder& b, Value* condition, Value* x, Value* y) {
  const DType dtype = x->dtype;
  const bool known = dtype == DType::kString || dtype == DType::kUInt8;
  const DType wide = known ? dtype : arithmetic_dtype(dtype);
  return b.Cast(b.Where(condition, b.Cast(x, wide), b.Cast(y, wide)), dtype);
}

}  // namespace onward::importer::tf
