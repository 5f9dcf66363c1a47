// Converts tests/fixtures/keras and compares with what Keras computed (tests/fixtures/make_keras.py).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "base/error.h"
#include "base/mapped_file.h"
#include "convert/convert.h"
#include "formats/npy.h"
#include "runtime/session.h"

namespace onward {
namespace {

const std::filesystem::path kModels = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests/fixtures/keras";

struct Case {
  const char* file;
  double tolerance;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.file; }

ir::Tensor tensor_of(const Array& array) {
  if (array.dtype == "string") return ir::Tensor::of_strings(array.shape, array.strings);
  return {*ir::dtype_from_name(array.dtype), array.shape, array.data};
}

Bytes converted(const std::string& file) {
  const exporter::Serialized serialized = convert::convert_file(kModels / file, {});
  std::vector<std::byte> all;
  for (const Bytes& part : serialized.parts) all.insert(all.end(), part.view().begin(), part.view().end());
  return Bytes::from_vector(std::move(all));
}

void expect_close(const ir::Tensor& got, const ir::Tensor& expected, const std::string& name, double tolerance) {
  ASSERT_EQ(got.dims(), expected.dims()) << name;
  ASSERT_EQ(got.dtype(), expected.dtype()) << name;
  const std::vector<double> a = got.doubles();
  const std::vector<double> b = expected.doubles();
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], tolerance * (1 + std::abs(b[i]))) << name << " at " << i;
}

class KerasModel : public testing::TestWithParam<Case> {};

TEST_P(KerasModel, GivesWhatKerasGave) {
  const std::string file = GetParam().file;
  const runtime::Session session = runtime::Session::from_bytes(converted(file), file);
  const std::filesystem::path data = (kModels / file).replace_extension(".npz");
  std::vector<runtime::NamedTensor> inputs;
  std::vector<runtime::NamedTensor> expected;
  for (const auto& [key, array] : npy::read_npz(map_file(data), "npz")) {
    (key.rfind("in:", 0) == 0 ? inputs : expected).emplace_back(key.substr(key.find(':') + 1), tensor_of(array));
  }
  const std::vector<runtime::NamedTensor> got = session.run(inputs);
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    EXPECT_EQ(got[i].first, expected[i].first);
    expect_close(got[i].second, expected[i].second, got[i].first, GetParam().tolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KerasModel,
                         testing::Values(Case{"masked_recurrent.keras", 1e-5}, Case{"operators.h5", 1e-5},
                                         Case{"attention.keras", 1e-5}, Case{"words.keras", 0},
                                         Case{"vision.keras", 1e-4}, Case{"nested.keras", 1e-5},
                                         Case{"quantized.keras", 1e-5}, Case{"old_style.h5", 1e-6}));

TEST(KerasRefusal, NamesEveryLayerAtOnce) {
  try {
    convert::import_file(kModels / "custom.keras", {});
    FAIL() << "custom layers were converted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    for (const char* part : {"Doubling \"twice\"", "Lambda \"one_more\"", "Python bytecode", "2 things"}) {
      EXPECT_NE(error.message().find(part), std::string::npos) << part << " is not in: " << error.message();
    }
    EXPECT_NE(error.hint().find("SavedModel"), std::string::npos);
  }
}

// A padded LSTM is one LSTM with sequence lengths, not a loop.
TEST(KerasRecurrent, KeepsOneOperatorForAMaskedLayer) {
  const ir::Model model = convert::import_file(kModels / "masked_recurrent.keras", {});
  int bidirectional = 0;
  int scans = 0;
  for (const ir::Node& node : model.graph->nodes()) {
    scans += node.is("Scan") ? 1 : 0;
    if (!node.is("LSTM") || node.attrs.get("direction", "") != "bidirectional") continue;
    ++bidirectional;
    EXPECT_NE(node.input(4), nullptr) << "no sequence lengths";
  }
  EXPECT_EQ(bidirectional, 1);
  EXPECT_EQ(scans, 1) << "only the layer with an activation that ONNX's LSTM lacks is a loop";
}

}  // namespace
}  // namespace onward
