#include "server/protocol/json_tensor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace onward::server {
namespace {

using ir::DType;
using ir::Tensor;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Tensor read(std::string_view text, DType dtype) {
  JsonReader reader(text);
  const Tensor tensor = read_tensor(reader, dtype, "\"input\"");
  reader.finish();
  return tensor;
}

std::string written(const Tensor& tensor) {
  std::string out;
  write_tensor(out, tensor);
  return out;
}

TEST(JsonTensor, TakesItsShapeFromTheNesting) {
  EXPECT_THAT(read("[[1,2,3],[4,5,6]]", DType::kFloat).dims(), ElementsAre(2, 3));
  EXPECT_THAT(read(" [ [ ] , [ ] ] ", DType::kFloat).dims(), ElementsAre(2, 0));
  EXPECT_THAT(read("[]", DType::kFloat).dims(), ElementsAre(0));
  EXPECT_THAT(read("7", DType::kInt64).dims(), IsEmpty());
  EXPECT_THAT(read("[[[1]]]", DType::kFloat).dims(), ElementsAre(1, 1, 1));
}

struct Refused {
  std::string_view text;
  DType dtype;
  std::string_view says;
};

class RefusedTensors : public testing::TestWithParam<Refused> {};

TEST_P(RefusedTensors, SayWhyAndWhere) {
  const std::string message = message_of([] { read(GetParam().text, GetParam().dtype); });
  EXPECT_THAT(message, HasSubstr(std::string(GetParam().says))) << GetParam().text;
  EXPECT_THAT(message, HasSubstr("at byte")) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    All, RefusedTensors,
    testing::Values(
        Refused{"[[1,2],[3]]", DType::kFloat, "one list has 2 items, another 1"},
        Refused{"[1,[2]]", DType::kFloat, "a list stands where the others have values"},
        Refused{"[[1],2]", DType::kFloat, "a value stands where the others have lists"},
        Refused{"[[],[1]]", DType::kFloat, "one list has 0 items, another 1"},
        Refused{"[1.9]", DType::kInt64, "1.9 is not a whole number"},
        Refused{"[300]", DType::kUInt8, "does not fit uint8"}, Refused{"[1e39]", DType::kFloat, "does not fit float32"},
        Refused{"[1e400]", DType::kDouble, "larger than any double"},
        Refused{"[70000]", DType::kFloat16, "does not fit float16"}, Refused{"[-1]", DType::kUInt64, "negative"},
        Refused{"[9223372036854775808]", DType::kInt64, "does not fit a 64-bit integer"},
        Refused{"[NaN]", DType::kInt32, "expected a number"}, Refused{"[true]", DType::kFloat, "expected a number"},
        Refused{"[\"1\"]", DType::kFloat, "expected a number"},
        Refused{"[{\"b64\": \"!\"}]", DType::kString, "not base64"}, Refused{"[1,]", DType::kFloat, "comma"},
        Refused{"[01]", DType::kFloat, "leading zero"},
        Refused{"[1.]", DType::kFloat, "without digits after its point"},
        Refused{"[.5]", DType::kFloat, "unexpected character"}, Refused{"[1", DType::kFloat, "it ends"},
        Refused{"", DType::kFloat, "expected a number"}));

TEST(JsonTensor, KeepsEveryBitOfNumbers) {
  const std::vector<double> values{
      0.1, 1e-320, 123456789012345680.0, 2.2250738585072014e-308, -0.0, 9007199254740993.0};
  const Tensor doubles = Tensor::of<double>({6}, values);
  EXPECT_TRUE(read(written(doubles), DType::kDouble).same_content(doubles));
  const Tensor floats = Tensor::of<float>({3}, {0.1F, 1.17549435e-38F, 16777217.0F});
  EXPECT_TRUE(read(written(floats), DType::kFloat).same_content(floats));
  const Tensor whole = Tensor::of<uint64_t>({2}, {0, UINT64_MAX});
  EXPECT_TRUE(read(written(whole), DType::kUInt64).same_content(whole));
}

TEST(JsonTensor, LargeOnesPrintedInPartsAreWhole) {
  std::vector<float> values(3 * 331 * 211);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i) / 7;
  for (const ir::Dims& dims : {ir::Dims{3, 331, 211, 1}, ir::Dims{1, 331 * 3, 211}, ir::Dims{331 * 3 * 211}}) {
    const Tensor tensor = Tensor::of<float>(dims, values);
    const Tensor back = read(written(tensor), DType::kFloat);
    EXPECT_THAT(back.dims(), testing::ElementsAreArray(dims));
    EXPECT_TRUE(back.same_content(tensor));
  }
  EXPECT_EQ(written(Tensor::of<int8_t>({2, 1, 2}, {1, 2, 3, 4})), "[[[1,2]],[[3,4]]]");
}

// A list of lists of `columns` numbers: i, and every hundredth as `odd`.
std::string large_text(size_t rows, size_t columns, std::string_view odd, std::string_view comma = ",") {
  std::string text = "[";
  for (size_t i = 0; i < rows * columns; ++i) {
    if (i > 0) text += comma;
    if (i % columns == 0) text += "[";
    text += i % 100 == 99 ? std::string(odd) : std::to_string(i);
    if (i % columns == columns - 1) text += "]";
  }
  return text + "]";
}

TEST(JsonTensor, LargeOnesReadInPartsAreWhole) {
  for (const std::string_view comma : {",", " , ", ",\n  "}) {
    const Tensor tensor = read(large_text(300, 400, "2.5e-1", comma), DType::kFloat);
    EXPECT_THAT(tensor.dims(), ElementsAre(300, 400));
    const std::vector<float> values = tensor.floats();
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i], i % 100 == 99 ? 0.25F : static_cast<float>(i)) << i;
    }
  }
}

TEST(JsonTensor, LargeOnesEndWhereTheyEnd) {
  const std::string text = R"({"data": )" + large_text(300, 400, "7") + R"(, "more": )" + large_text(2, 3, "") + "}";
  JsonReader reader(text);
  std::string key;
  reader.open_object();
  ASSERT_TRUE(reader.next_key(key));
  EXPECT_THAT(read_tensor(reader, DType::kInt32, "x").dims(), ElementsAre(300, 400));
  ASSERT_TRUE(reader.next_key(key));
  EXPECT_THAT(read_tensor(reader, DType::kInt32, "x").ints(), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_FALSE(reader.next_key(key));
  reader.finish();
}

TEST(JsonTensor, LargeOnesAreRefusedLikeSmallOnes) {
  const auto refusal = [](std::string text, DType dtype) { return message_of([&] { read(text, dtype); }); };
  const std::string good = large_text(300, 400, "1");
  for (const size_t place : {size_t{20}, good.size() / 2 + 1000, good.size() - 20}) {
    const size_t comma = good.find(',', place);
    std::string text = good;
    EXPECT_THAT(refusal(text.replace(comma, 1, ",,"), DType::kFloat), HasSubstr("unexpected character ','"));
    text = good;
    EXPECT_THAT(refusal(text.replace(comma, 1, "],["), DType::kFloat), HasSubstr("is ragged"));
    text = good;
    EXPECT_THAT(refusal(text.replace(comma, 1, ",1.5,"), DType::kInt32), HasSubstr("1.5 is not a whole number"));
    text = good;
    EXPECT_THAT(refusal(text.replace(comma, 1, " "), DType::kFloat), HasSubstr("expected ',' or ']'"));
  }
  EXPECT_THAT(refusal(good.substr(0, good.size() - 1), DType::kFloat), HasSubstr("it ends"));
  EXPECT_THAT(refusal(good + "]", DType::kFloat), HasSubstr("text after the end"));
}

TEST(JsonTensor, PlainAndOtherNumbersMix) {
  EXPECT_THAT(read("[1.5, 2e0 ,\n3,NaN,-4]", DType::kFloat).dims(), ElementsAre(5));
  EXPECT_THAT(read("[[1, 2.0],[3e0 , -4 ]]", DType::kInt8).ints(), ElementsAre(1, 2, 3, -4));
  EXPECT_THAT(message_of([] { read("[1 2]", DType::kFloat); }), HasSubstr("expected ',' or ']'"));
  EXPECT_THAT(message_of([] { read("[,1]", DType::kFloat); }), HasSubstr("unexpected character ','"));
}

TEST(JsonTensor, WritesWhatPythonReads) {
  EXPECT_EQ(written(Tensor::of<float>({3}, {NAN, INFINITY, -INFINITY})), "[NaN,Infinity,-Infinity]");
  EXPECT_EQ(written(Tensor::of<bool>({2}, {true, false})), "[true,false]");
  EXPECT_EQ(written(Tensor::of_strings({2}, {"a\"\n", "\xff"})), R"(["a\"\u000a",{"b64":"/w=="}])");
  EXPECT_EQ(written(Tensor::scalar(2.5F)), "2.5");
  EXPECT_EQ(written(Tensor::of<float>({2, 0}, {})), "[[],[]]");
}

TEST(JsonTensor, ChecksDataAgainstADeclaredShape) {
  const auto read_as = [](std::string_view text, const ir::Dims& dims) {
    JsonReader reader(text);
    return read_tensor(reader, DType::kFloat, dims, "\"x\"");
  };
  EXPECT_THAT(read_as("[1,2,3,4]", {2, 2}).dims(), ElementsAre(2, 2));
  EXPECT_THAT(read_as("[[1,2],[3,4]]", {1, 2, 2}).dims(), ElementsAre(1, 2, 2));
  EXPECT_THAT(message_of([&] { read_as("[1,2,3]", {2, 2}); }), HasSubstr("has 3 values, its shape [2,2] wants 4"));
  EXPECT_THAT(message_of([&] { read_as("[[1,2,3],[4,5,6]]", {3, 2}); }), HasSubstr("is nested as [2,3]"));
}

TEST(JsonTensor, ConvertsOnlyWhatIsKept) {
  const Tensor doubles = Tensor::of<double>({2}, {1, 255});
  EXPECT_THAT(convert_exactly(doubles, DType::kUInt8, "x").ints(), ElementsAre(1, 255));
  EXPECT_THAT(message_of([&] { convert_exactly(doubles, DType::kInt8, "x"); }), HasSubstr("255 does not fit int8"));
  EXPECT_THAT(message_of([&] { convert_exactly(doubles, DType::kString, "x"); }), HasSubstr("must be string"));
}

TEST(JsonReader, LimitsDepth) {
  const std::string deep(JsonReader::kMaxDepth + 1, '[');
  EXPECT_THAT(message_of([&] { JsonReader(deep).skip(); }), HasSubstr("nested deeper"));
}

}  // namespace
}  // namespace onward::server
