#include "import/torch/pt2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "ir/text.h"
#include "schema/schema_inference.h"
#include "support/pt2_files.h"

namespace onward::importer {
namespace {

using namespace testing_pt2;  // NOLINT: the files under test
using testing::AllOf;
using testing::HasSubstr;

ir::Model read(const Bytes& file, const Options& options = {}) {
  const schema::SchemaInference inference;
  return read_pt2(file, "m.pt2", options, inference);
}

// The message, and behind it the hint.
std::string refusal(const Bytes& file, const Options& options = {}) {
  try {
    (void)read(file, options);
    return "accepted";
  } catch (const Error& error) {
    return error.message() + "\n" + error.hint();
  }
}

TEST(Pt2, TranslatesNodesAndNamesWhatTheFileNames) {
  const ir::Model model = read(pt2());
  EXPECT_EQ(ir::to_text(*model.graph),
            "graph (float[s0,2] x) => (float[s0,2] relu)\n"
            "  <float[2] \"layer.w\" = {1.0, 2.0}>\n"
            " {\n"
            "  mul = Mul (x, \"layer.w\")\n"
            "  relu = Relu (mul)\n"
            "}");
  EXPECT_EQ(model.producer, "torch 2.13.0");
  EXPECT_EQ(model.metadata.at("onward.ranges"), R"({"s0":[1,64]})");
}

std::string guarded(const std::string& json, const std::string& guard) {
  return replaced(json, R"("opset_version")", R"("guards_code": [")" + guard + R"("], "opset_version")");
}

TEST(Pt2, ASizeThatNothingDependsOnIsOpenAgain) {
  // The dimension that the weight meets: broadcasting decides, and no number says 2.
  const ir::Model model = read(pt2(guarded(program(), "L['x'].size()[1] == 2")));
  EXPECT_EQ(ir::shape_text(*model.graph->inputs()[0]->shape), "[s0,x_dim_1]");
  EXPECT_EQ(model.metadata.at("onward.opened_sizes"), R"({"x":{"1":2}})");
  EXPECT_FALSE(model.metadata.contains("onward.fixed_sizes"));
}

TEST(Pt2, ASizeThatANumberMayComeFromStaysFixed) {
  const std::string half =
      node("torch.ops.aten.div.Tensor",
           argument("self", tensor("mul")) + "," + argument("other", R"({"as_float": 0.5})"), tensor("relu"));
  const std::string nodes = replaced(
      default_nodes(), node("torch.ops.aten.relu.default", argument("self", tensor("mul")), tensor("relu")), half);
  const ir::Model model = read(pt2(guarded(program(nodes), "L['x'].size()[1] == 2")));
  EXPECT_EQ(ir::shape_text(*model.graph->inputs()[0]->shape), "[s0,2]");
  EXPECT_EQ(model.metadata.at("onward.fixed_sizes"), R"({"x":{"1":2}})");
}

TEST(Pt2, OtherGuardsSayNothingOfFixedSizes) {
  for (const char* guard :
       {"L['x'].size()[1] >= 2", "L['x'].size()[0] == 2", "L['y'].size()[1] == 2", "L['x'].size()[7] == 2",
        "L['x'].size()[1] == 3", "L['x'", "L['x'].size()[1] == 2 or True"}) {
    const ir::Model model = read(pt2(guarded(program(), guard)));
    EXPECT_FALSE(model.metadata.contains("onward.opened_sizes")) << guard;
    EXPECT_FALSE(model.metadata.contains("onward.fixed_sizes")) << guard;
  }
}

TEST(Pt2, NodesKnowTheirModuleAndTheUsersLine) {
  const ir::Model model = read(pt2());
  const ir::Origin& origin = *model.graph->nodes().front().origin;
  EXPECT_EQ(origin.op, "aten.mul.Tensor");
  EXPECT_EQ(origin.path, "layer");
  EXPECT_EQ(origin.source, "net.py:7 in forward: self.layer(x)");
}

TEST(Pt2, TheExtraFileNamesInputsAndOutputs) {
  const auto named = [](const std::string& text) { return pt2(program(), kWeight, {{"m/extra/onward.json", text}}); };
  const ir::Model model = read(named(R"({"inputs": ["input image"], "outputs": ["predicted mask"]})"));
  EXPECT_EQ(model.graph->inputs()[0]->name, "input image");
  EXPECT_EQ(model.graph->output_names()[0], "predicted mask");
  EXPECT_THAT(refusal(named(R"({"inputs": ["a", "b"]})")), HasSubstr("names 2 inputs, the program has 1"));
  EXPECT_THAT(refusal(named("[]")), HasSubstr("onward.json"));
}

TEST(Pt2, TakesSizesFromTheUser) {
  Options options;
  options.input_dims["x"] = {5, 2};
  EXPECT_EQ(ir::shape_text(*read(pt2(), options).graph->outputs()[0]->shape), "[5,2]");
  options.input_dims["x"] = {ir::Dim("batch"), 2};
  EXPECT_EQ(ir::shape_text(*read(pt2(), options).graph->outputs()[0]->shape), "[batch,2]");
  options.input_dims["x"] = {5, 3};
  EXPECT_THAT(refusal(pt2(), options), HasSubstr("dimension 1 of the input \"x\" is fixed at 2"));
  options.input_dims["x"] = {5};
  EXPECT_THAT(refusal(pt2(), options), HasSubstr("has 2 dimensions, not 1"));
  options.input_dims = {{"z", {5}}};
  EXPECT_THAT(refusal(pt2(), options), AllOf(HasSubstr("no input \"z\""), HasSubstr("its inputs are x")));
}

TEST(Pt2, SolvesDerivedSizes) {
  const std::string json = replaced(program(), kSymbol, "Mul(Integer(8), Symbol('s1', integer=True))");
  EXPECT_EQ(ir::shape_text(*read(pt2(json)).graph->inputs()[0]->shape), "[8*s1,2]");
  Options options;
  options.input_dims["x"] = {24, 2};
  EXPECT_EQ(ir::shape_text(*read(pt2(json), options).graph->inputs()[0]->shape), "[24,2]");
  options.input_dims["x"] = {25, 2};
  EXPECT_THAT(refusal(pt2(json), options), HasSubstr("is 8*s1 in the file, not 25"));
}

TEST(Pt2, AVmapOfMoreThanElementsIsAScan) {
  const std::string level = argument("", R"({"as_int": 1})");
  const std::string nodes =
      node("torch._functorch.predispatch._vmap_increment_nesting", argument("", R"({"as_int": 3})"), "") + "," +
      node("torch._functorch.predispatch._add_batch_dim",
           argument("", tensor("x")) + "," + argument("", R"({"as_int": 0})") + "," + level, tensor("row")) +
      "," + node("torch.ops.aten.sum.default", argument("self", tensor("row")), tensor("total")) + "," +
      node("torch._functorch.predispatch._remove_batch_dim",
           argument("", tensor("total")) + "," + level + "," + argument("", R"({"as_int": 3})") + "," +
               argument("", R"({"as_int": 0})"),
           tensor("relu")) +
      "," + node("torch._functorch.predispatch._vmap_decrement_nesting", "", "");
  const ir::Model model = read(pt2(program(nodes)));
  EXPECT_THAT(ir::to_text(*model.graph), AllOf(HasSubstr("Scan"), HasSubstr("ReduceSum")));
  EXPECT_EQ(ir::shape_text(*model.graph->outputs()[0]->shape), "[s0]");
}

TEST(Pt2, ReportsEverythingThatCannotBeTranslated) {
  const std::string nodes = node("torch.ops.mine.swirl.default", argument("x", tensor("x")), tensor("mul")) + "," +
                            node("torch.ops.mine.blend.default", argument("x", tensor("mul")), tensor("y")) + "," +
                            node("torch.ops.aten.relu.default", argument("self", tensor("y")), tensor("relu"));
  EXPECT_THAT(refusal(pt2(program(nodes))),
              AllOf(HasSubstr("2 things"), HasSubstr("mine::swirl"), HasSubstr("mine::blend"), HasSubstr("\"layer\""),
                    HasSubstr("net.py:7"), testing::Not(HasSubstr("relu")), HasSubstr("PyTorch's own operators")));
}

TEST(Pt2, RefusesProgramsThatDontHoldTogether) {
  const auto with = [](const std::string& from, const std::string& to) {
    return refusal(pt2(replaced(program(), from, to)));
  };
  EXPECT_THAT(with(R"("parameter_name": "layer.w")", R"("parameter_name": "layer.v")"), HasSubstr("\"layer.v\""));
  EXPECT_THAT(refusal(pt2(program(node("torch.ops.aten.relu.default", argument("self", tensor("q")), tensor("relu"))))),
              HasSubstr("\"q\""));
  const std::string gather =
      argument("self", tensor("x")) + "," + argument("dim", R"({"as_int": 0})") + "," + argument("index", tensor("x"));
  EXPECT_THAT(refusal(pt2(program(node("torch.ops.aten.gather.default", gather, tensor("relu"))))),
              HasSubstr("indices are no integers"));
  EXPECT_THAT(with(kSymbol, "Symbol('s0'"), HasSubstr("symbolic size"));
}

}  // namespace
}  // namespace onward::importer
