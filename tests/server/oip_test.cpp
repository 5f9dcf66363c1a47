#include "server/protocol/oip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "errors.h"

namespace onward::server::oip {
namespace {

using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

class OipTest : public testing::Test {
 protected:
  static std::shared_ptr<serving::Model> load(const std::string& name, serving::ModelConfig config = {}) {
    const auto path = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (name + ".onnx");
    return std::make_shared<serving::Model>(name, 1, runtime::Session::load(path), std::move(config));
  }
  InferRequest read(std::string_view json, std::string_view tail = {}) const {
    const Bytes body = Bytes::from_string(std::string(json) + std::string(tail));
    return read_infer(*model_, body, tail.empty() ? "" : std::to_string(json.size()));
  }
  std::shared_ptr<serving::Model> model_ = load("linear");
};

constexpr std::string_view kFloats("\0\0\x80?\0\0\0@\0\0@@", 12);

TEST_F(OipTest, BinaryTensorsShareTheBody) {
  const std::string json =
      R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}]})";
  const Bytes body = Bytes::from_string(json + std::string(kFloats));
  const InferRequest request = read_infer(*model_, body, std::to_string(json.size()));
  EXPECT_EQ(request.inputs.at(0).bytes().data(), body.data() + json.size());
  EXPECT_THAT(request.inputs.at(0).floats(), ElementsAre(1, 2, 3));
}

struct Refused {
  std::string_view json;
  std::string_view says;
};

class RefusedRequests : public OipTest, public testing::WithParamInterface<Refused> {};

TEST_P(RefusedRequests, SayWhy) {
  EXPECT_THAT(message_of([&] { read(GetParam().json); }), HasSubstr(std::string(GetParam().says)));
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedRequests,
    testing::Values(
        Refused{R"({"inputs":[]})", "input \"x\" is missing"},
        Refused{R"({"inputs":[{"shape":[1]}]})", "without a name"},
        Refused{R"({"inputs":[{"name":"x","shape":[1,3]}]})", "lacks its shape or datatype"},
        Refused{R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP31","data":[]}]})", "unknown datatype"},
        Refused{R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32"}]})", "has no data"},
        Refused{R"({"inputs":[{"name":"x","shape":[-1,3],"datatype":"FP32","data":[]}]})", "negative dimension"},
        Refused{R"({"inputs":[{"name":"x","shape":[4611686018427387904,4],"datatype":"FP32","data":[]}]})",
                "overflows"},
        Refused{R"({"inputs":[{"name":"z","shape":[1,3],"datatype":"FP32","data":[1,2,3]}]})", "no input \"z\""},
        Refused{R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","parameters":{"binary_data_size":12}}]})",
                "said to have 12 bytes, the body has 0 left"},
        Refused{R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}],"outputs":[{"name":"z"}]})",
                "no output \"z\""},
        Refused{R"({"parameters":{"priority":-1}})", "priority must be"},
        Refused{R"({"parameters":{"timeout":-1}})", "timeout is out of range"}));

TEST_F(OipTest, TextMustFillItsShape) {
  const Bytes two = to_binary(Tensor::of_strings({2}, {"a", ""}));
  EXPECT_THAT(from_binary(ir::DType::kString, {2}, two, "t").strings(), ElementsAre("a", ""));
  EXPECT_THAT(message_of([&] { from_binary(ir::DType::kString, {3}, two, "t"); }), HasSubstr("3 strings"));
  const Bytes cut = Bytes::from_string(std::string("\xff\xff\xff\xff", 4));
  EXPECT_THAT(message_of([&] { from_binary(ir::DType::kString, {1}, cut, "t"); }), HasSubstr("past its 4 bytes"));
}

TEST_F(OipTest, RanksClasses) {
  const Tensor scores = Tensor::of<float>({2, 3}, {0.1F, 0.7F, 0.2F, 3, 3, 1});
  const Tensor top = classify(scores, 2, {"cat", "dog"});
  EXPECT_THAT(top.dims(), ElementsAre(2, 2));
  EXPECT_THAT(top.strings(), ElementsAre("0.700000:1:dog", "0.200000:2", "3.000000:0:cat", "3.000000:1:dog"));
  EXPECT_THAT(classify(Tensor::of<float>({2}, {1, 2}), 9, {}).dims(), ElementsAre(2));
  EXPECT_THAT(classify(Tensor::of<float>({0, 3}, {}), 1, {}).dims(), ElementsAre(0, 1));
}

TEST_F(OipTest, RawBodiesFillTheFreeDimension) {
  const Bytes rows = Bytes::from_string(std::string(kFloats) + std::string(kFloats));
  EXPECT_THAT(read_infer(*model_, rows, "0").inputs.at(0).dims(), ElementsAre(2, 3));
  EXPECT_THAT(message_of([&] { read_infer(*load("pair"), rows, "0"); }), HasSubstr("models of one input"));
}

}  // namespace
}  // namespace onward::server::oip
