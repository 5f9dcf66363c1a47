#include "server/http/compression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace onward::server::http {
namespace {

using testing::HasSubstr;

Bytes packed(const std::string& text, const std::string& encoding) {
  Response response = text_response(text, "text/plain");
  compress(response, encoding);
  return response.body.front();
}

TEST(Compression, GoesBothWays) {
  const std::string text(100'000, 'x');
  for (const std::string encoding : {"gzip", "deflate"}) {
    const Bytes small = packed(text, encoding);
    EXPECT_LT(small.size(), 2000U);
    EXPECT_EQ(decompress(small, encoding, 100'000).text(), text);
  }
}

TEST(Compression, ReadsSeveralGzipMembers) {
  const std::string both = std::string(packed(std::string(2000, 'a'), "gzip").text()) +
                           std::string(packed(std::string(3000, 'b'), "gzip").text());
  EXPECT_EQ(decompress(Bytes::from_string(both), "x-gzip", 5000).text(),
            std::string(2000, 'a') + std::string(3000, 'b'));
  EXPECT_THAT(message_of([&] { decompress(Bytes::from_string(both), "gzip", 4999); }), HasSubstr("larger than 4999"));
  EXPECT_THAT(message_of([&] { decompress(Bytes::from_string(both + "x"), "gzip", 9999); }), HasSubstr("damaged"));
}

TEST(Compression, StopsAtTheLimit) {
  const Bytes bomb = packed(std::string(10'000'000, '0'), "gzip");
  EXPECT_THAT(message_of([&] { decompress(bomb, "gzip", 100'000); }), HasSubstr("larger than 100000 bytes"));
}

TEST(Compression, RefusesDamageAndOtherCodings) {
  const Bytes whole = packed(std::string(5000, 'y'), "gzip");
  EXPECT_THAT(message_of([&] { decompress(whole.slice(0, whole.size() - 3), "gzip", 10'000); }), HasSubstr("cut off"));
  EXPECT_THAT(message_of([&] { decompress(Bytes::from_string("hello"), "deflate", 10'000); }), HasSubstr("damaged"));
  EXPECT_THAT(message_of([&] { decompress(whole, "br", 10'000); }), HasSubstr("not supported"));
}

TEST(Compression, FollowsTheClientsWish) {
  const auto encoding_for = [](const std::string& accept) {
    Response response = text_response(std::string(5000, 'z'), "text/plain");
    compress(response, accept);
    return response.headers.empty() ? std::string() : response.headers.front().second;
  };
  EXPECT_EQ(encoding_for(""), "");
  EXPECT_EQ(encoding_for("br, gzip;q=0.5"), "gzip");
  EXPECT_EQ(encoding_for("gzip;q=0, deflate"), "deflate");
  EXPECT_EQ(encoding_for("gzip; q=0.0, deflate;q=0.1"), "deflate");
  EXPECT_EQ(encoding_for("gzip;q=0.000"), "");
  EXPECT_EQ(encoding_for("gzip;q=0.05"), "gzip");
  EXPECT_EQ(encoding_for("x-gzip"), "gzip");
  EXPECT_EQ(encoding_for("identity"), "");
  Response small = text_response("short", "text/plain");
  compress(small, "gzip");
  EXPECT_TRUE(small.headers.empty());
}

}  // namespace
}  // namespace onward::server::http
