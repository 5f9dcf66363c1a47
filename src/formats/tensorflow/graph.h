// TensorFlow graphs as plain structs: nodes, attributes, functions. What GraphDef and its kin hold, without protobuf.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "formats/array.h"
#include "formats/tensorflow/types.h"

namespace onward::tensorflow {

class AttrValue;
using Attrs = std::map<std::string, AttrValue, std::less<>>;

// A function by name, with what its type parameters are bound to.
struct FunctionRef {
  std::string name;
};

class AttrValue {
 public:
  struct List {
    std::vector<std::string> strings;
    std::vector<int64_t> ints;
    std::vector<float> floats;
    std::vector<bool> bools;
    std::vector<DataType> types;
    std::vector<PartialShape> shapes;
    std::vector<FunctionRef> functions;
  };
  struct Shape {
    PartialShape value;
  };
  struct Placeholder {
    std::string name;  // of an attribute of the enclosing function
  };
  using Value = std::variant<std::monostate, std::string, int64_t, float, bool, DataType, Shape, Array, Placeholder,
                             FunctionRef, List>;

  AttrValue() = default;
  explicit AttrValue(Value value) : value_(std::move(value)) {}

  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }

 private:
  Value value_;
};

struct Node {
  std::string name;
  std::string op;
  std::vector<std::string> inputs;  // "node", "node:1", "node:output:0" in functions, "^node" for control
  Attrs attrs;
};

struct Argument {
  std::string name;
  DataType type = DataType::kInvalid;  // kInvalid where an attribute tells it
  std::string type_attr;
  std::string number_attr;
  std::string type_list_attr;
};

struct Function {
  std::string name;
  std::vector<Argument> inputs;
  std::vector<Argument> outputs;
  std::vector<Node> nodes;
  std::map<std::string, std::string> returns;  // output → "node:output:0"
  std::vector<std::string> control_returns;    // nodes that must have run
  std::map<uint32_t, Attrs> argument_attrs;
};

struct Graph {
  std::vector<Node> nodes;
  std::map<std::string, Function, std::less<>> functions;
  int32_t producer = 0;
};

// Parses a frozen GraphDef. Throws Error: kDataLoss for damaged bytes (and for what is no GraphDef), kResourceExhausted
// for more than 2 GiB.
Graph read_graph(const Bytes& file, std::string_view what);
// The same in protobuf's text form (.pbtxt); fields that are not known are passed over.
Graph read_graph_text(const Bytes& file, std::string_view what);

}  // namespace onward::tensorflow
