// Small .pt2 archives for tests, written by hand: y = relu(x * w), with x of [s0, 2] and the parameter "layer.w" of
// [2].
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "formats/zip.h"

namespace onward::testing_pt2 {

inline const std::string kMeta =  // of a float tensor with the sizes SIZES
    R"({"dtype": 7, "sizes": SIZES, "requires_grad": false, "device": {"type": "cpu", "index": null}, "strides": STRIDES,
        "storage_offset": {"as_int": 0}, "layout": 7})";

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

inline std::string meta(const std::string& sizes, const std::string& strides) {
  return replaced(replaced(kMeta, "SIZES", sizes), "STRIDES", strides);
}

inline std::string tensor(const std::string& name) { return R"({"as_tensor": {"name": ")" + name + "\"}}"; }

inline std::string symbolic_meta(const std::string& expression) {
  return meta(R"([{"as_expr": {"expr_str": ")" + expression + R"(", "hint": null}}, {"as_int": 2}])",
              R"([{"as_int": 2}, {"as_int": 1}])");
}

inline std::string node(const std::string& target, const std::string& inputs, const std::string& output) {
  const std::string metadata = R"json({"stack_trace": "File \"/home/me/net.py\", line 7, in forward\n    self.layer(x)",
      "nn_module_stack": "L__self__,,net.Net;L__self___layer,layer,net.Layer"})json";
  return R"({"target": ")" + target + R"(", "inputs": [)" + inputs + R"(], "outputs": [)" + output +
         R"(], "metadata": )" + metadata + "}";
}

inline std::string argument(const std::string& name, const std::string& value) {
  return R"({"name": ")" + name + R"(", "arg": )" + value + R"(, "kind": 1})";
}

inline const std::string kSymbol = "Symbol('s0', positive=True, integer=True)";

inline std::string default_nodes() {
  return node("torch.ops.aten.mul.Tensor", argument("self", tensor("x")) + "," + argument("other", tensor("p_w")),
              tensor("mul")) +
         "," + node("torch.ops.aten.relu.default", argument("self", tensor("mul")), tensor("relu"));
}

// The program with other nodes than those of the default one.
inline std::string program(const std::string& nodes = default_nodes()) {
  const std::string shape = symbolic_meta(kSymbol);
  return R"({"graph_module": {"graph": {"inputs": [)" + tensor("p_w") + "," + tensor("x") + R"(], "outputs": [)" +
         tensor("relu") + R"(], "nodes": [)" + nodes + R"(], "tensor_values": {"p_w": )" +
         meta(R"([{"as_int": 2}])", R"([{"as_int": 1}])") + R"(, "x": )" + shape + R"(, "mul": )" + shape +
         R"(, "relu": )" + shape + R"(}, "sym_int_values": {}, "sym_bool_values": {}},
         "signature": {"input_specs": [
           {"parameter": {"arg": {"name": "p_w"}, "parameter_name": "layer.w"}},
           {"user_input": {"arg": )" +
         tensor("x") + R"(}}],
           "output_specs": [{"user_output": {"arg": )" +
         tensor("relu") + R"(}}]},
         "module_call_graph": []}, "opset_version": {"aten": 10},
         "range_constraints": {"s0": {"min_val": 1, "max_val": 64}},
         "schema_version": {"major": 8, "minor": 20}, "torch_version": "2.13.0"})";
}

inline const std::string kWeight("\0\0\x80\x3f\0\0\0\x40", 8);  // 1, 2

inline std::string weights_config() {
  return R"({"config": {"layer.w": {"path_name": "weight_0", "is_param": true, "use_pickle": false, "tensor_meta": )" +
         meta(R"([{"as_int": 2}])", R"([{"as_int": 1}])") + "}}}";
}

inline Bytes archive(const std::vector<std::pair<std::string, std::string>>& members) {
  zip::Writer writer;
  for (const auto& [name, data] : members) writer.add(name, Bytes::from_string(data));
  std::string file;
  for (const ByteView part : writer.parts()) file += as_text(part);
  return Bytes::from_string(std::move(file));
}

// As torch 2.9 and newer write it, with further members.
inline Bytes pt2(const std::string& json = program(), const std::string& weight = kWeight,
                 const std::vector<std::pair<std::string, std::string>>& further = {}) {
  std::vector<std::pair<std::string, std::string>> members = {
      {"m/archive_format", "pt2"},         {"m/byteorder", "little"},
      {"m/models/model.json", json},       {"m/data/weights/model_weights_config.json", weights_config()},
      {"m/data/weights/weight_0", weight}, {"m/data/constants/model_constants_config.json", R"({"config": {}})"}};
  members.insert(members.end(), further.begin(), further.end());
  return archive(members);
}

}  // namespace onward::testing_pt2
