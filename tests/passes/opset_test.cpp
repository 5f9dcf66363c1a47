// Every operator that a target opset lacks computes the same there in other words.
#include <gtest/gtest.h>

#include "base/error.h"
#include "harness.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/opset/lower.h"
#include "schema/schema_inference.h"
#include "schema/schema_rules.h"

namespace onward::passes {
namespace {

constexpr const char* kGraphs[] = {
    "g (float[2,3] x) => (y) { y = Gelu (x) }",
    "g (float[2,3] x) => (y) { y = Gelu <approximate = \"tanh\"> (x) }",
    "g (float[2,3] x) => (y) { y = HardSwish (x) }",
    "g (float[2,3] x) => (y) { y = Mish (x) }",
    "g (float[2,3,4] x) => (y) <float[3,4] s = {1,2,3,4,5,6,7,8,9,10,11,12}> { y = LayerNormalization <axis = 1> (x, "
    "s) }",
    "g (float[2,6,3,3] x) => (y) <float[6] s = {1,2,3,4,5,6}, float[6] b = {6,5,4,3,2,1}> {"
    "  y = GroupNormalization <num_groups = 2> (x, s, b) }",
    "g (float[2,3] x, int32[2] t) => (y) { y = CastLike (x, t) }",
    "g (int64[2,3] x) => (y) { y = BitwiseNot (x) }",
    "g (int32[2,3] x, int32[3] z) => (y, v, w) {"
    "  n = BitwiseNot (x) y = BitwiseAnd (n, z) v = BitwiseOr (n, z) w = BitwiseXor (z, n) }",
    "g (int64[2,9] x, int64[9] z) => (y, v, w) <int64[9] a = {-3, 9223372036854775807, 0, -1, 77, 5, -9, 1, 2},"
    "  int64[9] k = {1, 1, 1, 1, 4611686018427387904, -3, 12, -2305843009213693952, 3}> {"
    "  b = Mul (x, k) c = Sub (b, a) y = BitwiseAnd (c, z) v = BitwiseOr (c, a) w = BitwiseXor (k, c) }",
    "g (uint8[2,1] x, uint8[3] z) => (y) { y = BitwiseXor (x, z) }",
    "g (float[2,4,3] x) => (y) { y = Trilu (x) }",
    "g (float[a,b] x) => (y) <int64 k = {1}> { y = Trilu <upper = 0> (x, k) }",
    "g (float[3,4] x) => (y) <int64[3,1] i = {0, 2, 0}, float[3,4] u = {1,2,3,4,5,6,7,8,9,10,11,12}> {"
    "  y = ScatterND <reduction = \"add\"> (x, i, u) }",
    "g (float[3,4] x) => (y) <int64[2,2] i = {0, 1, 0, 1}, float[2] u = {3, -7}> {"
    "  a = ScatterND <reduction = \"max\"> (x, i, u) y = ScatterND <reduction = \"min\"> (a, i, u) }",
    "g (float[3,4] x) => (y) <int64[2,2] i = {0, 1, 0, 1}, float[2,2] u = {3, -7, 2, 5}> {"
    "  a = ScatterElements <axis = 1, reduction = \"mul\"> (x, i, u) y = ScatterElements <reduction = \"add\"> (a, i, "
    "u) }",
    "g (float[n,7] x) => (a, b, c) { a, b, c = Split <axis = 1, num_outputs = 3> (x) }",
    "g (float[3,n] x) => (a, b) { a, b = Split <axis = 1, num_outputs = 2> (x) }",
    "g (float[3,4] x) => (y) <int64[2] p = {1, 2}, int64[1] a = {-1}> { y = Pad <mode = \"reflect\"> (x, p, , a) }",
    "g (float[3,n] x) => (a, b, c) { a = Shape <start = 1> (x) b = Shape <start = -2, end = -1> (x) c = Shape (x) }",
    "g (float[3,4] x) => (a, b, c, d) <int64[1] i = {1}> { a = ReduceMean (x, i) b = ReduceL2 <keepdims = 0> (x)"
    "  c = ReduceMax <noop_with_empty_axes = 1> (x) d = ReduceSum (x, i) }",
    "g (float[1,2,4,6] x) => (y) <int64[2] s = {2, 3}> {"
    "  y = Resize <axes = [2, 3], mode = \"linear\", antialias = 1> (x, , , s) }",
    "g (float[1,2,8,9] x) => (y) <int64[2] s = {3, 4}> {"
    "  y = Resize <axes = [2, 3], mode = \"cubic\", antialias = 1, keep_aspect_ratio_policy = \"stretch\"> (x, , , s) "
    "}",
    "g (float[1,2,8,9] x) => (y) <int64[2] s = {3, 4}> {"
    "  y = Resize <axes = [2, 3], mode = \"cubic\", antialias = 1, exclude_outside = 1> (x, , , s) }",
    "g (float[n,2,4,6] x) => (y) <float[2] s = {2, 0.5}> { y = Resize <axes = [2, 3], mode = \"linear\"> (x, , s) }",
    "g (float[2,5,1] x) => (y) { y = DFT <axis = 1> (x) }",
    "g (float[2,5,1] x) => (y) { y = DFT <axis = 1, onesided = 1> (x) }",
    "g (float[2,4,3,2] x) => (y) { y = DFT <axis = 1, inverse = 1> (x) }",
    "g (float[2,4,3,2] x) => (y) <int64 n = {5}> { y = DFT <axis = 2> (x, n) }",
    "g (float[2,11,1] x) => (y) <int64 s = {3}, float[4] w = {1, 2, 2, 1}, int64 n = {4}> { y = STFT (x, s, w, n) }",
    "g (float[1,12,6] x) => (y) <int64[2] i = {5, 4}, int64[2] k = {2, 2}> {"
    "  y = Col2Im <strides = [2, 1]> (x, i, k) }",
    "g (float[1,1,3,3] x, float[1,2,2,2] q) => (y) { y = GridSample <align_corners = 1> (x, q) }",
    "g (float[2,3] x) => (y) <int64[2] s = {3, 2}> { y = Reshape <allowzero = 1> (x, s) }",
};

class Lowering : public ::testing::TestWithParam<int> {};

TEST_P(Lowering, KeepsWhatIsComputed) {
  const schema::SchemaInference inference;
  const schema::SchemaRules strict(GetParam(), false);
  for (const char* text : kGraphs) {
    if (GetParam() < 16 && std::string(text).find("GridSample") != std::string::npos) continue;
    ir::Model reference = ir::parse_text(text, inference);
    lower_opset(*reference.graph, inference, 18);
    ir::Model lowered = ir::parse_text(text, inference);
    lower_opset(*lowered.graph, inference, GetParam());
    EXPECT_EQ(ir::problems(*lowered.graph, &strict), std::vector<std::string>{}) << text;
    const std::vector<ir::Tensor> inputs = testing::random_inputs(*reference.graph, 3);
    try {
      EXPECT_EQ(testing::difference(testing::run(lowered, inputs, GetParam()), testing::run(reference, inputs)), "")
          << text << "\n"
          << ir::to_text(*lowered.graph);
    } catch (const Error& error) {
      ADD_FAILURE() << error.message() << "\n" << text << "\n" << ir::to_text(*lowered.graph);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Opsets, Lowering, ::testing::Values(13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23));

TEST(LowerOpset, GoesToTheOldestOpsetThatHasAWay) {
  const schema::SchemaInference inference;
  const ir::Model text = ir::parse_text(
      "g (string[2] x, string[2] z, float[2] q) => (y, w) { y = StringConcat (x, z) w = Gelu (q) }", inference);
  EXPECT_EQ(lower_to_least_opset(*text.graph, inference, 18), 20);
  const ir::Model numbers = ir::parse_text("g (float[2] x) => (y) { y = Gelu (x) }", inference);
  EXPECT_EQ(lower_to_least_opset(*numbers.graph, inference, 18), 18);
  for (const auto& [to, opset] : {std::pair(17, 19), {20, 19}, {22, 21}, {10, 18}}) {
    const ir::Model small = ir::parse_text(
        "g (float[2] x) => (y) { h = Cast <to = " + std::to_string(to) + "> (x) y = Cast <to = 1> (h) }", inference);
    EXPECT_EQ(lower_to_least_opset(*small.graph, inference, 18), opset) << to;
  }
}

TEST(LowerOpset, ListsAllThatCannotBeExpressed) {
  const schema::SchemaInference inference;
  const ir::Model model = ir::parse_text(
      "g (float[1,1,3,3] x, float[1,2,2,2] q, int64[1] k, float[k] z) => (y, w) {"
      " [grid] y = GridSample (x, q) [max] w = ReduceMax (z, k) }",
      inference);
  try {
    lower_opset(*model.graph, inference, 13);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_NE(error.message().find("\"grid\" (GridSample): GridSample came with opset 16"), std::string::npos)
        << error.message();
    EXPECT_NE(error.message().find("\"max\" (ReduceMax): its axes are computed"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace onward::passes
