#include "serving/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/error.h"

namespace onward::serving {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

ModelConfig read(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "model_config_test.yaml";
  std::ofstream(path) << text;
  return read_model_config(path);
}

std::string message_of(const std::string& text) {
  try {
    read(text);
  } catch (const Error& error) {
    return error.message();
  }
  return {};
}

TEST(ModelConfig, ReadsEveryKey) {
  const ModelConfig config = read(
      "max_batch: 8\nmax_delay_us: 500\nmax_queue: 10\npriority: 2\nbatch_any_shape: true\nversions: [3, 5]\n"
      "labels: {stable: 3}\ncustom_ops: [ops.so, /lib/more.so]\nclasses:\n  scores: [cat, dog]\n");
  EXPECT_EQ(config.max_batch, 8U);
  EXPECT_EQ(config.max_delay_us, 500);
  EXPECT_EQ(config.max_queue, 10U);
  EXPECT_EQ(config.priority, 2);
  EXPECT_TRUE(config.batch_any_shape);
  EXPECT_THAT(config.versions, ElementsAre(3, 5));
  EXPECT_THAT(config.labels, ElementsAre(Pair("stable", 3)));
  EXPECT_THAT(config.custom_ops, ElementsAre(std::filesystem::path(testing::TempDir()) / "ops.so", "/lib/more.so"));
  EXPECT_THAT(read("custom_ops: ops.so").custom_ops, ElementsAre(config.custom_ops.front()));
  EXPECT_THAT(config.classes, ElementsAre(Pair("scores", ElementsAre("cat", "dog"))));
  EXPECT_EQ(show_model_config(read(show_model_config(config))), show_model_config(config));
}

TEST(ModelConfig, ShowsEveryDefaultAndReadsItBack) {
  const std::string shown = show_model_config({});
  EXPECT_EQ(show_model_config(read(shown)), shown);
  EXPECT_EQ(show_model_config(read("")), shown);
}

TEST(ModelConfig, NamesTheLineThatIsWrong) {
  EXPECT_THAT(message_of("max_batch: 8\nmax_batsh: 9"), HasSubstr(".yaml:2: unknown key \"max_batsh\""));
  EXPECT_THAT(message_of("max_batch: 0"), HasSubstr(":1: max_batch must be a whole number from 1 to"));
  EXPECT_THAT(message_of("\nbatch_any_shape: maybe"), HasSubstr(":2: batch_any_shape must be true or false"));
  EXPECT_THAT(message_of("versions: newest"), HasSubstr("versions must be all, {latest: N} or a list"));
  EXPECT_THAT(message_of("custom_ops: {a: b}"), HasSubstr("custom_ops must be a library's path, or a list of them"));
  EXPECT_THAT(message_of("labels: [1]"), HasSubstr("labels must be a map"));
  EXPECT_THAT(message_of("priority: 1\nmax_batch: 8\npriority: 2"), HasSubstr(":3: \"priority\" is given twice"));
  EXPECT_THAT(message_of("labels: {a: 1, a: 2}"), HasSubstr("\"a\" is given twice"));
  EXPECT_THAT(message_of("classes:\n  y: [a]\n  y: [b]"), HasSubstr(":3: \"y\" is given twice"));
  EXPECT_THAT(message_of("- a"), HasSubstr("expected KEY: VALUE lines"));
  EXPECT_THAT(message_of("max_batch: [1"), HasSubstr(":1:"));
}

TEST(ModelConfig, EveryKeyIsDocumented) {
  std::ifstream file(std::filesystem::path(ONWARD_SOURCE_DIR) / "docs" / "serving.md");
  std::stringstream document;
  document << file.rdbuf();
  std::istringstream shown(show_model_config({}));
  for (std::string line; std::getline(shown, line);) {
    EXPECT_THAT(document.str(), HasSubstr("| `" + line.substr(0, line.find(':')) + "` |"));
  }
}

}  // namespace
}  // namespace onward::serving
