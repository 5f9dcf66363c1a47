#include "ir/verify.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "schema/schema_rules.h"

namespace onward::ir {
namespace {

const schema::SchemaRules kRules;

TEST(Verify, ReportsAllUntranslatedNodesAtOnce) {
  Graph graph;
  Value* x = graph.add_input("x", DType::kFloat, Shape{2});
  Node* first = graph.add_node("tf", "Frobnicate", {x}, 1);
  first->origin = std::make_shared<Origin>(Origin{"Frobnicate", "block/frob", "model.py:3"});
  Node* second = graph.add_node("tf", "Defrobnicate", {first->output()}, 1);
  graph.add_output(second->output(), "y");
  try {
    verify(graph, &kRules);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnimplemented);
    EXPECT_NE(error.message().find("block/frob, model.py:3"), std::string::npos) << error.message();
    EXPECT_NE(error.message().find("Defrobnicate"), std::string::npos) << error.message();
  }
}

TEST(Verify, SeesNodesOutOfOrderAndRepeatedNames) {
  Graph graph;
  Value* x = graph.add_input("x", DType::kFloat, Shape{2});
  graph.add_input("x", DType::kFloat, Shape{2});
  Node* first = graph.add_node("", "Relu", {x}, 1);
  Node* second = graph.add_node("", "Neg", {first->output()}, 1);
  graph.add_output(second->output(), "y");
  graph.add_output(second->output(), "y");
  graph.move_before(second, first);
  const std::vector<std::string> found = problems(graph, &kRules);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], "two inputs named \"x\"");
  EXPECT_EQ(found[1], "two outputs named \"y\"");
  EXPECT_EQ(found[2], "a node (Neg) comes before its input 0");
}

TEST(Verify, AsksTheSchemas) {
  Graph graph;
  Value* x = graph.add_input("x", DType::kFloat, Shape{2});
  graph.add_node("", "Add", {x}, 1);
  graph.add_node("", "Relu", {x}, 1)->attrs.set("alpha", 1.0);
  graph.add_node("", "Concat", {x}, 1);
  graph.add_node("", "Nothing", {x}, 1);
  graph.add_node("", "Gelu", {x}, 1);
  EXPECT_EQ(problems(graph, &kRules).size(), 4U);
  EXPECT_EQ(problems(graph).size(), 0U);
  const schema::SchemaRules strict(18, false);
  EXPECT_EQ(problems(graph, &strict).size(), 5U);
}

}  // namespace
}  // namespace onward::ir
