// Converts a model and compares with what its framework recorded in an .npz: "in:<input>" and "out:<output>".
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/mapped_file.h"
#include "convert/convert.h"
#include "formats/npy.h"
#include "runtime/session.h"

namespace onward::testing_support {

inline ir::Tensor tensor_of(const Array& array) {
  if (array.dtype == "string") return ir::Tensor::of_strings(array.shape, array.strings);
  return {*ir::dtype_from_name(array.dtype), array.shape, array.data};
}

inline Bytes converted(const std::filesystem::path& model) {
  const exporter::Serialized serialized = convert::convert_file(model, {});
  std::vector<std::byte> all;
  for (const Bytes& part : serialized.parts) all.insert(all.end(), part.view().begin(), part.view().end());
  return Bytes::from_vector(std::move(all));
}

inline void expect_close(const ir::Tensor& got, const ir::Tensor& expected, const std::string& name, double tolerance) {
  ASSERT_EQ(got.dims(), expected.dims()) << name;
  ASSERT_EQ(got.dtype(), expected.dtype()) << name;
  const std::vector<double> a = got.doubles();
  const std::vector<double> b = expected.doubles();
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << name << " at " << i;
}

inline void expect_recorded(const std::filesystem::path& model, const std::filesystem::path& data, double tolerance) {
  const runtime::Session session = runtime::Session::from_bytes(converted(model), model.filename().string());
  std::vector<runtime::NamedTensor> inputs;
  std::vector<runtime::NamedTensor> expected;
  for (const auto& [key, array] : npy::read_npz(map_file(data), "npz")) {
    (key.rfind("in:", 0) == 0 ? inputs : expected).emplace_back(key.substr(key.find(':') + 1), tensor_of(array));
  }
  const std::vector<runtime::NamedTensor> got = session.run(inputs);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, expected[i].first);
    expect_close(got[i].second, expected[i].second, got[i].first, tolerance);
  }
}

}  // namespace onward::testing_support
