// Every case of cases.json: an operator called through the table with the recorded arguments, run in ONNX Runtime,
// gives what PyTorch gave. make_cases.py writes the file and is the one place to add a case.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/json.h"
#include "export/onnx_writer.h"
#include "import/common/complex.h"
#include "import/torch/op_table.h"
#include "passes/pipeline.h"
#include "runtime/session.h"
#include "schema/schema_inference.h"

namespace onward::importer::torch {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

// {"dtype": "float32", "shape": [2], "data": [1, 2]}; complex numbers are pairs of a last dimension.
ir::Tensor tensor_of(const Json& json) {
  const ir::DType dtype = *ir::dtype_from_name(json.at("dtype").as_string());
  const ir::Dims dims = json.at("shape").as_ints();
  if (ir::is_integer(dtype)) return ir::Tensor::from_ints(dtype, dims, json.at("data").as_ints());
  std::vector<double> values;
  for (const Json& item : json.at("data").as_array()) values.push_back(item.as_double());
  return ir::Tensor::from_doubles(dtype, dims, values);
}

class Case {
 public:
  explicit Case(const Json& json) : json_(json), builder_(*model_.graph, inference_) {}

  void run() {
    Arguments arguments;
    for (const Json& arg : json_.at("args").as_array()) arguments.positional.push_back(arg_of(arg));
    for (const auto& [name, arg] : json_.at("kwargs").as_object()) arguments.keywords.emplace_back(name, arg_of(arg));
    const OpTable::Entry* entry =
        op_table().resolve(json_.at("op").as_string(), arguments, json_.at("overload").as_string());
    ASSERT_NE(entry, nullptr) << "no such operator";
    const ir::Values results = OpTable::call(*entry, builder_, arguments);
    const Json::Array& expected = json_.at("results").as_array();
    ASSERT_GE(results.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      if (!expected[i].is_null()) model_.graph->add_output(builder_.Identity(results[i]), "r" + std::to_string(i));
    }
    passes::optimize(*model_.graph, inference_);
    const exporter::Serialized file = exporter::serialize(model_, {});
    std::string bytes;
    for (const Bytes& part : file.parts) bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
    const runtime::Session session = runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), "case");
    const std::vector<ir::Tensor> got = session.run(feeds_);
    size_t next = 0;
    for (const Json& result : expected) {
      if (!result.is_null()) compare(tensor_of(result), got.at(next++));
    }
  }

 private:
  Arg arg_of(const Json& json) {
    if (json.is_null()) return {};
    if (json.is_bool()) return json.as_bool();
    if (json.is_int()) return json.as_int();
    if (json.is_double()) return json.as_double();
    if (json.is_array()) {
      Arg::List list;
      for (const Json& item : json.as_array()) list.push_back(arg_of(item));
      return list;
    }
    if (json.is_string()) {
      const std::string& text = json.as_string();
      if (text.starts_with("dtype:")) return *ir::dtype_from_name(text.substr(6));
      return text;
    }
    feeds_.push_back(tensor_of(json));
    const ir::Tensor& tensor = feeds_.back();
    // Half of the cases see their dimensions as the file's, half as symbols.
    ir::Shape shape = ir::to_shape(tensor.dims());
    if (json_.get("dynamic", false)) {
      for (size_t i = 0; i < shape.size(); ++i)
        shape[i] = ir::Dim("d" + std::to_string(feeds_.size()) + std::to_string(i));
    }
    const bool pairs = json.get("complex", false);
    if (pairs) shape.back() = ir::Dim(2);
    ir::Value* value = model_.graph->add_input("x" + std::to_string(feeds_.size()), tensor.dtype(), shape);
    value->complex = pairs;
    return TensorArg{value};
  }

  void compare(const ir::Tensor& expected, const ir::Tensor& got) {
    ASSERT_EQ(ir::dtype_name(expected.dtype()), ir::dtype_name(got.dtype()));
    ASSERT_EQ(expected.dims(), got.dims());
    const std::vector<double> want = expected.doubles();
    const std::vector<double> have = got.doubles();
    const double tolerance = json_.get("tolerance", ir::is_floating(expected.dtype()) ? 1e-5 : 0.0);
    for (size_t i = 0; i < want.size(); ++i) {
      const bool same = want[i] == have[i] || (std::isnan(want[i]) && std::isnan(have[i])) ||
                        std::abs(want[i] - have[i]) <= tolerance * (1 + std::abs(want[i]));
      ASSERT_TRUE(same) << "element " << i << " is " << have[i] << " instead of " << want[i];
    }
  }

  const Json& json_;
  schema::SchemaInference inference_;
  ir::Model model_;
  ir::Builder builder_;
  std::vector<ir::Tensor> feeds_;
};

TEST(Operators, GiveWhatPyTorchGives) {
  const Json cases = Json::parse(text_of(ONWARD_TEST_DATA "/ops/cases.json"));
  ASSERT_GT(cases.size(), 0U);
  for (const Json& json : cases.as_array()) {
    SCOPED_TRACE(json.at("name").as_string());
    try {
      Case(json).run();
    } catch (const Error& error) {
      ADD_FAILURE() << error.message();
    }
  }
}

TEST(Operators, AreMany) { EXPECT_GE(op_table().entries().size(), 450U); }

TEST(Operators, RefuseComplexNumbersByName) {
  schema::SchemaInference inference;
  ir::Model model;
  ir::Builder builder(*model.graph, inference);
  ir::Value* z = add_input(*model.graph, "z", ir::DType::kComplex64, ir::Shape{3});
  const Arguments arguments{{TensorArg{z}}, {}};
  const OpTable::Entry* entry = op_table().resolve("aten::erf", arguments, "");
  ASSERT_NE(entry, nullptr);
  try {
    OpTable::call(*entry, builder, arguments);
    FAIL() << "erf of complex numbers was translated";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("[aten::erf] complex numbers"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace onward::importer::torch
