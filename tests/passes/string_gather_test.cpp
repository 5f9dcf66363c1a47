// Rows of strings: ONNX Runtime's Gather copies the first string of each only, so that what it gives is no measure.
#include <gtest/gtest.h>

#include "harness.h"
#include "ir/text.h"
#include "passes/passes.h"
#include "schema/schema_inference.h"

namespace onward::passes {
namespace {

using Strings = std::vector<std::string>;

Strings gathered(const std::string& text, const ir::Dims& dims, const Strings& strings, const ir::Tensor& indices) {
  const schema::SchemaInference inference;
  ir::Model model = ir::parse_text(text, inference);
  EXPECT_TRUE(gather_strings(*model.graph, inference));
  return testing::run(model, {ir::Tensor::of_strings(dims, strings), indices}).at(0).strings();
}

TEST(StringGather, TakesWholeRows) {
  const char* rows = "g (string[n,3] x, int64[2] i) => (string[2,3] y) { y = Gather (x, i) }";
  EXPECT_EQ(
      gathered(rows, {2, 3}, {"a", "b", "c", "d", "e", "f"}, ir::Tensor::from_ints(ir::DType::kInt64, {2}, {-1, 0})),
      (Strings{"d", "e", "f", "a", "b", "c"}));
}

TEST(StringGather, TakesFromTheMiddle) {
  const char* middle = "g (string[2,n,2] x, int64[1,2] i) => (string[2,1,2,2] y) { y = Gather <axis = 1> (x, i) }";
  const ir::Tensor indices = ir::Tensor::from_ints(ir::DType::kInt64, {1, 2}, {1, 1});
  EXPECT_EQ(gathered(middle, {2, 2, 2}, {"a", "b", "c", "d", "e", "f", "g", "h"}, indices),
            (Strings{"c", "d", "c", "d", "g", "h", "g", "h"}));
}

TEST(StringGather, LeavesSingleStringsAndNumbers) {
  const schema::SchemaInference inference;
  const char* text =
      "g (string[n,3] x, float[n,3] v, int64[2] i) => (string[n,2] y, float[2,3] z)"
      " { y = Gather <axis = 1> (x, i)  z = Gather (v, i) }";
  const ir::Model model = ir::parse_text(text, inference);
  EXPECT_FALSE(gather_strings(*model.graph, inference));
}

}  // namespace
}  // namespace onward::passes
