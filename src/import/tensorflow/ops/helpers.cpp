#include "import/tensorflow/ops/helpers.h"

#include <algorithm>
#include <cmath>

namespace onward::importer::tf {

using ir::DType;
using ir::Value;

Value* as_vector(ir::Builder& b, Value* x) {
  Value* wide = b.Cast(x, DType::kInt64);
  if (!wide->has_rank()) return b.Reshape(wide, {-1});
  return wide->rank() == 0 ? b.Unsqueeze(wide, {0}) : wide;
}

Value* as_scalar(ir::Builder& b, Value* x) {
  if (x->has_rank() && x->rank() == 0) return x;
  if (x->has_rank() && x->rank() == 1) return b.Squeeze(x, {0});
  return b.Reshape(x, b.ints({}));
}

Value* rank_value(ir::Builder& b, Value* x) {
  return x->has_rank() ? b.i64(static_cast<int64_t>(x->rank())) : b.Size(b.Shape(x));
}

Value* reshape(ir::Builder& b, Value* x, Value* shape) {
  const auto known = shape->is_constant() ? std::optional(shape->constant()->ints()) : std::nullopt;
  const bool zeros = known && std::count(known->begin(), known->end(), 0) > 0;
  return zeros ? b.op("Reshape", {x, shape}, {{"allowzero", 1}}) : b.Reshape(x, shape);
}

Value* dims(ir::Builder& b, Value* x, int64_t start, int64_t end) { return b.Slice(b.Shape(x), start, end, 0); }

Value* product(ir::Builder& b, Value* vector) { return b.ReduceProd(vector, {0}); }

Value* swapped(ir::Builder& b, Value* x) {
  std::vector<int64_t> perm = all_axes(x->rank());
  if (perm.size() >= 2) std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return b.Transpose(x, perm);
}

const Item& variable_content(Call& c, const Resource& resource) {
  const auto found = c.state().variables.find(&resource);
  c.require(found != c.state().variables.end(), "the variable \"" + resource.name + "\" has no value in the file",
            "save the model with its variables (a SavedModel folder with variables/), or freeze it");
  return found->second;
}

double lowest(DType dtype) {
  if (ir::is_floating(dtype)) return -std::numeric_limits<double>::infinity();
  if (!ir::is_signed_integer(dtype)) return 0;
  return -std::pow(2.0, static_cast<double>(ir::dtype_bits(dtype)) - 1);
}

double highest(DType dtype) {
  if (ir::is_floating(dtype)) return std::numeric_limits<double>::infinity();
  if (dtype == DType::kBool) return 1;
  const double bits = static_cast<double>(ir::dtype_bits(dtype)) - (ir::is_signed_integer(dtype) ? 1 : 0);
  // The greatest double below 2^63 and 2^64: those themselves do not fit.
  return bits > 53 ? std::nextafter(std::pow(2.0, bits), 0) : std::pow(2.0, bits) - 1;
}

Value* within(ir::Builder& b, Value* x, Value* low, Value* high) {
  return b.And(b.GreaterOrEqual(x, low), b.Less(x, high));
}

Value* filled(ir::Builder& b, Value* shape, Value* fill) { return b.Expand(fill, shape); }

Value* scatter(ir::Builder& b, Value* data, Value* indices, Value* updates, const char* reduction) {
  indices = b.Cast(indices, DType::kInt64);
  const ir::Dim last = indices->has_rank() && indices->rank() > 0 ? indices->shape->back() : ir::Dim();
  if (std::string_view(reduction) == "none" || !last.is_known()) {
    return b.op("ScatterND", {data, indices, updates}, {{"reduction", reduction}});
  }
  // ScatterElements on rows: it goes through repeated indices one after another.
  const int64_t depth = last.value();
  Value* row = nullptr;
  for (int64_t i = 0; i < depth; ++i) {
    Value* index = b.Select(indices, i, -1);
    row = row == nullptr ? index : b.Add(b.Mul(row, b.dim_scalar(data, i)), index);
  }
  if (row == nullptr) row = b.Fill(dims(b, indices, 0, -1), 0, DType::kInt64);
  Value* shape = b.Shape(data);
  Value* width = product(b, b.Slice(shape, depth, kToEnd, 0));
  Value* rows = product(b, b.Slice(shape, 0, depth, 0));
  Value* count = b.Unsqueeze(b.Size(row), {0});
  Value* to = b.Expand(b.Reshape(row, {-1, 1}), b.Concat({count, width}, 0));
  Value* table = b.op("Reshape", {data, b.Concat({rows, width}, 0)}, {{"allowzero", 1}});
  Value* values = b.op("Reshape", {updates, b.Concat({count, width}, 0)}, {{"allowzero", 1}});
  Value* result = b.op("ScatterElements", {table, to, values}, {{"axis", 0}, {"reduction", reduction}});
  return reshape(b, result, shape);
}

bool channels_first(const Call& c, const char* fallback) {
  const std::string format = c.text("data_format", fallback);
  c.require(format == "NHWC" || format == "NCHW" || format == "NDHWC" || format == "NCDHW",
            "its data format \"" + format + "\" is not supported");
  return format == "NCHW" || format == "NCDHW";
}

std::vector<int64_t> spatial(const std::vector<int64_t>& all, bool channels_first) {
  if (all.size() < 3) return all;
  return channels_first ? std::vector<int64_t>(all.begin() + 2, all.end())
                        : std::vector<int64_t>(all.begin() + 1, all.end() - 1);
}

}  // namespace onward::importer::tf
