#include "ir/text.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "schema/schema_inference.h"
#include "schema/schema_rules.h"

namespace onward::ir {
namespace {

const schema::SchemaInference kInference;

std::string again(const std::string& text) { return to_text(*parse_text(text, kInference).graph); }

TEST(Text, WhatIsPrintedReadsBackTheSame) {
  const std::string text = R"(<ir_version: 8, opset_import: ["" : 18]>
net (float[N,3] x, int64[] k, bool "is it") => (float[N,2] y, float[N,?] z)
  <float[3,2] w = {1, 2.5, -3, 4e-7, inf, nan}, string[2] s = {"a\"b", ""}, float16[1] h = {0.5}, bool f = {1}> {
  [first] y = MatMul (x, w)
  a, , b = com.microsoft.Thing <alpha = 1.0, beta = 2, name = "q", list = [1, 2], real = [1.0, 2.0], none: ints = [],
    t = int64[2] {1, 2}> (x, , s, h)
  z = If ("is it") <then_branch = t () => (float[N,3] r) <float[3] c = {1, 2, 3}> { r = Add (x, c) },
    else_branch = e () => (float[N,2] r) { r = Identity (y) }>
  # a comment
})";
  const std::string printed = again(text);
  EXPECT_EQ(again(printed), printed);
  EXPECT_NE(printed.find("inf, nan"), std::string::npos);
  EXPECT_NE(printed.find("none: ints = []"), std::string::npos);
}

TEST(Text, InfersTypesOnReading) {
  const Model model = parse_text("g (float[N,3] x) => (y) { a = Shape (x)  y = Cast <to = 1> (a) }", kInference);
  EXPECT_EQ(shape_text(*model.graph->outputs()[0]->shape), "[2]");
  EXPECT_EQ(model.graph->outputs()[0]->dtype, DType::kFloat);
}

TEST(Text, ErrorsNameTheLine) {
  for (const auto& [text, message] : {
           std::pair{"g (float[2] x) => (y) {\n  y = Relu (z)\n}", "line 2: nothing before computes \"z\""},
           {"g (float[2] x) => (y) { }", "line 1: no node computes the output \"y\""},
           {"g (float[2] x) => (y) <float[2] c = {1}> { y = Relu (x) }", "1 elements for a tensor of shape [2]"},
           {"g (float[2] x) => (y) { y = Relu (x)", "\"=\" expected"},
           {"g (float[2] x, float[2] x) => () { }", "\"x\" is defined twice"},
           {"g (float[2] x) => (y) { y = Relu <a = \"b> (x) }", "a string does not end"},
       }) {
    try {
      parse_text(text, kInference);
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(message), std::string::npos) << error.message();
    }
  }
}

}  // namespace
}  // namespace onward::ir
