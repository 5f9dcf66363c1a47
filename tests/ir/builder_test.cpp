#include "ir/builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "schema/schema_inference.h"

namespace onward::ir {
namespace {

class BuilderTest : public testing::Test {
 protected:
  Value* input(DType dtype, Shape shape) {
    return graph.add_input("x" + std::to_string(graph.inputs().size()), dtype, std::move(shape));
  }

  Graph graph;
  schema::SchemaInference inference;
  Builder b{graph, inference};
};

TEST_F(BuilderTest, InfersTypeAndShapeAtOnce) {
  Value* x = input(DType::kFloat, {Dim("batch"), 3, 8, 8});
  Value* w = b.constant(Tensor::filled(DType::kFloat, {4, 3, 3, 3}, 0.5));
  Value* y = b.op("Conv", {x, w}, {{"pads", Attr::Ints{1, 1, 1, 1}}});
  EXPECT_EQ(y->dtype, DType::kFloat);
  EXPECT_EQ(shape_text(*y->shape), "[batch,4,8,8]");
  EXPECT_EQ(b.Equal(y, y)->dtype, DType::kBool);
}

TEST_F(BuilderTest, FoldsConstantsAndStaticShapes) {
  Value* x = input(DType::kFloat, {2, 3});
  EXPECT_EQ(b.Shape(x)->constant()->ints(), (std::vector<int64_t>{2, 3}));
  Value* transposed = b.Transpose(b.constant(Tensor::of<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6})), {1, 0});
  EXPECT_EQ(transposed->constant()->ints(), (std::vector<int64_t>{1, 4, 2, 5, 3, 6}));
  EXPECT_TRUE(graph.nodes().empty());
}

// Every order of axes, against the definition: element [i…] of the source is element [i[perm]…] of the result.
TEST_F(BuilderTest, TransposesIntoEveryOrder) {
  for (const Dims& dims : {Dims{3, 3, 5, 19}, Dims{1, 1, 33, 6}, Dims{2, 17, 1, 4}}) {
    std::vector<int64_t> values(static_cast<size_t>(element_count(dims)));
    std::iota(values.begin(), values.end(), 0);
    Value* x = b.constant(Tensor::of<int64_t>(dims, values));
    std::vector<int64_t> perm{0, 1, 2, 3};
    do {
      const std::vector<int64_t> result = b.Transpose(x, perm)->constant()->ints();
      ASSERT_EQ(result.size(), values.size());
      for (size_t at = 0; at < values.size(); ++at) {
        std::vector<int64_t> index(4);
        auto left = static_cast<int64_t>(at);
        for (size_t axis = 4; axis-- > 0; left /= dims[axis]) index[axis] = left % dims[axis];
        int64_t to = 0;
        for (const int64_t axis : perm) to = to * dims[axis] + index[axis];
        ASSERT_EQ(result[static_cast<size_t>(to)], values[at]);
      }
    } while (std::next_permutation(perm.begin(), perm.end()));
  }
}

TEST_F(BuilderTest, FollowsComputedShapesThroughDynamicOnes) {
  Value* x = input(DType::kFloat, {Dim("n"), 3, 4});
  Value* flat = b.Reshape(x, b.join({b.dim(x, 0), b.ints({12})}));
  EXPECT_EQ(shape_text(*flat->shape), "[n,12]");
  Value* rows = b.Gather(b.op("Shape", {x}), b.i64(2), 0);
  ASSERT_TRUE(rows->is_constant());
  EXPECT_EQ(rows->constant()->as_int(), 4);
}

TEST_F(BuilderTest, WhatIsKnownOfAShapeInPartStaysKnown) {
  Value* x = input(DType::kFloat, {Dim("batch"), Dim("time"), 12});
  Value* half = b.Unsqueeze(b.Div(b.dim_scalar(x, 1), b.i64(2)), {0});  // ONNX has no symbol for it
  EXPECT_EQ(shape_text(*b.Reshape(x, b.Concat({half, b.ints({3, 8})}, 0))->shape), "[?,3,8]");
  const auto reshaped = [&](const Values& parts) { return shape_text(*b.Reshape(x, b.Concat(parts, 0))->shape); };
  EXPECT_EQ(reshaped({b.ints({-1}), b.dim(x, 1), b.ints({12})}), "[batch,time,12]");
  EXPECT_EQ(reshaped({b.dim(x, 0), b.dim(x, 1), b.ints({3, -1})}), "[batch,time,3,4]");
  EXPECT_EQ(reshaped({b.dim(x, 0), b.ints({-1})}), "[batch,?]");
  EXPECT_EQ(reshaped({b.dim(x, 0), b.dim(x, 1), b.ints({5, -1})}), "[batch,time,5,?]");
  Value* one = b.Reshape(b.constant(Tensor::filled(DType::kFloat, {1, 1, 4}, 0)), {1, 1, 4});
  EXPECT_EQ(shape_text(*b.op("Tile", {one, b.Concat({b.dim(x, 0), half, b.ints({1})}, 0)})->shape), "[batch,?,4]");
  const Values parts = b.ops("Split", {x, b.Concat({half, half}, 0)}, 2, {{"axis", 1}});
  EXPECT_EQ(shape_text(*parts[1]->shape), "[batch,?,12]");
}

TEST_F(BuilderTest, ContradictionsThrowAndLeaveNoNode) {
  Value* x = input(DType::kFloat, {2, 3});
  Value* y = input(DType::kFloat, {4, 5});
  EXPECT_THROW(b.MatMul(x, y), Error);
  EXPECT_TRUE(graph.nodes().empty());
  EXPECT_TRUE(x->uses().empty());
}

TEST_F(BuilderTest, LoopRelaxesCarriedShapesUntilTheySettle) {
  Value* x = input(DType::kFloat, {1, 3});
  const Values results = b.Loop(
      b.i64(4), nullptr, {x},
      [](Builder& body, Value*, Value*, const Values& carried) -> Builder::LoopResult {
        Value* grown = body.Concat({carried[0], carried[0]}, 0);
        return {nullptr, {grown}, {body.ReduceSum(grown, {}, false)}};
      },
      1);
  EXPECT_EQ(shape_text(*results[0]->shape), "[?,3]");
  EXPECT_EQ(shape_text(*results[1]->shape), "[?]");
}

TEST_F(BuilderTest, IfMergesBranchesAndNamesOuterValuesOnce) {
  Value* x = input(DType::kFloat, {2, 3});
  Value* condition = input(DType::kBool, {});
  const Values results = b.If(
      condition, [&](Builder& t) -> Values { return {t.Neg(x)}; }, [&](Builder&) -> Values { return {x}; });
  EXPECT_EQ(shape_text(*results[0]->shape), "[2,3]");
  EXPECT_EQ(x->uses().size(), 2U);
}

TEST(Graph, KeepsUsesInStepWithRewrites) {
  Graph graph;
  Value* x = graph.add_input("x", DType::kFloat, Shape{2});
  Node* first = graph.add_node("", "Relu", {x}, 1);
  Node* second = graph.add_node("", "Neg", {first->output()}, 1);
  graph.add_output(second->output(), "y");
  Graph::replace_uses(first->output(), x);
  EXPECT_EQ(x->uses().size(), 2U);
  graph.erase(first);
  EXPECT_EQ(x->uses().size(), 1U);
  EXPECT_THROW(graph.erase(second), Error);
  Graph::replace_uses(second->output(), x);
  EXPECT_EQ(graph.outputs().front(), x);
  EXPECT_EQ(graph.output_names().front(), "y");
}

}  // namespace
}  // namespace onward::ir
