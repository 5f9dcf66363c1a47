#include <gtest/gtest.h>

#include "ir/text.h"
#include "ir/verify.h"
#include "passes/passes.h"
#include "passes/pipeline.h"
#include "schema/schema_inference.h"
#include "schema/schema_rules.h"

namespace onward::passes {
namespace {

std::string turned(const char* text) {
  const schema::SchemaInference inference;
  const schema::SchemaRules rules;
  const ir::Model model = ir::parse_text(text, inference);
  images_to_channels_first(*model.graph, inference);
  EXPECT_EQ(ir::problems(*model.graph, &rules), std::vector<std::string>{});
  optimize(*model.graph, inference);
  return ir::to_text(*model.graph, {.canonical_names = true});
}

TEST(LayoutNchw, ImagesOfAConvolutionalModelAreTurned) {
  EXPECT_EQ(turned(R"(
    g (float[n,8,6,3] image, float[n,4] other) => (float[n,8,6,2] mask, float[n,4] same) <float[2,3,1,1] w = {1,2,3,4,5,6}> {
      s = Tanh (image)
      a = Transpose <perm = [0, 3, 1, 2]> (s)
      c = Conv (a, w)
      t = Transpose <perm = [0, 2, 3, 1]> (c)
      mask = Sigmoid (t)
      same = Relu (other)
    })"),
            R"(graph (float[n,3,8,6] image, float[n,4] other) => (float[n,2,8,6] mask, float[n,4] same)
  <float[2,3,1,1] c0 = {1.0, 2.0, 3.0, 4.0, 5.0, 6.0}>
 {
  v0 = Tanh (image)
  v1 = Conv (v0, c0)
  same = Relu (other)
  mask = Sigmoid (v1)
})");
}

TEST(LayoutNchw, AModelThatIsChannelsFirstStays) {
  const std::string text = turned(R"(
    g (float[n,3,8,6] image) => (float[n,2,8,6] mask) <float[2,3,1,1] w = {1,2,3,4,5,6}> {
      c = Conv (image, w)
      mask = Sigmoid (c)
    })");
  EXPECT_EQ(text.find("Transpose"), std::string::npos) << text;
  EXPECT_NE(text.find("float[n,3,8,6] image"), std::string::npos) << text;
}

}  // namespace
}  // namespace onward::passes
