#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "import/tensorflow/tensorflow.h"
#include "schema/schema_inference.h"

namespace onward::importer {
namespace {

// A GraphDef in text form, where `in(a,b)` stands for inputs and `int(v)` … for constants.
std::string node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                 const std::string& attrs = "") {
  std::string text = "{ name: '" + name + "' op: '" + op + "'";
  for (const std::string& input : inputs) text += " input: '" + input + "'";
  return text + " " + attrs + " }\n";
}
std::string attr(const std::string& key, const std::string& value) {
  return "attr { key: '" + key + "' value { " + value + " } } ";
}
std::string type(const std::string& key, const std::string& dtype) { return attr(key, "type: DT_" + dtype); }
std::string constant(const std::string& name, int value, const std::string& control = "") {
  return node(name, "Const", control.empty() ? std::vector<std::string>{} : std::vector<std::string>{control},
              type("dtype", "INT32") +
                  attr("value", "tensor { dtype: DT_INT32 tensor_shape {} int_val: " + std::to_string(value) + " }"));
}
std::string scalar_input(const std::string& name, const std::string& dtype) {
  return node(name, "Placeholder", {}, type("dtype", dtype) + attr("shape", "shape {}"));
}
// Nodes of the main graph, one "{ … }" a line.
std::string graph(const std::string& nodes) {
  std::string text;
  size_t start = 0;
  for (size_t end = nodes.find('\n'); end != std::string::npos; start = end + 1, end = nodes.find('\n', start)) {
    text += "node " + nodes.substr(start, end - start + 1);
  }
  return text;
}
struct Returned {
  std::string name;
  std::string from;
};
std::string function(const std::string& name, const std::vector<std::string>& arguments, const std::string& nodes,
                     const std::vector<Returned>& returns, const std::string& dtype = "INT32") {
  std::string text = "function { signature { name: '" + name + "' ";
  for (const std::string& argument : arguments)
    text += "input_arg { name: '" + argument + "' type: DT_" + dtype + " } ";
  for (const Returned& r : returns) text += "output_arg { name: '" + r.name + "' type: DT_" + dtype + " } ";
  text += "}\n";
  size_t start = 0;
  for (size_t end = nodes.find('\n'); end != std::string::npos; start = end + 1, end = nodes.find('\n', start)) {
    text += "node_def " + nodes.substr(start, end - start + 1);
  }
  for (const Returned& r : returns) text += "ret { key: '" + r.name + "' value: '" + r.from + "' } ";
  return text + "}\n";
}
std::string library(const std::string& functions) { return "library { " + functions + " }\n"; }
std::string func(const std::string& key, const std::string& name) { return attr(key, "func { name: '" + name + "' }"); }

class TensorFlowImport : public testing::Test {
 protected:
  ir::Model read(const std::string& text, std::vector<std::string> outputs, std::vector<std::string> inputs = {}) {
    Options options;
    options.outputs = std::move(outputs);
    options.inputs = std::move(inputs);
    return read_graphdef(Bytes::from_string(text), "test.pbtxt", true, options, inference);
  }
  // What a graph of constants comes to.
  int64_t value(const std::string& text, const std::string& output) {
    const ir::Model model = read(text, {output});
    const ir::Node* node = model.graph->outputs().at(0)->producer();
    if (node == nullptr || !node->is("Identity") || !node->input(0)->is_constant()) return -999;
    return node->input(0)->constant()->as_int();
  }
  static size_t count(const ir::Graph& graph, const std::string& op) {
    size_t found = 0;
    for (const ir::Node& node : graph.nodes()) found += node.op_type == op ? 1 : 0;
    return found;
  }
  std::string error(const std::string& text, std::vector<std::string> outputs) {
    try {
      read(text, std::move(outputs));
    } catch (const Error& error) {
      return error.message() + "\n" + error.hint();
    }
    return "";
  }

  schema::SchemaInference inference;
};

TEST_F(TensorFlowImport, FoldsConstants) {
  const std::string text = graph(constant("a", 3) + constant("b", 4) + node("c", "Mul", {"a", "b:0"}) +
                                 node("d", "SquaredDifference", {"c", "a"}));
  EXPECT_EQ(value(text, "d"), 81);
}

TEST_F(TensorFlowImport, NamesInputsAndOutputsAsTheUserDoes) {
  const std::string text =
      graph(scalar_input("x", "FLOAT") + node("y", "Exp", {"x"}, type("T", "FLOAT")) + node("z", "Neg", {"y"}));
  const ir::Model all = read(text, {});
  EXPECT_EQ(all.graph->inputs().at(0)->name, "x");
  EXPECT_EQ(all.graph->output_names(), (std::vector<std::string>{"z"}));
  const ir::Model part = read(text, {"z:0"}, {"y:0"});
  EXPECT_EQ(part.graph->inputs().at(0)->name, "y:0");
  EXPECT_EQ(count(*part.graph, "Exp"), 0U);
}

TEST_F(TensorFlowImport, ListsEveryBlockerAtOnce) {
  const std::string text =
      graph(scalar_input("x", "FLOAT") + node("a", "NoSuchOp", {"x"}) + node("b", "NorThis", {"x"}) +
            node("c", "AddV2", {"a", "b"}) + node("unused", "Neither", {"x"}));
  const std::string message = error(text, {"c"});
  for (const char* expected : {"test.pbtxt", "2 things", "NoSuchOp \"a\"", "NorThis \"b\"", "--outputs"}) {
    EXPECT_NE(message.find(expected), std::string::npos) << expected << " in " << message;
  }
  EXPECT_EQ(message.find("Neither"), std::string::npos) << message;
}

TEST_F(TensorFlowImport, ListsUsedResultsOfWhatIsLeftOut) {
  const std::string text =
      graph(scalar_input("x", "FLOAT") + node("text", "StringFormat", {"x"}) + node("a", "StringLower", {"text"}) +
            node("b", "StringUpper", {"text"}) + node("c", "NoSuchOp", {"x"}));
  const std::string message = error(text, {"a", "b", "c"});
  for (const char* expected : {"2 things", "StringFormat \"text\"", "NoSuchOp \"c\"", "--outputs"}) {
    EXPECT_NE(message.find(expected), std::string::npos) << expected << " in " << message;
  }
}

TEST_F(TensorFlowImport, TellsTheInputsOfAnUnknownInput) {
  Options options;
  options.input_dims["q"] = {};
  const std::string text = graph(scalar_input("x", "FLOAT") + node("y", "Neg", {"x"}));
  EXPECT_THROW(read_graphdef(Bytes::from_string(text), "t", true, options, inference), Error);
}

TEST_F(TensorFlowImport, InlinesCalls) {
  const std::string twice = function("twice", {"v"}, node("sum", "AddV2", {"v", "v"}), {{"out", "sum:z:0"}});
  const std::string text =
      graph(constant("a", 5) + node("call", "PartitionedCall", {"a"}, func("f", "twice"))) + library(twice);
  EXPECT_EQ(value(text, "call"), 10);
}

// A read that comes before a change by a control edge only gives the old value, whatever is asked for first.
TEST_F(TensorFlowImport, ReadsBeforeALaterChange) {
  const std::string int32 = type("dtype", "INT32");
  const std::string text = graph(
      node("v", "VarHandleOp", {}, int32 + attr("shape", "shape {}")) + constant("five", 5) + constant("two", 2) +
      node("set", "AssignVariableOp", {"v", "five"}, int32) + node("before", "ReadVariableOp", {"v", "^set"}, int32) +
      node("more", "AssignAddVariableOp", {"v", "two", "^before"}, int32) +
      node("after", "ReadVariableOp", {"v", "^more"}, int32) + node("difference", "Sub", {"after", "before"}));
  EXPECT_EQ(value(text, "difference"), 2);
}

TEST_F(TensorFlowImport, WritesIntoVariables) {
  const std::string int32 = type("dtype", "INT32");
  const std::string ints = "tensor { dtype: DT_INT32 tensor_shape { dim { size: ";
  const auto vector = [&](const std::string& name, size_t size, const std::string& values) {
    return node(name, "Const", {}, int32 + attr("value", ints + std::to_string(size) + " } } " + values + " }"));
  };
  const std::string text =
      graph(node("v", "VarHandleOp", {}, int32 + attr("shape", "shape { dim { size: 3 } }")) +
            vector("start", 3, "int_val: 1 int_val: 2 int_val: 3") + vector("rows", 2, "int_val: 0 int_val: 2") +
            constant("ten", 10) + constant("one", 1) + node("set", "AssignVariableOp", {"v", "start"}, int32) +
            node("add", "ResourceScatterAdd", {"v", "rows", "ten", "^set"}, int32) + vector("from", 1, "int_val: 1") +
            vector("to", 1, "int_val: 3") + vector("step", 1, "int_val: 1") +
            node("slice", "ResourceStridedSliceAssign", {"v", "from", "to", "step", "one", "^add"}) +
            node("read", "ReadVariableOp", {"v", "^slice"}, int32) + constant("axis", 0) +
            node("sum", "Sum", {"read", "axis"}));
  EXPECT_EQ(count(*read(text, {"sum"}).graph, "ScatterElements"), 2U);
}

TEST_F(TensorFlowImport, ReadsTheGraphOfACheckpoint) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "onward_checkpoint";
  std::filesystem::create_directories(folder);
  const std::string nodes = graph(scalar_input("x", "FLOAT") + node("y", "Exp", {"x"}) + node("z", "Neg", {"y"}));
  std::ofstream(folder / "model.ckpt-7.meta") << "graph_def { " << nodes << " }";
  std::ofstream(folder / "checkpoint") << "model_checkpoint_path: \"/elsewhere/model.ckpt-7\"\n";
  Options options;
  options.outputs = {"y"};
  for (const std::filesystem::path& path : {folder, folder / "model.ckpt-7.meta", folder / "model.ckpt-7"}) {
    const ir::Model model = read_checkpoint(path, options, inference);
    EXPECT_EQ(model.graph->inputs().at(0)->name, "x");
    EXPECT_EQ(count(*model.graph, "Exp"), 1U);
  }
  EXPECT_THROW(read_checkpoint(folder, {}, inference), Error);  // no outputs
  EXPECT_THROW(read_checkpoint(folder / "other", options, inference), Error);
  std::filesystem::remove_all(folder);
}

TEST_F(TensorFlowImport, NamesTheFunctionOfABlocker) {
  const std::string inner = function("inner", {"v"}, node("odd", "NoSuchOp", {"v"}), {{"out", "odd:y:0"}});
  const std::string text =
      graph(scalar_input("a", "INT32") + node("call", "PartitionedCall", {"a"}, func("f", "inner"))) + library(inner);
  EXPECT_NE(error(text, {"call"}).find("function inner"), std::string::npos);
}

TEST_F(TensorFlowImport, RefusesFunctionsThatCallThemselves) {
  const std::string loop =
      function("f", {"v"}, node("again", "PartitionedCall", {"v"}, func("f", "f")), {{"out", "again:output:0"}});
  const std::string text =
      graph(constant("a", 5) + node("call", "PartitionedCall", {"a"}, func("f", "f"))) + library(loop);
  EXPECT_NE(error(text, {"call"}).find("too deeply"), std::string::npos);
}

TEST_F(TensorFlowImport, RefusesCycles) {
  const std::string text = graph(node("a", "Neg", {"b"}) + node("b", "Neg", {"a"}));
  EXPECT_NE(error(text, {"a"}).find("cycle"), std::string::npos);
  EXPECT_NE(error(graph(node("a", "Neg", {"zz"})), {"a"}).find("zz"), std::string::npos);
}

const std::string kBranches = function("yes", {"v"}, node("sum", "AddV2", {"v", "v"}), {{"out", "sum:z:0"}}) +
                              function("no", {"v"}, node("negative", "Neg", {"v"}), {{"out", "negative:y:0"}});
const std::string kBranchAttrs = func("then_branch", "yes") + func("else_branch", "no");

TEST_F(TensorFlowImport, TurnsIfIntoIf) {
  const std::string text = graph(scalar_input("p", "BOOL") + scalar_input("x", "INT32") +
                                 node("if", "StatelessIf", {"p", "x"}, kBranchAttrs)) +
                           library(kBranches);
  const ir::Model model = read(text, {"if"});
  ASSERT_EQ(count(*model.graph, "If"), 1U);
  const ir::Graph& branch = *model.graph->nodes().front().attrs.at("then_branch").as_graph();
  EXPECT_EQ(count(branch, "Add"), 1U);
}

TEST_F(TensorFlowImport, KeepsOnlyTheBranchOfAConstantCondition) {
  const std::string text =
      graph(constant("p", 1) + constant("x", 6) + node("if", "StatelessIf", {"p", "x"}, kBranchAttrs)) +
      library(kBranches);
  EXPECT_EQ(value(text, "if"), 12);
}

// while (i < n) { i += 1; list[i] = i * 2 }
const std::string kLoop =
    function("cond", {"i", "n", "list"}, node("less", "Less", {"i", "n"}), {{"go", "less:z:0"}}) +
    function("body", {"i", "n", "list"},
             constant("one", 1) + node("next", "AddV2", {"i", "one:output:0"}) + node("double", "AddV2", {"i", "i"}) +
                 node("set", "TensorListSetItem", {"list", "i", "double:z:0"}) + node("same", "Identity", {"n"}),
             {{"a", "next:z:0"}, {"b", "same:output:0"}, {"c", "set:output_handle:0"}});

TEST_F(TensorFlowImport, CollectsListsAsScanOutputs) {
  const std::string text =
      graph(scalar_input("n", "INT32") + constant("zero", 0) + constant("any", -1) +
            node("list", "TensorListReserve", {"any", "n"}, type("element_dtype", "INT32")) +
            node("while", "StatelessWhile", {"zero", "n", "list"}, func("cond", "cond") + func("body", "body")) +
            node("stack", "TensorListStack", {"while:2", "any"}, type("element_dtype", "INT32"))) +
      library(kLoop);
  const ir::Model model = read(text, {"stack", "while:0"});
  ASSERT_EQ(count(*model.graph, "Loop"), 1U);
  EXPECT_EQ(count(*model.graph, "Pad"), 0U);
  for (const ir::Node& loop : model.graph->nodes()) {
    if (!loop.is("Loop")) continue;
    EXPECT_NE(loop.input(0), nullptr) << "the number of rounds is known";
    // The counter is carried, the list is a scan output, the limit neither.
    EXPECT_EQ(loop.attrs.at("body").as_graph()->inputs().size(), 3U);
    EXPECT_EQ(loop.outputs().size(), 2U);
  }
}

TEST_F(TensorFlowImport, TurnsSwitchAndMergeIntoIf) {
  const std::string text = graph(scalar_input("p", "BOOL") + scalar_input("x", "INT32") + scalar_input("y", "INT32") +
                                 node("s", "Switch", {"x", "p"}) + node("t", "AddV2", {"s:1", "y"}) +
                                 node("f", "Neg", {"s"}) + node("m", "Merge", {"f", "t"}) + node("z", "Neg", {"m"}));
  const ir::Model model = read(text, {"z"});
  ASSERT_EQ(count(*model.graph, "If"), 1U);
  for (const ir::Node& node : model.graph->nodes()) {
    if (!node.is("If")) continue;
    EXPECT_EQ(count(*node.attrs.at("then_branch").as_graph(), "Add"), 1U);
    EXPECT_EQ(count(*node.attrs.at("else_branch").as_graph(), "Neg"), 1U);
  }
}

TEST_F(TensorFlowImport, TurnsEnterAndExitIntoLoop) {
  const std::string frame = attr("frame_name", "s: 'loop'");
  const std::string text = graph(
      scalar_input("n", "INT32") + constant("zero", 0) + node("enter", "Enter", {"zero"}, frame) +
      node("limit", "Enter", {"n"}, frame + attr("is_constant", "b: true")) +
      node("merge", "Merge", {"enter", "next"}) + node("less", "Less", {"merge", "limit"}) +
      node("cond", "LoopCond", {"less"}) + node("switch", "Switch", {"merge", "cond"}) +
      node("body", "Identity", {"switch:1"}) + constant("one", 1, "^body") + node("add", "AddV2", {"body", "one"}) +
      node("next", "NextIteration", {"add"}) + node("exit", "Exit", {"switch"}));
  const ir::Model model = read(text, {"exit"});
  ASSERT_EQ(count(*model.graph, "Loop"), 1U);
  EXPECT_EQ(value(graph(constant("n", 0)) + text.substr(text.find('\n') + 1), "exit"), 0);
}

TEST_F(TensorFlowImport, FreezesVariablesByTheirPlaceInTheProgram) {
  const std::filesystem::path folder = std::filesystem::path(ONWARD_SOURCE_DIR) / "tests/formats/tensorflow/counter";
  const ir::Model model = read_saved_model(folder, Options(), inference);
  EXPECT_EQ(model.graph->output_names(), (std::vector<std::string>{"sum", "words"}));
  const ir::Node* add = model.graph->outputs()[0]->producer();
  ASSERT_TRUE(add != nullptr && add->is("Add"));
  EXPECT_EQ(add->input(1)->constant()->floats(), (std::vector<float>{10, 20}));
  EXPECT_EQ(add->input(0)->producer()->input(1)->constant()->floats(), (std::vector<float>{1, 2}));
  Options wrong;
  wrong.signature = "nope";
  EXPECT_THROW(read_saved_model(folder, wrong, inference), Error);
  wrong = Options();
  wrong.tag = "train";
  EXPECT_THROW(read_saved_model(folder, wrong, inference), Error);
}

}  // namespace
}  // namespace onward::importer
