#include "import/tensorflow/object_paths.h"

#include <gtest/gtest.h>

namespace onward::importer::tf {
namespace {

TEST(ObjectPaths, TakesTheShortestPath) {
  std::vector<tensorflow::TrackedObject> objects(5);
  objects[0].children = {{1, "deep"}, {2, "a/b"}};
  objects[1].children = {{3, "v"}, {2, "again"}};
  objects[2].children = {{0, "root"}, {3, "kernel.x"}, {9, "nowhere"}};
  const std::vector<std::string> keys = checkpoint_keys(objects);
  EXPECT_EQ(keys[3], "deep/v/.ATTRIBUTES/VARIABLE_VALUE");
  EXPECT_EQ(keys[2], "a.Sb/.ATTRIBUTES/VARIABLE_VALUE");
  EXPECT_EQ(keys[4], "");
  EXPECT_TRUE(checkpoint_keys({}).empty());
}

}  // namespace
}  // namespace onward::importer::tf
