#include "import/torch/export/expression.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace onward::importer::exported {
namespace {

const std::string kS = "Symbol('s0', positive=True, integer=True)";

TEST(Expression, ReadsAsPeopleWrite) {
  const auto text = [](const std::string& expression) { return readable(parse_expression(expression)); };
  EXPECT_EQ(text(kS), "s0");
  EXPECT_EQ(text("Mul(Integer(8), " + kS + ")"), "8*s0");
  EXPECT_EQ(text("Add(Integer(4), Mul(Integer(-1), Mod(" + kS + ", Integer(4))))"), "4 - Mod(s0, 4)");
  EXPECT_EQ(text("FloorDiv(Add(" + kS + ", Integer(-1)), Integer(2))"), "(s0 - 1)//2");
  EXPECT_EQ(text("TruncToInt(Mul(Float('2.0', precision=53), ToFloat(" + kS + ")))"), "int(2*s0)");
}

TEST(Expression, Evaluates) {
  const auto value = [](const std::string& expression) { return evaluate(parse_expression(expression), {{"s0", 7}}); };
  EXPECT_EQ(value("Add(" + kS + ", Mul(Integer(2), " + kS + "))"), 21);
  EXPECT_EQ(value("FloorDiv(Mul(Integer(-1), " + kS + "), Integer(2))"), -4);
  EXPECT_EQ(value("Mod(Mul(Integer(-1), " + kS + "), Integer(4))"), 1);
  EXPECT_EQ(value("CeilDiv(" + kS + ", Integer(2))"), 4);
  EXPECT_EQ(value("Max(Integer(1), " + kS + ")"), 7);
  EXPECT_FALSE(value("FloorDiv(" + kS + ", Integer(0))"));
  EXPECT_FALSE(value("Mul(Integer(9223372036854775807), " + kS + ")"));
  EXPECT_FALSE(value("Symbol('s1')"));
}

TEST(Expression, RefusesWhatIsNone) {
  for (const std::string text :
       {"", "Add(", "Add(1,,2)", "Symbol(s0)", "Symbol('s0'", "Integer('x')", "1 2", "Integer(99999999999999999999)"}) {
    EXPECT_THROW((void)parse_expression(text), Error) << text;
  }
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "Add(";
  EXPECT_THROW((void)parse_expression(deep), Error);
}

}  // namespace
}  // namespace onward::importer::exported
