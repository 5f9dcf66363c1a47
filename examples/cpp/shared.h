// What the examples share: how they end, and made-up inputs.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <onward/onward.hpp>
#include <string>
#include <utility>
#include <vector>

// The value of a result; or the program ends with its error.
template <class T>
T sure(onward::Result<T> result) {
  if (result.ok()) return *std::move(result);
  std::fprintf(stderr, "error: %s\n", result.status().text().c_str());
  std::exit(1);
}

inline void sure(const onward::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "error: %s\n", status.text().c_str());
  std::exit(1);
}

// 0, 1/n, 2/n, … with 1 for every dimension that varies.
inline onward::Tensor counting(const onward::ValueInfo& input) {
  onward::Dims dims;
  size_t count = 1;
  for (const onward::Dim& dim : input.shape) {
    dims.push_back(dim.size < 0 ? 1 : dim.size);
    count *= static_cast<size_t>(dims.back());
  }
  std::vector<float> values(count);
  for (size_t i = 0; i < count; ++i) values[i] = static_cast<float>(i) / static_cast<float>(count);
  return sure(onward::Tensor::from(dims, std::move(values)));
}

// The model's first output for such inputs.
inline onward::Tensor first_answer(const onward::Model& model) {
  std::vector<onward::Tensor> inputs;
  for (const onward::ValueInfo& input : model.inputs()) inputs.push_back(counting(input));
  return sure(model.predict(inputs)).front();
}

// The first few values.
inline void print(const onward::Tensor& tensor) {
  for (const float value : tensor.values<float>().first(std::min<size_t>(tensor.count(), 4))) {
    std::printf(" %g", static_cast<double>(value));
  }
  std::printf("\n");
}
