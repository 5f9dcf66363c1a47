#include "formats/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onward {
namespace {

using pickle::Document;
using pickle::Kind;
using testing::HasSubstr;
using namespace std::string_literals;

// A short text for any tree; references to a value on the path become "…".
std::string text_of(const pickle::Value& value, int depth = 0) {
  if (depth > 8) return "…";
  const auto join = [&](const pickle::Items& items) {
    std::string out;
    for (const pickle::Value* item : items) out += (out.empty() ? "" : ",") + text_of(*item, depth + 1);
    return out;
  };
  const auto pairs = [&](const pickle::Entries& entries) {
    std::string out;
    for (const auto& [key, item] : entries) {
      out += (out.empty() ? "" : ",") + text_of(*key, depth + 1) + ":" + text_of(*item, depth + 1);
    }
    return out;
  };
  switch (value.kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return value.as_bool() ? "True" : "False";
    case Kind::kInt:
      return std::to_string(value.as_int());
    case Kind::kBigInt:
      return value.text() + "L";
    case Kind::kFloat:
      return std::to_string(value.as_float());
    case Kind::kString:
      return "'" + value.text() + "'";
    case Kind::kBytes:
      return "b'" + value.text() + "'";
    case Kind::kList:
      return "[" + join(value.items()) + "]";
    case Kind::kTuple:
      return "(" + join(value.items()) + ")";
    case Kind::kSet:
      return "{" + join(value.items()) + "}";
    case Kind::kFrozenSet:
      return "frozen{" + join(value.items()) + "}";
    case Kind::kDict:
      return "{" + pairs(value.entries()) + "}";
    case Kind::kGlobal:
      return value.text();
    case Kind::kPersistent:
      return "<" + text_of(value.persistent_id(), depth + 1) + ">";
    case Kind::kObject:
      break;
  }
  const pickle::Object& object = value.object();
  std::string out =
      (object.created ? "new " : "") + text_of(*object.callable, depth + 1) + text_of(*object.args, depth + 1);
  if (!object.items.empty()) out += "[" + join(object.items) + "]";
  if (!object.entries.empty()) out += "{" + pairs(object.entries) + "}";
  if (object.state != nullptr) out += "=" + text_of(*object.state, depth + 1);
  return out;
}

std::string read(const std::string& pickled) { return text_of(Document::read(as_bytes(pickled), "p").root()); }

struct Case {
  std::string pickled;
  std::string text;
};

TEST(Pickle, ReadsEveryOpcode) {
  const std::vector<Case> cases = {
      {"N.", "None"},
      {"\x88.", "True"},
      {"I01\n.", "True"},
      {"I-7\n.", "-7"},
      {"L12345678901234567890L\n.", "12345678901234567890L"},
      {"F1.5\n.", "1.500000"},
      {"K\xff.", "255"},
      {"M\x01\x02.", "513"},
      {"J\xff\xff\xff\xff.", "-1"},
      {"\x8a\x00."s, "0"},
      {"\x8a\x01\xff.", "-1"},
      {"\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", "119547037146038801333356L"},
      {"\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\xff."s, "-18446744073709551616L"},
      {"\x8b\x02\x00\x00\x00\x00\x01."s, "256"},
      {"G\x3f\xf8\x00\x00\x00\x00\x00\x00."s, "1.500000"},
      {"S'a\\n\\x41'\n.", "'a\nA'"},
      {"U\x02hi.", "'hi'"},
      {"T\x02\x00\x00\x00hi."s, "'hi'"},
      {"V\\u20acx\n.", "'€x'"},
      {"X\x02\x00\x00\x00hi."s, "'hi'"},
      {"\x8c\x02hi.", "'hi'"},
      {"\x8d\x02\x00\x00\x00\x00\x00\x00\x00hi."s, "'hi'"},
      {"C\x02hi.", "b'hi'"},
      {"B\x02\x00\x00\x00hi."s, "b'hi'"},
      {"\x96\x02\x00\x00\x00\x00\x00\x00\x00hi."s, "b'hi'"},
      {"](K\x01K\x02"
       "e.",
       "[1,2]"},
      {"]K\x01"
       "a.",
       "[1]"},
      {"(K\x01l.", "[1]"},
      {"(K\x01K\x02t.", "(1,2)"},
      {").", "()"},
      {"K\x01\x85.", "(1)"},
      {"K\x01K\x02\x86.", "(1,2)"},
      {"K\x01K\x02K\x03\x87.", "(1,2,3)"},
      {"}(K\x01K\x02u.", "{1:2}"},
      {"}K\x01K\x02s.", "{1:2}"},
      {"(K\x01K\x02"
       "d.",
       "{1:2}"},
      {"\x8f(K\x01\x90.", "{1}"},
      {"(K\x01\x91.", "frozen{1}"},
      {"ca\nb\n.", "a.b"},
      {"\x8c\x01"
       "a\x8c\x01"
       "b\x93.",
       "a.b"},
      {"ca\nb\n)R.", "a.b()"},
      {"ca\nb\n)\x81}b.", "new a.b()={}"},
      {"ca\nb\n)}\x92.", "new a.b()"},
      {"(ca\nb\nK\x01o.", "a.b(1)"},
      {"(K\x01ia\nb\n.", "a.b(1)"},
      {"ca\nb\n)R(K\x01K\x02u.", "a.b(){1:2}"},
      {"ca\nb\n)R(K\x01"
       "e.",
       "a.b()[1]"},
      {"K\x01Q.", "<1>"},
      {"Pkey\n.", "<'key'>"},
      {"K\x01"
       "2\x86.",
       "(1,1)"},
      {"K\x01K\x02"
       "0.",
       "1"},
      {"K\x01(K\x02"
       "1.",
       "1"},
      {"K\x07q\x05"
       "0h\x05.",
       "7"},
      {"K\x07p5\n0g5\n.", "7"},
      {"K\x07r\x05\x00\x00\x00"
       "0j\x05\x00\x00\x00."s,
       "7"},
      {"\x80\x04\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x07\x94."s, "7"},
  };
  for (const Case& c : cases) EXPECT_EQ(read(c.pickled), c.text);
}

TEST(Pickle, KeepsSharedReferencesAndCycles) {
  const Document shared = Document::read(as_bytes("(]q\x01h\x01t."), "p");
  EXPECT_EQ(shared.root().items()[0], shared.root().items()[1]);
  const Document cycle = Document::read(as_bytes("]q\x01h\x01"
                                                 "a."),
                                        "p");
  EXPECT_EQ(cycle.root().items()[0], &cycle.root());
}

TEST(Pickle, TellsWhereItEnds) {
  size_t end = 0;
  (void)Document::read(as_bytes("K\x01.rest"), "p", &end);
  EXPECT_EQ(end, 3U);
}

TEST(Pickle, RefusesDamage) {
  const std::vector<Case> cases = {
      {"", "without a STOP"},
      {"K\x01", "without a STOP"},
      {".", "empty stack"},
      {"R.", "empty stack"},
      {"h\x63.", "memo entry 99"},
      {"e.", "a mark is missing"},
      {"K\x01(0K\x02\x86.", ""},
      {"\xff.", "unknown opcode 255"},
      {"\x80\x09N.", "protocol 9"},
      {"X\xff\xff\xff\xffhi.", "reaches past the end"},
      {"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.", "reaches past the end"},
      {"Ixyz\n.", "no integer"},
      {"Fxyz\n.", "no number"},
      {"I1", "unexpected end"},
      {"Sabc\n.", "without quotes"},
      {"}(K\x01u.", "a key without a value"},
      {"K\x01K\x02"
       "a.",
       "appends to an integer"},
      {")K\x02"
       "a.",
       "appends to a tuple"},
      {"K\x01K\x02K\x03s.", "sets items of an integer"},
      {"(o.", "without a class"},
      {"\x82\x01.", "extension codes"},
      {"\x8b\x00\x00\x00\x10."s, "reaches past the end"},
  };
  for (const Case& c : cases) {
    try {
      (void)Document::read(as_bytes(c.pickled), "p");
      if (!c.text.empty()) ADD_FAILURE() << "accepted; expected: " << c.text;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(c.text));
    }
  }
}

TEST(Pickle, StaysInsideItsLimits) {
  pickle::Limits limits;
  limits.values = 100;
  EXPECT_THROW((void)Document::read(as_bytes(std::string(200, 'N')), "p", nullptr, {}, limits), Error);
  std::string deep;
  for (int i = 0; i < 100000; ++i) deep += ")\x85";
  EXPECT_EQ(Document::read(as_bytes(deep + "."), "p").root().kind, Kind::kTuple);
}

TEST(Pickle, AsksAboutEachGlobal) {
  std::vector<std::string> seen;
  (void)Document::read(as_bytes("ca\nb\n0\x8c\x01"
                                "c\x8c\x01"
                                "d\x93."),
                       "p", nullptr, [&](const std::string& name) { seen.push_back(name); });
  EXPECT_THAT(seen, testing::ElementsAre("a.b", "c.d"));
}

}  // namespace
}  // namespace onward
