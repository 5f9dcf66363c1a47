#include "tasks/random_feeds.h"

#include <random>

#include "base/error.h"

namespace onward::tasks {
namespace {

// What a dimension that varies is taken for, but for the first (the batch), which is 1.
constexpr int64_t kTypicalDim = 32;

ir::Tensor random_tensor(const runtime::ValueInfo& info, std::mt19937& random) {
  ir::Dims dims;
  for (const ir::Dim& dim : info.shape) {
    dims.push_back(dim.is_known() ? dim.value() : dims.empty() ? 1 : kTypicalDim);
  }
  const auto count = static_cast<size_t>(ir::element_count(dims));
  if (info.dtype == ir::DType::kString) {
    fail_unsupported("input \"" + info.name + "\" takes strings, and random ones say little",
                     "give them with --inputs I.npz");
  }
  if (!ir::is_floating(info.dtype)) {
    std::vector<int64_t> values(count);
    for (int64_t& value : values) value = static_cast<int64_t>(random() % 2);
    return ir::Tensor::from_ints(info.dtype, dims, values);
  }
  std::vector<double> values(count);
  for (double& value : values) value = static_cast<double>(random() % 65536) / 65536;
  return ir::Tensor::from_doubles(info.dtype, dims, values);
}

}  // namespace

std::vector<ir::Tensor> random_feeds(const std::vector<runtime::ValueInfo>& inputs, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<ir::Tensor> tensors;
  for (const runtime::ValueInfo& info : inputs) tensors.push_back(random_tensor(info, random));
  return tensors;
}

}  // namespace onward::tasks
