#include "serving/combine.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "serving/layout.h"

namespace onward::serving {
namespace {

using ir::Dims;
using ir::DType;
using ir::Tensor;

std::vector<std::vector<double>> aligned(std::span<const Tensor> outputs, const Dims& dims) {
  std::vector<std::vector<double>> all;
  const ir::Shape wanted = ir::to_shape(dims);
  for (const Tensor& output : outputs) {
    const auto fitted = output.dtype() == DType::kString ? std::nullopt : fit(output, wanted);
    if (!fitted) {
      fail_invalid(fmt::format("outputs of {} {} and {} {} can't be combined", ir::dtype_name(outputs.front().dtype()),
                               ir::shape_text(wanted), ir::dtype_name(output.dtype()),
                               ir::shape_text(ir::to_shape(output.dims()))),
                   "name models with like outputs under \"models\"");
    }
    all.push_back(fitted->doubles());
  }
  return all;
}

Tensor mean(const Tensor& first, const std::vector<std::vector<double>>& all) {
  std::vector<double> sums(first.count());
  for (const auto& values : all) {
    for (size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
  }
  for (double& sum : sums) sum /= static_cast<double>(all.size());
  return Tensor::from_doubles(ir::is_floating(first.dtype()) ? first.dtype() : DType::kFloat, first.dims(), sums);
}

// Of `width` classes' votes and scores.
int64_t winner(const std::vector<size_t>& votes, const std::vector<double>& scores) {
  size_t best = 0;
  for (size_t i = 1; i < votes.size(); ++i) {
    if (votes[i] > votes[best] || (votes[i] == votes[best] && scores[i] > scores[best])) best = i;
  }
  return static_cast<int64_t>(best);
}

// Dims with the classes last: those of images come first or last, whichever is fewer.
Dims classes_last(Dims dims) {
  if (dims.size() == 4 && dims[1] < dims[3]) std::rotate(dims.begin() + 1, dims.begin() + 2, dims.end());
  return dims;
}

// `all` are of `dims`.
Tensor vote(const Tensor& first, Dims dims, const std::vector<std::vector<double>>& all) {
  const bool binary = dims.empty() || dims.back() == 1;
  const size_t width = binary ? 1 : static_cast<size_t>(dims.back());
  if (binary) dims = first.dims();
  if (!binary) dims.pop_back();
  std::vector<int64_t> classes;
  for (size_t start = 0; width > 0 && start < first.count(); start += width) {
    std::vector<size_t> votes(binary ? 2 : width);
    std::vector<double> scores(votes.size());
    for (const auto& values : all) {
      const double* const row = values.data() + start;
      if (binary) {
        ++votes[row[0] >= 0.5 ? 1 : 0];
        scores[0] += 1 - row[0];
        scores[1] += row[0];
        continue;
      }
      ++votes[static_cast<size_t>(std::max_element(row, row + width) - row)];
      for (size_t i = 0; i < width; ++i) scores[i] += row[i];
    }
    classes.push_back(winner(votes, scores));
  }
  return Tensor::from_ints(DType::kInt64, std::move(dims), classes);
}

}  // namespace

std::optional<Combine> combine_of(std::string_view name) {
  if (name == "mean") return Combine::kMean;
  if (name == "vote") return Combine::kVote;
  return std::nullopt;
}

Tensor combine(std::span<const Tensor> outputs, Combine how) {
  const Tensor& first = outputs.front();
  if (how == Combine::kMean) return mean(first, aligned(outputs, first.dims()));
  const Dims dims = classes_last(first.dims());
  return vote(first, dims, aligned(outputs, dims));
}

}  // namespace onward::serving
