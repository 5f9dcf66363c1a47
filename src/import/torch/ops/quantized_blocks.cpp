// Quantization finer than a channel: a scale for each token, each group of a row, or each block of torchao's affine
// operators; and the integer products that work on what they give.
// PyTorch multiplies by the reciprocal of a scale, where a division would round some halves to the other side.
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- one scale a token -----------------------------------------------------------------------------------------------

// quantize_per_token(Tensor input, Tensor scales, Tensor zero_points, int quant_min, int quant_max, ScalarType dtype)
Value* quantize_tokens(Call& c) {
  ir::Builder& b = c.b;
  Value* scales = c.tensor("scales");
  Value* x = b.Cast(c.tensor("input"), scales->dtype);
  Value* scaled = b.Mul(x, b.Reciprocal(scales));
  Value* shifted = b.Round(b.Add(scaled, b.Cast(c.tensor("zero_points"), scales->dtype)));
  return b.Cast(b.Min(b.Max(shifted, c.number("quant_min")), c.number("quant_max")), *c.dtype());
}
Value* dequantize_tokens(Call& c) {
  ir::Builder& b = c.b;
  Value* scales = c.tensor("scales");
  Value* zero = b.Cast(c.tensor("zero_points"), scales->dtype);
  return b.Cast(b.Mul(b.Sub(b.Cast(c.tensor("input"), scales->dtype), zero), scales), *c.dtype("output_dtype"));
}
// choose_qparams_per_token(Tensor input, ScalarType dtype) -> (Tensor, Tensor): symmetric, int8
ir::Values choose_tokens(Call& c) {
  ir::Builder& b = c.b;
  c.require(*c.dtype() == DType::kInt8, "only int8 is defined");
  Value* most = b.ReduceMax(b.Abs(c.tensor("input")), {-1});
  if (most->dtype == DType::kFloat16) most = b.Cast(most, DType::kFloat);
  Value* scales = b.Div(b.Max(most, 1e-5), 127);
  return {scales, b.Fill(b.Shape(scales), 0, scales->dtype)};
}
// choose_qparams_per_token_asymmetric(Tensor input, ScalarType dtype) -> (Tensor, Tensor): int8, of the zero points
// that the range's two ends ask for the one with the smaller error
ir::Values choose_tokens_asymmetric(Call& c) {
  ir::Builder& b = c.b;
  constexpr double kLow = -128;
  constexpr double kHigh = 127;
  Value* x = c.tensor("input");
  Value* least = b.Min(b.ReduceMin(x, {-1}), 0.0);
  Value* most = b.Max(b.ReduceMax(x, {-1}), 0.0);
  Value* scale = b.Max(b.Div(b.Sub(most, least), kHigh - kLow), 1.1920928955078125e-07);
  Value* from_least = b.Div(least, scale);
  Value* from_most = b.Div(most, scale);
  Value* errors = b.Add(b.Add(from_least, kLow), b.Add(from_most, kHigh));
  Value* zero = b.Where(b.Greater(errors, b.number_like(0, errors)), b.Sub(b.number_like(kLow, x), from_least),
                        b.Sub(b.number_like(kHigh, x), from_most));
  zero = b.Round(b.Min(b.Max(zero, kLow), kHigh));
  return {b.Cast(scale, DType::kDouble), b.Cast(zero, DType::kInt64)};
}

// --- one scale a group of a row --------------------------------------------------------------------------------------

// The rows of a matrix in groups: [rows * groups, size]; size -1: the rows whole.
Value* grouped(ir::Builder& b, Value* x, int64_t size) { return b.Reshape(x, std::vector<int64_t>{-1, size}); }
int64_t group_size(Call& c, const Value* x) {
  const int64_t size = c.integer("group_size");
  const bool known = x->shape && x->rank() == 2 && x->dim(1).is_known();
  return known && size > x->dim(1).value() ? x->dim(1).value() : size;  // a single column of scales
}

Value* quantize_groups(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  Value* scales = b.Reshape(c.tensor("scales"), {-1, 1});
  Value* zero = b.Cast(b.Reshape(c.tensor("zero_points"), {-1, 1}), x->dtype);
  Value* shifted = b.Add(b.Round(b.Mul(grouped(b, x, group_size(c, x)), b.Reciprocal(scales))), zero);
  Value* cut = b.Min(b.Max(shifted, c.number("quant_min")), c.number("quant_max"));
  return b.Reshape(b.Cast(cut, *c.dtype()), b.Shape(x));
}
Value* dequantize_groups(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  Value* scales = b.Reshape(c.tensor("scales"), {-1, 1});
  Value* shifted = b.Cast(grouped(b, x, group_size(c, x)), scales->dtype);
  if (c.given("zero_points"))
    shifted = b.Sub(shifted, b.Cast(b.Reshape(c.tensor("zero_points"), {-1, 1}), scales->dtype));
  return b.Cast(b.Reshape(b.Mul(shifted, scales), b.Shape(x)), *c.dtype("output_dtype"));
}

// --- torchao's blocks ------------------------------------------------------------------------------------------------

// How a tensor is seen so that each block has axes of its own.
struct Blocks {
  Value* shape = nullptr;       // of the view
  Value* scales = nullptr;      // the same with 1 for the axes within blocks
  Value* counts = nullptr;      // how many blocks each axis of the tensor has
  std::vector<int64_t> within;  // the axes within blocks
};

Blocks blocks_of(Call& c, Value* x) {
  ir::Builder& b = c.b;
  const Arg::List* list = c.arg("block_size").list();
  c.require(list != nullptr && x->has_rank() && list->size() == x->rank(), "block_size and the rank differ");
  Value* one = b.ints({1});
  ir::Values view;
  ir::Values scales;
  ir::Values counts;
  Blocks blocks;
  const auto add = [&](Value* size, bool reduced) {
    if (reduced) blocks.within.push_back(static_cast<int64_t>(view.size()));
    view.push_back(size);
    scales.push_back(reduced ? one : size);
  };
  for (size_t axis = 0; axis < x->rank(); ++axis) {
    const Arg& block = (*list)[axis];
    const auto* size = std::get_if<int64_t>(&block.data);
    Value* whole = b.dim(x, static_cast<int64_t>(axis));
    const ir::Dim& dim = x->dim(axis);
    // A size that the program computes is that of the dimension.
    if (size == nullptr || (dim.is_known() && dim.value() == *size) || *size == 1) {
      const bool reduced = size == nullptr || *size != 1;
      add(whole, reduced);
      counts.push_back(reduced ? one : whole);
    } else {
      c.require(dim.is_known() && *size > 1 && dim.value() % *size == 0,
                "a block of " + std::to_string(*size) + " does not divide dimension " + std::to_string(axis));
      counts.push_back(b.ints({dim.value() / *size}));
      add(counts.back(), false);
      add(b.ints({*size}), true);
    }
  }
  blocks.shape = b.join(view);
  blocks.scales = b.join(scales);
  blocks.counts = b.join(counts);
  return blocks;
}

std::pair<double, double> bounds(Call& c, DType dtype) {
  c.require(dtype == DType::kInt8 || dtype == DType::kUInt8 || (c.given("quant_min") && c.given("quant_max")),
            "quant_min and quant_max are missing");
  const bool is_signed = dtype == DType::kInt8;
  return {c.given("quant_min") ? c.number("quant_min")
          : is_signed          ? -128
                               : 0,
          c.given("quant_max") ? c.number("quant_max")
          : is_signed          ? 127
                               : 255};
}

// A zero point without elements stands for none.
Value* zero_of(Call& c, const Blocks& blocks, DType dtype) {
  Value* zero = c.maybe_tensor("zero_point");
  if (zero == nullptr) return nullptr;
  const bool empty = zero->shape && std::any_of(zero->shape->begin(), zero->shape->end(),
                                                [](const ir::Dim& dim) { return dim.is_known() && dim.value() == 0; });
  return empty ? nullptr : c.b.Cast(c.b.Reshape(zero, blocks.scales), dtype);
}

Value* quantize_affine(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const Blocks blocks = blocks_of(c, x);
  const DType dtype = *c.dtype("output_dtype");
  const auto [low, high] = bounds(c, dtype);
  Value* scale = b.Cast(b.Reshape(c.tensor("scale"), blocks.scales), x->dtype);
  Value* grid = b.Round(b.Mul(b.Reshape(x, blocks.shape), b.Reciprocal(scale)));
  if (Value* zero = zero_of(c, blocks, x->dtype)) grid = b.Add(grid, zero);
  return b.Cast(b.Reshape(b.Min(b.Max(grid, low), high), b.Shape(x)), dtype);
}
Value* dequantize_affine(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const Blocks blocks = blocks_of(c, x);
  const DType dtype = c.dtype("output_dtype").value_or(DType::kFloat);
  Value* shifted = b.Cast(b.Reshape(x, blocks.shape), dtype);
  if (Value* zero = zero_of(c, blocks, dtype)) shifted = b.Sub(shifted, zero);
  Value* scale = b.Cast(b.Reshape(c.tensor("scale"), blocks.scales), dtype);
  return b.Reshape(b.Mul(shifted, scale), b.Shape(x));
}

// torchao::choose_qparams_affine(Tensor? input, str mapping_type, SymInt[] block_size, ScalarType target_dtype, …)
ir::Values choose_affine(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("input");
  const Blocks blocks = blocks_of(c, x);
  const auto [low, high] = bounds(c, *c.dtype("target_dtype"));
  const std::string mapping = c.text("mapping_type");
  Value* seen = b.Reshape(x, blocks.shape);
  const auto extreme = [&](const char* reduction) {
    return blocks.within.empty() ? seen : b.reduce(reduction, seen, blocks.within, false);
  };
  Value* least = b.Min(extreme("ReduceMin"), 0.0);
  Value* most = b.Max(extreme("ReduceMax"), 0.0);
  constexpr double kSmallestNormal = 1.1754943508222875e-38;
  const double eps = c.maybe_number("eps").value_or(x->dtype == DType::kFloat16 ? 6.103515625e-05 : kSmallestNormal);
  Value* scale = nullptr;
  Value* zero = nullptr;
  if (mapping == "ASYMMETRIC") {
    scale = b.Max(b.Div(b.Sub(most, least), high - low), eps);
    zero = b.Min(b.Max(b.Sub(b.number_like(low, x), b.Round(b.Div(least, scale))), low), high);
  } else if (mapping == "SYMMETRIC") {
    scale = b.Max(b.Div(b.Max(b.Neg(least), most), (high - low) / 2), eps);
  } else {
    c.require(mapping == "SYMMETRIC_NO_CLIPPING_ERR", "the mapping \"" + mapping + "\" is unknown");
    scale = b.Max(b.Max(b.Div(least, low), b.Div(most, high)), eps);
  }
  if (zero == nullptr)
    zero = b.Fill(b.Shape(scale), static_cast<double>(static_cast<int64_t>((low + high + 1) / 2)), x->dtype);
  if (c.flag("keepdim")) {
    scale = b.Reshape(scale, blocks.counts);
    zero = b.Reshape(zero, blocks.counts);
  }
  const DType fallback = mapping == "ASYMMETRIC" ? DType::kInt32 : x->dtype;
  return {b.Cast(scale, c.dtype("scale_dtype").value_or(x->dtype)),
          b.Cast(zero, c.dtype("zero_point_dtype").value_or(fallback))};
}

// --- products --------------------------------------------------------------------------------------------------------

// aten::_int_mm(Tensor self, Tensor mat2) -> Tensor: int8 by int8 to int32
Value* int_mm(Call& c) { return c.b.op("MatMulInteger", {c.tensor("self"), c.tensor("mat2")}); }

// aten::_weight_int8pack_mm(Tensor self, Tensor mat2, Tensor scales) -> Tensor: a weight of int8 [out, in], a scale a
// row
Value* int8pack_mm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* weight = b.Cast(b.Transpose(c.tensor("mat2"), {1, 0}), x->dtype);
  return b.Mul(b.MatMul(x, weight), b.Cast(c.tensor("scales"), x->dtype));
}

}  // namespace

void register_quantized_blocks(OpTable& t) {
  const std::string space = "quantized_decomposed::";
  const std::string tokens =
      "(Tensor input, Tensor scales, Tensor zero_points, int quant_min, int quant_max, ScalarType dtype";
  const std::string optional_zero =
      "(Tensor input, Tensor scales, Tensor? zero_points, int quant_min, int quant_max, ScalarType dtype";
  t.add(space + "quantize_per_token" + tokens + ") -> Tensor", quantize_tokens);
  t.add(space + "dequantize_per_token" + tokens + ", ScalarType output_dtype) -> Tensor", dequantize_tokens);
  t.add(space + "choose_qparams_per_token(Tensor input, ScalarType dtype) -> (Tensor, Tensor)", choose_tokens);
  for (const char* name : {"choose_qparams_per_token_asymmetric", "_choose_qparams_per_token_asymmetric_impl"}) {
    t.add(space + name + "(Tensor input, ScalarType dtype) -> (Tensor, Tensor)", choose_tokens_asymmetric);
  }
  t.add(space + "quantize_per_channel_group" + tokens + ", int group_size) -> Tensor", quantize_groups);
  t.add(space + "dequantize_per_channel_group" + optional_zero + ", int group_size, ScalarType output_dtype) -> Tensor",
        dequantize_groups);

  const std::string affine = "(Tensor input, SymInt[] block_size, Tensor scale, Tensor? zero_point, ScalarType ";
  const std::string range = ", Scalar? quant_min=None, Scalar? quant_max=None";
  t.add("torchao::quantize_affine" + affine + "output_dtype" + range + ") -> Tensor", quantize_affine);
  t.add("torchao::dequantize_affine" + affine + "input_dtype" + range + ", ScalarType? output_dtype=None) -> Tensor",
        dequantize_affine);
  t.add("torchao::choose_qparams_affine(Tensor? input, str mapping_type, SymInt[] block_size, ScalarType target_dtype" +
            range +
            ", float? eps=None, ScalarType? scale_dtype=None, ScalarType? zero_point_dtype=None, "
            "bool keepdim=False) -> (Tensor, Tensor)",
        choose_affine);
  t.add("aten::_int_mm(Tensor self, Tensor mat2) -> Tensor", int_mm);
  t.add("aten::_weight_int8pack_mm(Tensor self, Tensor mat2, Tensor scales) -> Tensor", int8pack_mm);
}

}  // namespace onward::importer::torch
