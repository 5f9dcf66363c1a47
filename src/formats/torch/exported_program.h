// A torch.export program as its JSON holds it: a graph of operator calls with what is known of every value. Plain data,
// no operator knowledge.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace onward::torchfile {

// A size: a number, or a sympy expression as text ("Mul(Integer(8), Symbol('s0', …))").
struct SymbolicInt {
  std::optional<int64_t> value;
  std::string expression;
};

struct TensorMeta {
  std::string dtype;  // PyTorch's name without "torch."
  std::vector<SymbolicInt> sizes;
  std::vector<SymbolicInt> strides;
  SymbolicInt storage_offset;
  bool requires_grad = false;
  bool strided = true;  // no sparse or other layout
};

struct ExportedGraph;

struct ExportedArgument {
  enum class Kind {
    kNone,
    kTensor,        // text: its name
    kSymbol,        // text: the name of a number that only the run will know
    kExpression,    // text: a sympy expression
    kInt,           // integer
    kFloat,         // number
    kBool,          // integer
    kComplex,       // number, imaginary
    kString,        // text
    kDType,         // text: PyTorch's name without "torch."
    kDevice,        // text
    kMemoryFormat,  // integer
    kLayout,        // integer
    kGraph,         // text: its name; graph
    kOperator,      // text
    kCustomObject,  // text: its name; other: its class
    kList,          // items
  };
  Kind kind = Kind::kNone;
  std::string text;
  std::string other;
  int64_t integer = 0;
  double number = 0;
  double imaginary = 0;
  std::vector<ExportedArgument> items;
  std::shared_ptr<const ExportedGraph> graph;
};

struct NamedArgument {
  std::string name;
  ExportedArgument value;
  std::optional<bool> keyword;  // nothing in files that don't tell positional arguments from keywords
};

struct ExportedNode {
  std::string target;  // "torch.ops.aten.add.Tensor"
  std::string name;
  std::vector<NamedArgument> inputs;
  std::vector<ExportedArgument> outputs;
  std::string stack_trace;   // as Python prints it, oldest frame first
  std::string module_stack;  // "key,path,class;…", outermost first
};

struct ExportedGraph {
  std::vector<ExportedArgument> inputs;
  std::vector<ExportedArgument> outputs;
  std::vector<ExportedNode> nodes;
  std::map<std::string, TensorMeta> tensors;
  std::map<std::string, SymbolicInt> numbers;  // of sym_int_values, sym_float_values and sym_bool_values
};

struct InputSpec {
  enum class Kind { kUser, kParameter, kBuffer, kTensorConstant, kCustomObject, kToken, kConstant };
  Kind kind = Kind::kUser;
  ExportedArgument argument;  // of kConstant: the value that the export fixed
  std::string target;         // the parameter's, buffer's or constant's name in the module; of kConstant the input's
};

struct OutputSpec {
  enum class Kind { kUser, kLoss, kBufferMutation, kParameterMutation, kInputMutation, kGradient, kToken };
  Kind kind = Kind::kUser;
  ExportedArgument argument;
  std::string target;
};

struct Range {
  std::optional<int64_t> low;
  std::optional<int64_t> high;
};

struct ExportedProgram {
  int64_t schema_major = 0;
  int64_t schema_minor = 0;
  std::string torch_version;  // "" where the file does not say
  ExportedGraph graph;
  std::vector<InputSpec> inputs;    // one for each of graph.inputs
  std::vector<OutputSpec> outputs;  // one for each of graph.outputs
  std::map<std::string, Range> range_constraints;
  std::vector<std::string> guards;  // what the example inputs made true, as Python: "L['x'].size()[1] == 7"
  // How PyTorch flattens the result ("[1, {"type": "builtins.dict", …}]"); "" where the file does not say.
  std::string out_spec;
  std::map<std::string, std::vector<std::string>> namedtuple_fields;
};

// Throws Error(kDataLoss, "<what>: …") for what is no such program and Error(kUnimplemented) for another major schema.
ExportedProgram parse_exported_program(std::string_view json, std::string_view what);

// The element type's name for a number of the schema's ScalarType; "" for one that is not known.
std::string exported_dtype(int64_t scalar_type);

// A tensor's description as the graph and the weights' tables hold it. Throws as above.
TensorMeta parse_tensor_meta(const Json& json);

}  // namespace onward::torchfile
