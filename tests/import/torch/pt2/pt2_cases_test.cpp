// Every folder of cases/: the archive, or the trace, converted and run in ONNX Runtime, gives what PyTorch gave.
// make_cases.py writes them and is the one place to add a case.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/mapped_file.h"
#include "convert/convert.h"
#include "formats/npy.h"
#include "runtime/session.h"

namespace onward {
namespace {

namespace fs = std::filesystem;

std::vector<std::pair<std::string, ir::Tensor>> read_arrays(const fs::path& path) {
  std::vector<std::pair<std::string, ir::Tensor>> tensors;
  for (const auto& [name, array] : npy::read_npz(map_file(path), path.string())) {
    tensors.emplace_back(name, ir::Tensor(*ir::dtype_from_name(array.dtype), array.shape, array.data));
  }
  return tensors;
}

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::path(ONWARD_TEST_DATA) / "pt2/cases")) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class Pt2Case : public testing::TestWithParam<std::string> {};

TEST_P(Pt2Case, ComputesWhatPyTorchDoes) {
  const fs::path folder = fs::path(ONWARD_TEST_DATA) / "pt2/cases" / GetParam();
  const bool traced = fs::exists(folder / "model.pt");
  const exporter::Serialized file = convert::convert_file(folder / (traced ? "model.pt" : "model.pt2"), {});
  std::string bytes;
  for (const Bytes& part : file.parts) bytes.append(part.text());
  const runtime::Session session = runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), GetParam());
  for (int set = 0; fs::exists(folder / ("inputs_" + std::to_string(set) + ".npz")); ++set) {
    std::vector<ir::Tensor> feeds;
    for (auto& [name, tensor] : read_arrays(folder / ("inputs_" + std::to_string(set) + ".npz"))) {
      feeds.push_back(std::move(tensor));
    }
    const auto expected = read_arrays(folder / ("outputs_" + std::to_string(set) + ".npz"));
    const std::vector<ir::Tensor> got = session.run(feeds);
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      EXPECT_EQ(got[i].dims(), expected[i].second.dims()) << "output " << i << " of set " << set;
      const std::vector<double> a = got[i].doubles();
      const std::vector<double> b = expected[i].second.doubles();
      ASSERT_EQ(a.size(), b.size());
      for (size_t k = 0; k < a.size(); ++k) {
        ASSERT_LE(std::abs(a[k] - b[k]), 1e-5 + 1e-4 * std::abs(b[k])) << "element " << k << " of output " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, Pt2Case, testing::ValuesIn(case_names()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace onward
