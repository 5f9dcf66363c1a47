#include "server/protocol/fanout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "errors.h"
#include "formats/image/image.h"
#include "formats/npy.h"
#include "runtime/arrays.h"

namespace onward::server::fanout {
namespace {

using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;

serving::ModelPtr load(const std::string& file, const std::string& name) {
  const auto path = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (file + ".onnx");
  return std::make_shared<const serving::Model>(name, 1, runtime::Session::load(path), serving::ModelConfig());
}

http::Request post(Bytes body, const std::string& target = "/predict") {
  http::Request request;
  request.target = target;
  request.body = std::move(body);
  return request;
}

Request parse(const std::string& body, const std::vector<serving::ModelPtr>& models = {}) {
  return read(post(Bytes::from_string(body)), models);
}

Part done(const serving::ModelPtr& model, const std::vector<float>& values) {
  serving::Outcome outcome;
  outcome.outputs.push_back(Tensor::of<float>({1, static_cast<int64_t>(values.size())}, values));
  return {model, std::move(outcome)};
}

Part failed(const serving::ModelPtr& model) {
  serving::Outcome outcome;
  outcome.error = Error(Code::kDeadlineExceeded, "the deadline passed");
  return {model, std::move(outcome)};
}

std::string text_of(const http::Response& response) {
  std::string text;
  for (const Bytes& part : response.body) text += part.text();
  return text;
}

TEST(Fanout, AdaptsTheLayoutPerModel) {
  const auto nhwc = load("nhwc", "tf");
  const auto nchw = load("nchw", "torch");
  const Request request = parse(R"({"input": [[0,1,2,3],[0,1,2,3],[0,1,2,3],[0,1,2,3]]})", {nhwc, nchw});
  EXPECT_THAT(inputs_for(*nhwc, request).at(0).dims(), ElementsAre(1, 4, 4, 1));
  EXPECT_THAT(inputs_for(*nchw, request).at(0).dims(), ElementsAre(1, 1, 4, 4));
}

TEST(Fanout, ReadsItsOptions) {
  const Request request =
      parse(R"({"models":["a","b"],"timeout_ms":5,"partial":true,"status":true,"combine":"vote","inputs":{"x":[1]}})");
  EXPECT_THAT(request.models, ElementsAre("a", "b"));
  EXPECT_EQ(request.timeout.count(), 5);
  EXPECT_TRUE(request.partial && request.status);
  EXPECT_EQ(request.combine, serving::Combine::kVote);
  EXPECT_THAT(named_models(post(Bytes::from_string(R"({"input":[1],"models":["a"]})"))), ElementsAre("a"));
  EXPECT_THAT(message_of([] { parse(R"({"input":[1],"combine":"max"})"); }), HasSubstr("\"mean\" or \"vote\""));
  EXPECT_THAT(message_of([] { parse(R"({"input":[1],"timeout_ms":-1})"); }), HasSubstr("out of range"));
  EXPECT_THAT(message_of([] { parse(R"({"input":[1],"inputs":{"x":[1]}})"); }), HasSubstr("either"));
}

TEST(Fanout, ReadsPicturesWithOptionsInTheQuery) {
  std::vector<std::byte> pixels(16, std::byte{255});
  const Bytes png = image::encode_png({"uint8", {4, 4}, Bytes::from_vector(std::move(pixels)), {}});
  const auto model = load("nchw", "torch");
  const auto first = [&](const std::string& query) {
    const Request request = read(post(png, "/predict" + query), {model});
    return inputs_for(*model, request).at(0).floats().at(0);
  };
  EXPECT_EQ(first(""), 1);
  EXPECT_EQ(first("?pixels=raw"), 255);
  EXPECT_THAT(named_models(post(png, "/predict?models=a%20b,c&status=true")), ElementsAre("a b", "c"));
  EXPECT_THAT(message_of([&] { first("?pixels=wide"); }), HasSubstr("pixels is"));
  EXPECT_THAT(message_of([&] { first("?scale=2"); }), HasSubstr("unknown option \"scale\""));
  EXPECT_THAT(message_of([&] { read(post(png.slice(0, 40)), {model}); }), HasSubstr("the body"));
}

TEST(Fanout, ReadsNpy) {
  const npy::Encoded file = npy::encode(runtime::to_array(Tensor::of<double>({1, 3}, {1, 2, 3})));
  const auto model = load("linear", "m");
  const Bytes body = Bytes::from_string(file.header + std::string(file.data.text()));
  EXPECT_THAT(inputs_for(*model, read(post(body), {model})).at(0).floats(), ElementsAre(1, 2, 3));
}

TEST(Fanout, AnswersByName) {
  const auto a = load("linear", "tf");
  const auto b = load("linear", "torch");
  const http::Response response = answer({}, {done(a, {1, 2}), done(b, {3, 4})});
  EXPECT_EQ(text_of(response), R"({"tf_prediction":[[1,2]],"torch_prediction":[[3,4]]})");
}

TEST(Fanout, OneFailureFailsAllUnlessPartialIsAskedFor) {
  const auto a = load("linear", "a");
  const auto b = load("linear", "b");
  Request request;
  EXPECT_EQ(answer(request, {done(a, {1}), failed(b)}).status, 504);
  request.partial = true;
  const http::Response response = answer(request, {failed(a), done(b, {1})});
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(text_of(response),
              HasSubstr(R"({"b_prediction":[[1]],"status":{"a":{"version":"1","code":"DEADLINE_EXCEEDED")"));
  EXPECT_EQ(answer(request, {failed(a)}).status, 504) << "nothing at all is no success";
}

TEST(Fanout, Combines) {
  Request request;
  request.combine = serving::Combine::kMean;
  const auto a = load("linear", "a");
  EXPECT_THAT(text_of(answer(request, {done(a, {1, 2}), done(a, {3, 4})})), HasSubstr(R"("combined":[[2,3]])"));
  EXPECT_THAT(message_of([&] { answer(request, {done(a, {1, 2}), done(a, {3})}); }), HasSubstr("can't be combined"));
}

}  // namespace
}  // namespace onward::server::fanout
