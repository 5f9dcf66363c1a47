#include "serving/batching.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"

namespace onward::serving {
namespace {

using runtime::ValueInfo;

bool first_dim_free(const ValueInfo& info) { return !info.shape.empty() && !info.shape.front().is_known(); }

// Varied but reproducible numbers: small integers for integer inputs (indices must stay in range), else in [0, 1).
ir::Tensor made_up(const ValueInfo& info, const ir::Dims& dims, uint32_t seed) {
  const auto count = static_cast<size_t>(ir::element_count(dims));
  std::vector<double> values(count);
  uint32_t state = seed;
  for (double& value : values) {
    state = state * 1664525U + 1013904223U;
    const double unit = static_cast<double>(state >> 8) / (1U << 24);
    value = ir::is_floating(info.dtype) ? unit : std::floor(unit * 2);
  }
  return ir::Tensor::from_doubles(info.dtype, dims, values);
}

// One row of dims for an input, where all but the first are fixed.
std::optional<ir::Dims> row_dims(const ValueInfo& info) {
  ir::Shape shape = info.shape;
  if (first_dim_free(info)) shape.front() = ir::Dim(1);
  return ir::static_dims(shape);
}

bool close(const ir::Tensor& a, const ir::Tensor& b) {
  if (a.dims() != b.dims()) return false;
  if (a.dtype() == ir::DType::kString) return a.strings() == b.strings();
  const std::vector<double> left = a.doubles();
  const std::vector<double> right = b.doubles();
  for (size_t i = 0; i < left.size(); ++i) {
    const bool same = left[i] == right[i] || (std::isnan(left[i]) && std::isnan(right[i]));
    if (!same && !(std::abs(left[i] - right[i]) <= 1e-4 + 1e-3 * std::abs(right[i]))) return false;
  }
  return true;
}

bool rows_independent(const runtime::Session& session, const std::vector<ir::Tensor>& first,
                      const std::vector<ir::Tensor>& first_result, const std::vector<ir::Tensor>& second) {
  const std::vector<ir::Tensor> second_result = session.run(second);
  std::vector<ir::Tensor> both;
  for (size_t i = 0; i < first.size(); ++i) both.push_back(stack({&first[i], &second[i]}));
  const std::vector<ir::Tensor> result = session.run(both);
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i].rank() == 0 || result[i].dims()[0] != 2) return false;
    if (!close(rows_of(result[i], 0, 1), first_result[i])) return false;
    if (!close(rows_of(result[i], 1, 1), second_result[i])) return false;
  }
  return true;
}

}  // namespace

bool may_batch(const runtime::Session& session) {
  const auto& inputs = session.inputs();
  const auto& outputs = session.outputs();
  return !inputs.empty() && std::all_of(inputs.begin(), inputs.end(), first_dim_free) &&
         std::all_of(outputs.begin(), outputs.end(), first_dim_free) &&
         std::none_of(inputs.begin(), inputs.end(),
                      [](const ValueInfo& info) { return info.dtype == ir::DType::kString; });
}

Probe probe_batching(const runtime::Session& session) {
  std::vector<ir::Tensor> first;
  std::vector<ir::Tensor> second;
  bool fixed = true;
  for (const ValueInfo& info : session.inputs()) {
    const auto dims = row_dims(info);
    if (!dims || info.dtype == ir::DType::kString || ir::is_complex(info.dtype)) return {};
    first.push_back(made_up(info, *dims, 1));
    second.push_back(made_up(info, *dims, 2));
    fixed = fixed && !first_dim_free(info);
  }
  Probe probe;
  try {
    session.run(first);  // the first run allocates; the second one tells the cost
    const auto start = Clock::now();
    const std::vector<ir::Tensor> result = session.run(first);
    probe.cost = Clock::now() - start;
    probe.batches = may_batch(session) && rows_independent(session, first, result, second);
  } catch (const Error&) {
    // Made-up values need not suit a model of free shapes (one row may be too few): it is served without batching.
    if (fixed) throw;
  }
  return probe;
}

bool stackable(std::span<const ir::Tensor> a, std::span<const ir::Tensor> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const ir::Tensor& left, const ir::Tensor& right) {
    return left.rank() == right.rank() && left.rank() > 0 &&
           std::equal(left.dims().begin() + 1, left.dims().end(), right.dims().begin() + 1);
  });
}

ir::Tensor stack(const std::vector<const ir::Tensor*>& parts) {
  ir::Dims dims = parts.front()->dims();
  size_t size = 0;
  dims[0] = 0;
  for (const ir::Tensor* part : parts) {
    dims[0] += part->dims()[0];
    size += part->bytes().size();
  }
  std::vector<std::byte> bytes;
  bytes.reserve(size);
  for (const ir::Tensor* part : parts) {
    const ByteView view = part->bytes().view();
    bytes.insert(bytes.end(), view.begin(), view.end());
  }
  return ir::Tensor(parts.front()->dtype(), std::move(dims), Bytes::from_vector(std::move(bytes)));
}

ir::Tensor rows_of(const ir::Tensor& tensor, int64_t first, int64_t count) {
  ir::Dims dims = tensor.dims();
  const size_t row = dims[0] == 0 ? 0 : tensor.count() / static_cast<size_t>(dims[0]);
  const auto begin = static_cast<size_t>(first);
  const auto rows = static_cast<size_t>(count);
  dims[0] = count;
  if (tensor.dtype() == ir::DType::kString) {
    const auto start = tensor.strings().begin() + static_cast<ptrdiff_t>(begin * row);
    return ir::Tensor::of_strings(std::move(dims), {start, start + static_cast<ptrdiff_t>(rows * row)});
  }
  const size_t row_bytes = ir::dtype_bytes(tensor.dtype(), row);
  return ir::Tensor(tensor.dtype(), std::move(dims), tensor.bytes().slice(begin * row_bytes, rows * row_bytes));
}

}  // namespace onward::serving
