#include "client/http.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onward::client {
namespace {

TEST(Url, IsTakenApart) {
  const Url plain = parse_url("http://127.0.0.1:8000/v2/models/a?b=c");
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, "8000");
  EXPECT_EQ(plain.path, "/v2/models/a?b=c");
  const Url bare = parse_url("https://models.example");
  EXPECT_TRUE(bare.tls);
  EXPECT_EQ(bare.port, "443");
  EXPECT_EQ(bare.path, "/");
  const Url six = parse_url("http://[::1]:81/");
  EXPECT_EQ(six.host, "::1");
  EXPECT_EQ(six.port, "81");
  EXPECT_EQ(parse_url("http://[::1]").port, "80");
  EXPECT_EQ(parse_url("https://[::1]", "4318").port, "4318");
  EXPECT_EQ(parse_url("http://collector:81", "4318").port, "81");
}

TEST(Url, RefusesWhatIsNone) {
  for (const char* text :
       {"ftp://a", "http://", "http://:80/", "http://a:b/", "http://[::1/", "http://key@a/", "a.onnx"}) {
    EXPECT_THROW(parse_url(text), Error) << text;
  }
  EXPECT_FALSE(is_url("model.onnx"));
}

}  // namespace
}  // namespace onward::client
