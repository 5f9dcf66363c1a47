#include "onward/translation.h"

#include <gmock/gmock.h>

#include "../support/pt2_files.h"
#include "files.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<float> answer(const std::filesystem::path& source, const std::vector<float>& input) {
  const auto model = Model::load(source);
  EXPECT_TRUE(model.ok()) << model.status().text();
  if (!model.ok()) return {};
  const auto outputs = model->predict(std::vector<Tensor>{floats({1, static_cast<int64_t>(input.size())}, input)});
  EXPECT_TRUE(outputs.ok()) << outputs.status().text();
  if (!outputs.ok()) return {};
  const auto values = outputs->front().values<float>();
  return {values.begin(), values.end()};
}

std::string attribute(const std::string& name, const std::string& value) {
  return "attr { key: '" + name + "' value { " + value + " } } ";
}

// x.pt2: relu(op(x * w, …)).
std::filesystem::path pt2_file(const std::string& target, const std::string& further = "") {
  using namespace testing_pt2;  // NOLINT: the file under test
  const std::string nodes =
      node("torch.ops.aten.mul.Tensor", argument("self", tensor("x")) + "," + argument("other", tensor("p_w")),
           tensor("mul")) +
      "," + node(target, argument("x", tensor("mul")) + further, tensor("relu"));
  return written("m.pt2", pt2(program(nodes)).text());
}

TEST(RegisterTranslation, TensorFlowsOperatorsWithAttributes) {
  ASSERT_TRUE(register_translation(Framework::kTensorFlow, "TestScale", [](TranslationContext& ctx) -> GraphValues {
                const GraphValue x = ctx.input(0);
                EXPECT_EQ(ctx.input_count(), 1);
                EXPECT_EQ(ctx.dtype(x), DType::kFloat32);
                EXPECT_EQ(ctx.shape(x)->at(1).size, 2);
                EXPECT_EQ(ctx.text("mode", "none"), "twice");
                EXPECT_THAT(ctx.integers("sizes", {}), ElementsAre(3, 4));
                EXPECT_EQ(ctx.integer("absent", 7), 7);
                return {ctx.op("Mul", {x, ctx.scalar(ctx.number("by", 1), x)})};
              }).ok());
  const std::string attributes =
      attribute("by", "f: 2.5") + attribute("mode", "s: 'twice'") + attribute("sizes", "list { i: 3 i: 4 }");
  EXPECT_THAT(answer(written("m.pbtxt", graphdef("TestScale", attributes)), {1, 2}), ElementsAre(2.5F, 5));
}

TEST(RegisterTranslation, PyTorchsOperatorsBySignature) {
  const Translation scale = [](TranslationContext& ctx) -> GraphValues {
    const GraphValue x = ctx.input("x");
    return {ctx.op("Mul", {x, ctx.scalar(ctx.number("by", 0), x)})};
  };
  EXPECT_EQ(convert_to_bytes(pt2_file("torch.ops.testlib.scale.default")).status().code(), StatusCode::kUnimplemented);
  ASSERT_TRUE(register_translation(Framework::kTorch, "testlib::scale(Tensor x, float by=2.0) -> Tensor", scale).ok());
  EXPECT_THAT(answer(pt2_file("torch.ops.testlib.scale.default"), {1, 2}), ElementsAre(2, 8));
  const std::string by = "," + testing_pt2::argument("by", R"({"as_float": 3.0})");
  EXPECT_THAT(answer(pt2_file("torch.ops.testlib.scale.default", by), {1, 2}), ElementsAre(3, 12));
}

TEST(RegisterTranslation, RefusesNamesThatCanNotBe) {
  const Translation none = [](TranslationContext&) { return GraphValues(); };
  EXPECT_EQ(register_translation(Framework::kTorch, "mylib::op", none).code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(register_translation(Framework::kTorch, "mylib::op", none).hint(), HasSubstr("_schema"));
  EXPECT_EQ(register_translation(Framework::kTorch, "aten::relu(Tensor self) -> Tensor", none).code(),
            StatusCode::kAlreadyExists);
  EXPECT_EQ(register_translation(Framework::kTensorFlow, "Relu", none).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(register_translation(Framework::kKeras, "Dense", none).code(), StatusCode::kAlreadyExists);
  EXPECT_EQ(register_translation(Framework::kKeras, "", none).code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(register_translation(Framework::kKeras, "Mine", nullptr).code(), StatusCode::kInvalidArgument);
  EXPECT_TRUE(register_translation(Framework::kTensorFlow, "Once", none).ok());
  EXPECT_EQ(register_translation(Framework::kTensorFlow, "Once", none).code(), StatusCode::kAlreadyExists);
}

struct Mistake {
  const char* op;
  Translation translation;
  const char* message;
};

TEST(RegisterTranslation, MistakesBecomeTheConversionsError) {
  const Mistake mistakes[] = {
      {"Refuses", [](TranslationContext& ctx) -> GraphValues { return {ctx.fail("not today")}; },
       "[Refuses] not today"},
      {"Throws", [](TranslationContext&) -> GraphValues { throw std::runtime_error("oops"); }, "an exception: oops"},
      {"EmptyResult", [](TranslationContext&) -> GraphValues { return {GraphValue()}; }, "gave an empty result"},
      {"BadIndex", [](TranslationContext& ctx) -> GraphValues { return {ctx.op("Relu", {ctx.input(5)})}; },
       "number 5 was asked for"},
      {"BadNode", [](TranslationContext& ctx) -> GraphValues { return {ctx.op("NoOnnxOp", {ctx.input(0)})}; },
       "NoOnnxOp"},
      {"BadType",
       [](TranslationContext& ctx) -> GraphValues {
         ctx.integer("by", 0);
         EXPECT_TRUE(ctx.failed());
         return {ctx.op("Relu", {ctx.input(0)})};
       },
       "\"by\" has another type"},
  };
  for (const Mistake& mistake : mistakes) {
    ASSERT_TRUE(register_translation(Framework::kTensorFlow, mistake.op, mistake.translation).ok());
    const auto source = written("m.pbtxt", graphdef(mistake.op, attribute("by", "f: 2.5")));
    const Status status = convert_to_bytes(source).status();
    EXPECT_FALSE(status.ok()) << mistake.op;
    EXPECT_THAT(status.message(), HasSubstr(mistake.message)) << mistake.op;
  }
}

}  // namespace
}  // namespace onward
