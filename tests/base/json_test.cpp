#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace onward {
namespace {

TEST(Json, RoundTripsEveryKindInOrder) {
  const std::string text = R"({"b":[1,2.5,true,null,"x\"\n"],"a":{"z":-3,"y":{}}})";
  EXPECT_EQ(Json::parse(text).dump(), text);
}

TEST(Json, ReadsPythonsNanAndInfinityOutsideStrings) {
  const Json json = Json::parse(R"({"a": NaN, "b": [-Infinity, Infinity], "c": "NaN"})");
  EXPECT_TRUE(std::isnan(json.at("a").as_double()));
  EXPECT_EQ(json.at("b")[0].as_double(), -INFINITY);
  EXPECT_EQ(json.at("b")[1].as_double(), INFINITY);
  EXPECT_EQ(json.at("c").as_string(), "NaN");
  EXPECT_EQ(json.dump(), R"({"a":NaN,"b":[-Infinity,Infinity],"c":"NaN"})");
}

TEST(Json, ErrorsNameTheKeyAndTheKind) {
  const Json json = Json::parse(R"({"units": "many"})");
  try {
    (void)json.at("filters");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "missing key \"filters\"");
  }
  try {
    (void)json.at("units").as_int();
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "expected an integer, found a string");
  }
}

TEST(Json, RefusesDamagedAndTooDeepText) {
  for (const std::string& text : {std::string("{"), std::string("[1,]"), std::string(2000, '[')}) {
    EXPECT_THROW(Json::parse(text), Error) << text.substr(0, 10);
  }
  EXPECT_THROW(Json::parse(std::string_view()), Error);
}

TEST(Json, DefaultsStandInForMissingAndNull) {
  const Json json = Json::parse(R"({"a": null, "b": 3})");
  EXPECT_EQ(json.get("a", 7), 7);
  EXPECT_EQ(json.get("b", 7), 3);
  EXPECT_TRUE(json.get("c", true));
  EXPECT_TRUE(json["missing"]["deeper"].is_null());
}

}  // namespace
}  // namespace onward
