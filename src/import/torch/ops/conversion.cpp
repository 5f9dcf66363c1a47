// Element types: to, type_as, float …
#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

Value* to(Call& c) {
  Value* x = c.tensor("self");
  return c.b.Cast(x, c.dtype().value_or(x->dtype));
}
Value* to_other(Call& c) { return c.b.Cast(c.tensor("self"), c.tensor("other")->dtype); }

template <DType To>
Value* fixed(Call& c) {
  return c.b.Cast(c.tensor("self"), To);
}

}  // namespace

void register_conversion(OpTable& t) {
  const std::string flags = ", bool non_blocking=False, bool copy=False, MemoryFormat? memory_format=None) -> Tensor";
  t.add("aten::to.dtype(Tensor self, ScalarType dtype" + flags, to);
  t.add("aten::to.device(Tensor self, Device? device, ScalarType? dtype=None" + flags, to);
  t.add("aten::to.other(Tensor self, Tensor other" + flags, to_other);
  t.add(
      "aten::to.dtype_layout(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None" +
          flags,
      to);
  t.add(
      "aten::_to_copy(Tensor self, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None, bool non_blocking=False, MemoryFormat? memory_format=None) -> Tensor",
      to);
  t.add("aten::type_as(Tensor self, Tensor other) -> Tensor", to_other);
  const auto add = [&](const char* name, TranslateOne translate) {
    t.add("aten::" + std::string(name) + "(Tensor self) -> Tensor", translate);
  };
  add("float", fixed<DType::kFloat>);
  add("double", fixed<DType::kDouble>);
  add("half", fixed<DType::kFloat16>);
  add("bfloat16", fixed<DType::kBFloat16>);
  add("long", fixed<DType::kInt64>);
  add("int", fixed<DType::kInt32>);
  add("short", fixed<DType::kInt16>);
  add("char", fixed<DType::kInt8>);
  add("byte", fixed<DType::kUInt8>);
  add("bool", fixed<DType::kBool>);
  const std::string casting = "(Tensor self, bool non_blocking=False) -> Tensor";
  t.add("aten::_cast_Float" + casting, fixed<DType::kFloat>);
  t.add("aten::_cast_Double" + casting, fixed<DType::kDouble>);
  t.add("aten::_cast_Half" + casting, fixed<DType::kFloat16>);
  t.add("aten::_cast_Int" + casting, fixed<DType::kInt32>);
  t.add("aten::_cast_Long" + casting, fixed<DType::kInt64>);
  t.add("aten::_cast_Byte" + casting, fixed<DType::kUInt8>);
  t.add("aten::_cast_Char" + casting, fixed<DType::kInt8>);
  t.add("aten::_cast_Short" + casting, fixed<DType::kInt16>);
}

}  // namespace onward::importer::torch
