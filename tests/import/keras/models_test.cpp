// Converts tests/fixtures/keras and compares with what Keras computed (tests/fixtures/make_keras.py).
#include <gtest/gtest.h>

#include "base/error.h"
#include "support/recorded.h"

namespace onward {
namespace {

const std::filesystem::path kModels = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests/fixtures/keras";

struct Case {
  const char* file;
  double tolerance;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.file; }

class KerasModel : public testing::TestWithParam<Case> {};

TEST_P(KerasModel, GivesWhatKerasGave) {
  const std::filesystem::path model = kModels / GetParam().file;
  testing_support::expect_recorded(model, std::filesystem::path(model).replace_extension(".npz"), GetParam().tolerance);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, KerasModel,
                         testing::Values(Case{"masked_recurrent.keras", 1e-5}, Case{"operators.h5", 1e-5},
                                         Case{"attention.keras", 1e-5}, Case{"numpy_operators.keras", 1e-5},
                                         Case{"image_operators.keras", 1e-4}, Case{"signal_operators.keras", 1e-4},
                                         Case{"words.keras", 0}, Case{"vision.keras", 1e-4}, Case{"nested.keras", 1e-5},
                                         Case{"quantized.keras", 1e-5}, Case{"applications.keras", 1e-5},
                                         Case{"old_style.h5", 1e-6}));

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
