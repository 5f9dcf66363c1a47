#include "server/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace onward::server {
namespace {

using testing::HasSubstr;

constexpr std::string_view kHeader = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

TEST(Trace, ReadsTheCallersContext) {
  bool sampled = false;
  const auto context = read_traceparent(kHeader, sampled);
  ASSERT_TRUE(context);
  EXPECT_EQ(context->trace_id, "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->parent, "00f067aa0ba902b7");
  EXPECT_TRUE(sampled);
  read_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", sampled);
  EXPECT_FALSE(sampled);
  EXPECT_TRUE(read_traceparent("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", sampled));
}

TEST(Trace, IgnoresMalformedContexts) {
  bool sampled = false;
  for (const std::string_view header : {"", "00", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
                                        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
                                        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
                                        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
                                        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
                                        "00-4bf92f3577b34da6a3ce929d0e0e4736+00f067aa0ba902b7-01"}) {
    EXPECT_FALSE(read_traceparent(header, sampled)) << header;
  }
}

TEST(Trace, WithoutACollectorNothingIsTraced) {
  Tracer tracer("");
  EXPECT_FALSE(tracer.begin(kHeader));
  EXPECT_THAT(message_of([&] { tracer.change(Json::parse(R"({"trace_level":["TIMESTAMPS"]})")); }),
              HasSubstr("no collector"));
  EXPECT_THAT(message_of([] { Tracer("localhost:4318"); }), HasSubstr("no address to send traces to"));
  EXPECT_THAT(message_of([] { Tracer("http://127.0.0.1:port/"); }), HasSubstr("a port that is no number"));
}

TEST(Trace, TracesAsItIsTold) {
  Tracer tracer("http://127.0.0.1:9/v1/traces");  // nobody listens there: spans are dropped
  const auto continued = tracer.begin(kHeader);
  ASSERT_TRUE(continued);
  EXPECT_EQ(continued->parent, "00f067aa0ba902b7");
  EXPECT_EQ(continued->span_id.size(), 16U);
  EXPECT_EQ(tracer.begin("")->trace_id.size(), 32U);
  tracer.change(Json::parse(R"({"trace_rate":"1000000"})"));
  int traced = 0;
  for (int i = 0; i < 100; ++i) traced += tracer.begin("") ? 1 : 0;
  EXPECT_LE(traced, 1);
  EXPECT_TRUE(tracer.begin(kHeader)) << "the caller decides";
  tracer.change(Json::parse(R"({"trace_level":"OFF"})"));
  EXPECT_FALSE(tracer.begin(kHeader));
  EXPECT_THAT(message_of([&] { tracer.change(Json::parse(R"({"trace_rate":"0"})")); }), HasSubstr("at least 1"));
}

TEST(Trace, ExportsSpans) {
  const Span span{.context = {"4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", ""},
                  .name = "POST /predict",
                  .start_ns = 5,
                  .end_ns = 9,
                  .failed = true,
                  .attributes = {{"client.address", "::1"}}};
  EXPECT_EQ(
      export_request({span}).dump(),
      R"({"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"onward"}}]},)"
      R"("scopeSpans":[{"scope":{"name":"onward"},"spans":[{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736",)"
      R"("spanId":"00f067aa0ba902b7","name":"POST /predict","kind":2,"startTimeUnixNano":"5","endTimeUnixNano":"9",)"
      R"("attributes":[{"key":"client.address","value":{"stringValue":"::1"}}],"status":{"code":2}}]}]}]})");
}

}  // namespace
}  // namespace onward::server
