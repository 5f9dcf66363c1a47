// Runs every case of tests/passes/*.txt:
//
//   === what the case shows
//   passes: identity_removal dead_code
//   opset: 13        (optional: then lowered to that opset)
//   --- before
//   <graph in ONNX text>
//   --- after
//   <graph in ONNX text, or "same">
//
// "after" is compared up to the names inside; then both graphs run in ONNX Runtime and must agree.
#include "ir/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "harness.h"
#include "ir/verify.h"
#include "passes/opset/lower.h"
#include "passes/pipeline.h"
#include "schema/schema_inference.h"
#include "schema/schema_rules.h"

namespace onward::passes {
namespace {

struct Case {
  std::string file;
  std::string name;
  std::string passes;
  int opset = 0;
  std::string before;
  std::string after;
};

void PrintTo(const Case& entry, std::ostream* out) { *out << entry.file << ": " << entry.name; }

std::vector<Case> read_cases(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::vector<Case> cases;
  std::string* part = nullptr;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("=== ")) {
      cases.emplace_back();
      cases.back().file = path.stem().string();
      cases.back().name = line.substr(4);
      part = nullptr;
    } else if (line.starts_with("passes: ")) {
      cases.back().passes = line.substr(8);
    } else if (line.starts_with("opset: ")) {
      cases.back().opset = std::stoi(line.substr(7));
    } else if (line == "--- before") {
      part = &cases.back().before;
    } else if (line == "--- after") {
      part = &cases.back().after;
    } else if (part != nullptr) {
      *part += line + "\n";
    }
  }
  return cases;
}

std::vector<Case> all_cases() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(ONWARD_TEST_DATA)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::vector<Case> cases;
  for (const auto& file : files) {
    for (Case& entry : read_cases(file)) cases.push_back(std::move(entry));
  }
  return cases;
}

class PassText : public ::testing::TestWithParam<Case> {};

TEST_P(PassText, TurnsBeforeIntoAfter) {
  const Case& entry = GetParam();
  const schema::SchemaInference inference;
  const schema::SchemaRules rules;
  const ir::TextOptions canonical{.max_elements = 100000, .canonical_names = true};
  ir::Model before = ir::parse_text(entry.before, inference);
  ASSERT_EQ(ir::problems(*before.graph, &rules), std::vector<std::string>{});
  ir::Model after = ir::parse_text(entry.before, inference);
  std::istringstream names(entry.passes);
  for (std::string name; names >> name;) {
    const Pass* pass = find_pass(name);
    ASSERT_NE(pass, nullptr) << name;
    pass->run(*after.graph, inference);
    ASSERT_EQ(ir::problems(*after.graph, &rules), std::vector<std::string>{}) << "after " << name;
  }
  const int opset = entry.opset != 0 ? entry.opset : schema::kCanonicalOpset;
  if (entry.opset != 0) lower_opset(*after.graph, inference, opset);
  const bool same = entry.after.starts_with("same");
  const schema::SchemaInference target(opset);
  const ir::Model expected = ir::parse_text(same ? entry.before : entry.after, target);
  EXPECT_EQ(ir::to_text(*after.graph, canonical), ir::to_text(*expected.graph, canonical));
  // Both must be what ONNX Runtime takes.
  lower_opset(*before.graph, inference, schema::kCanonicalOpset);
  if (entry.opset == 0) lower_opset(*after.graph, inference, opset);
  const schema::SchemaRules strict(opset, false);
  EXPECT_EQ(ir::problems(*after.graph, &strict), std::vector<std::string>{});
  const std::vector<ir::Tensor> inputs = testing::random_inputs(*before.graph, 1);
  EXPECT_EQ(testing::difference(testing::run(after, inputs, opset), testing::run(before, inputs)), "");
}

INSTANTIATE_TEST_SUITE_P(Files, PassText, ::testing::ValuesIn(all_cases()), [](const auto& info) {
  std::string name = info.param.file + "_" + info.param.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

}  // namespace
}  // namespace onward::passes
