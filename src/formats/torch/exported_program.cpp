#include "formats/torch/exported_program.h"

#include <array>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace onward::torchfile {
namespace {

using Kind = ExportedArgument::Kind;

constexpr int kMaxDepth = 64;  // of graphs within graphs
constexpr int64_t kSchemaMajor = 8;
constexpr int64_t kStrided = 7;

// --- arguments -------------------------------------------------------------------------------------------------------

// The only member of a one-key object, which tells what kind of thing it holds.
const Json::Member& only_member(const Json& json) {
  const Json::Object& members = json.as_object();
  if (members.size() != 1) {
    fail_data("a tagged value has " + std::to_string(members.size()) + " tags");
  }
  return members.front();
}

SymbolicInt parse_expression(const Json& json) {
  const Json* text = json.find("expr_str");
  return {std::nullopt, text != nullptr ? text->as_string() : json.at("expr").as_string()};
}

SymbolicInt parse_symbolic(const Json& json) {
  const auto& [tag, value] = only_member(json);
  if (tag == "as_int") return {value.as_int(), {}};
  if (tag == "as_expr") return parse_expression(value);
  // sym_float_values and sym_bool_values hold known values under other tags; nothing needs those.
  return {};
}

double parse_float(const Json& json) {
  if (!json.is_string()) return json.as_double();
  const std::string& text = json.as_string();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  fail_data("\"" + text + "\" is no number");
}

ExportedArgument named(Kind kind, std::string text) {
  ExportedArgument argument;
  argument.kind = kind;
  argument.text = std::move(text);
  return argument;
}

ExportedArgument numbered(Kind kind, int64_t value) {
  ExportedArgument argument;
  argument.kind = kind;
  argument.integer = value;
  return argument;
}

ExportedArgument real(double value) {
  ExportedArgument argument;
  argument.kind = Kind::kFloat;
  argument.number = value;
  return argument;
}

ExportedArgument dtype_argument(const Json& json) {
  const std::string dtype = exported_dtype(json.as_int());
  if (dtype.empty()) fail_data("element type " + std::to_string(json.as_int()) + " is not known");
  return named(Kind::kDType, dtype);
}

ExportedArgument tensor_argument(const Json& json) { return named(Kind::kTensor, json.at("name").as_string()); }

// A number that may be known: {"as_name": …}, {"as_int": …}, {"as_float": …}, {"as_bool": …}.
ExportedArgument symbolic_argument(const Json& json) {
  const auto& [tag, value] = only_member(json);
  if (tag == "as_name") return named(Kind::kSymbol, value.as_string());
  if (tag == "as_int") return numbered(Kind::kInt, value.as_int());
  if (tag == "as_float") return real(parse_float(value));
  if (tag == "as_bool") return numbered(Kind::kBool, value.as_bool() ? 1 : 0);
  if (tag == "as_expr") return named(Kind::kExpression, parse_expression(value).expression);
  fail_data("a number is tagged \"" + tag + "\"");
}

ExportedArgument optional_tensor(const Json& json) {
  const auto& [tag, value] = only_member(json);
  return tag == "as_none" ? ExportedArgument() : tensor_argument(value);
}

ExportedArgument int_argument(const Json& json) { return numbered(Kind::kInt, json.as_int()); }
ExportedArgument bool_argument(const Json& json) { return numbered(Kind::kBool, json.as_bool() ? 1 : 0); }
ExportedArgument float_argument(const Json& json) { return real(parse_float(json)); }
ExportedArgument string_argument(const Json& json) { return named(Kind::kString, json.as_string()); }
ExportedArgument none_argument(const Json&) { return {}; }
ExportedArgument memory_format(const Json& json) { return numbered(Kind::kMemoryFormat, json.as_int()); }
ExportedArgument layout(const Json& json) { return numbered(Kind::kLayout, json.as_int()); }
ExportedArgument operator_argument(const Json& json) { return named(Kind::kOperator, json.as_string()); }

ExportedArgument device(const Json& json) {
  std::string text = json.at("type").as_string();
  if (const Json* index = json.find("index"); index != nullptr && index->is_int()) {
    text += ":" + std::to_string(index->as_int());
  }
  return named(Kind::kDevice, std::move(text));
}

ExportedArgument complex_argument(const Json& json) {
  ExportedArgument argument;
  argument.kind = Kind::kComplex;
  argument.number = parse_float(json.at("real"));
  argument.imaginary = parse_float(json.at("imag"));
  return argument;
}

ExportedArgument custom_object(const Json& json) {
  ExportedArgument argument = named(Kind::kCustomObject, json.at("name").as_string());
  argument.other = json.get("class_fqn", "");
  return argument;
}

template <ExportedArgument (*Item)(const Json&)>
ExportedArgument list_of(const Json& json) {
  ExportedArgument list;
  list.kind = Kind::kList;
  for (const Json& item : json.as_array()) list.items.push_back(Item(item));
  return list;
}

struct Tag {
  std::string_view name;
  ExportedArgument (*parse)(const Json&);
};
constexpr std::array kTags = std::to_array<Tag>({
    {"as_none", none_argument},
    {"as_tensor", tensor_argument},
    {"as_tensors", list_of<tensor_argument>},
    {"as_nested_tensors", list_of<list_of<tensor_argument>>},
    {"as_optional_tensor", optional_tensor},
    {"as_optional_tensors", list_of<optional_tensor>},
    {"as_int", int_argument},
    {"as_ints", list_of<int_argument>},
    {"as_int_lists", list_of<list_of<int_argument>>},
    {"as_float", float_argument},
    {"as_floats", list_of<float_argument>},
    {"as_float_lists", list_of<list_of<float_argument>>},
    {"as_bool", bool_argument},
    {"as_bools", list_of<bool_argument>},
    {"as_string", string_argument},
    {"as_strings", list_of<string_argument>},
    {"as_complex", complex_argument},
    {"as_sym_int", symbolic_argument},
    {"as_sym_ints", list_of<symbolic_argument>},
    {"as_sym_float", symbolic_argument},
    {"as_sym_floats", list_of<symbolic_argument>},
    {"as_sym_bool", symbolic_argument},
    {"as_sym_bools", list_of<symbolic_argument>},
    {"as_scalar_type", dtype_argument},
    {"as_memory_format", memory_format},
    {"as_layout", layout},
    {"as_device", device},
    {"as_operator", operator_argument},
    {"as_custom_obj", custom_object},
});

ExportedGraph parse_graph(const Json& json, int depth);

ExportedArgument parse_argument(const Json& json, int depth) {
  const auto& [tag, value] = only_member(json);
  if (tag == "as_graph") {
    ExportedArgument argument = named(Kind::kGraph, value.at("name").as_string());
    argument.graph = std::make_shared<const ExportedGraph>(parse_graph(value.at("graph"), depth + 1));
    return argument;
  }
  for (const Tag& known : kTags) {
    if (known.name == tag) return known.parse(value);
  }
  fail_unsupported("an argument is of a kind that this version does not know: \"" + tag + "\"");
}

// --- graphs ----------------------------------------------------------------------------------------------------------

ExportedNode parse_node(const Json& json, int depth) {
  ExportedNode node;
  node.target = json.at("target").as_string();
  node.name = json.get("name", "");
  for (const Json& input : json.at("inputs").as_array()) {
    NamedArgument argument{input.get("name", ""), parse_argument(input.at("arg"), depth), std::nullopt};
    if (const Json* kind = input.find("kind"); kind != nullptr && kind->is_int()) {
      if (kind->as_int() != 0) argument.keyword = kind->as_int() == 2;
    }
    node.inputs.push_back(std::move(argument));
  }
  for (const Json& output : json.at("outputs").as_array()) node.outputs.push_back(parse_argument(output, depth));
  if (const Json* metadata = json.find("metadata"); metadata != nullptr && metadata->is_object()) {
    node.stack_trace = metadata->get("stack_trace", "");
    node.module_stack = metadata->get("nn_module_stack", "");
  }
  return node;
}

ExportedGraph parse_graph(const Json& json, int depth) {
  if (depth > kMaxDepth) fail_data("its graphs are nested too deeply");
  ExportedGraph graph;
  for (const Json& input : json.at("inputs").as_array()) graph.inputs.push_back(parse_argument(input, depth));
  for (const Json& output : json.at("outputs").as_array()) graph.outputs.push_back(parse_argument(output, depth));
  const Json::Array& nodes = json.at("nodes").as_array();
  graph.nodes.reserve(nodes.size());
  for (const Json& node : nodes) {
    try {
      graph.nodes.push_back(parse_node(node, depth));
    } catch (const Error& error) {
      throw error.within("node " + std::to_string(graph.nodes.size()) + " (" + node.get("target", "?") + ")");
    }
  }
  for (const auto& [name, meta] : json.at("tensor_values").as_object()) graph.tensors[name] = parse_tensor_meta(meta);
  for (const char* table : {"sym_int_values", "sym_float_values", "sym_bool_values"}) {
    const Json* values = json.find(table);
    if (values == nullptr || !values->is_object()) continue;
    for (const auto& [name, value] : values->as_object()) graph.numbers[name] = parse_symbolic(value);
  }
  return graph;
}

// --- the signature ---------------------------------------------------------------------------------------------------

// {"name": "p_weight"} of parameters, buffers and tokens.
ExportedArgument plain_argument(const Json& json) { return tensor_argument(json.at("arg")); }

InputSpec parse_input_spec(const Json& json) {
  const auto& [tag, value] = only_member(json);
  InputSpec spec;
  if (tag == "user_input") {
    spec.argument = parse_argument(value.at("arg"), 0);
  } else if (tag == "constant_input") {
    spec.kind = InputSpec::Kind::kConstant;
    spec.target = value.at("name").as_string();
    spec.argument = parse_argument(value.at("value"), 0);
  } else if (tag == "token") {
    spec.kind = InputSpec::Kind::kToken;
    spec.argument = plain_argument(value);
  } else if (tag == "custom_obj") {
    spec.kind = InputSpec::Kind::kCustomObject;
    spec.argument = custom_object(value.at("arg"));
    spec.target = value.at("custom_obj_name").as_string();
  } else {
    spec.argument = plain_argument(value);
    if (tag == "parameter") {
      spec.kind = InputSpec::Kind::kParameter;
      spec.target = value.at("parameter_name").as_string();
    } else if (tag == "buffer") {
      spec.kind = InputSpec::Kind::kBuffer;
      spec.target = value.at("buffer_name").as_string();
    } else if (tag == "tensor_constant") {
      spec.kind = InputSpec::Kind::kTensorConstant;
      spec.target = value.at("tensor_constant_name").as_string();
    } else {
      fail_unsupported("an input is of a kind that this version does not know: \"" + tag + "\"");
    }
  }
  return spec;
}

OutputSpec parse_output_spec(const Json& json) {
  const auto& [tag, value] = only_member(json);
  OutputSpec spec;
  if (tag == "user_output") {
    spec.argument = parse_argument(value.at("arg"), 0);
    return spec;
  }
  spec.argument = plain_argument(value);
  if (tag == "loss_output") {
    spec.kind = OutputSpec::Kind::kLoss;
  } else if (tag == "buffer_mutation") {
    spec.kind = OutputSpec::Kind::kBufferMutation;
    spec.target = value.at("buffer_name").as_string();
  } else if (tag == "parameter_mutation") {
    spec.kind = OutputSpec::Kind::kParameterMutation;
    spec.target = value.at("parameter_name").as_string();
  } else if (tag == "user_input_mutation") {
    spec.kind = OutputSpec::Kind::kInputMutation;
    spec.target = value.at("user_input_name").as_string();
  } else if (tag == "gradient_to_parameter" || tag == "gradient_to_user_input") {
    spec.kind = OutputSpec::Kind::kGradient;
  } else if (tag == "token") {
    spec.kind = OutputSpec::Kind::kToken;
  } else {
    fail_unsupported("an output is of a kind that this version does not know: \"" + tag + "\"");
  }
  return spec;
}

void parse_signature(const Json& json, ExportedProgram& program) {
  for (const Json& spec : json.at("input_specs").as_array()) program.inputs.push_back(parse_input_spec(spec));
  for (const Json& spec : json.at("output_specs").as_array()) program.outputs.push_back(parse_output_spec(spec));
  if (program.inputs.size() != program.graph.inputs.size() || program.outputs.size() != program.graph.outputs.size()) {
    fail_data("its signature and its graph differ in their inputs or outputs");
  }
}

// The root module's entry tells how its result is flattened.
void parse_module_call_graph(const Json& json, ExportedProgram& program) {
  for (const Json& entry : json.as_array()) {
    if (!entry.get("fqn", "?").empty()) continue;
    if (const Json* signature = entry.find("signature"); signature != nullptr && signature->is_object()) {
      program.out_spec = signature->get("out_spec", "");
    }
  }
}

void parse_ranges(const Json& json, ExportedProgram& program) {
  const auto bound = [](const Json& value) -> std::optional<int64_t> {
    if (value.is_int()) return value.as_int();
    return std::nullopt;  // none, or an infinity
  };
  for (const auto& [symbol, range] : json.as_object()) {
    program.range_constraints[symbol] = {bound(range["min_val"]), bound(range["max_val"])};
  }
}

void parse_schema(const Json& json, ExportedProgram& program) {
  const Json& schema = json.at("schema_version");
  if (schema.is_int()) {  // before 8
    program.schema_major = schema.as_int();
  } else {
    program.schema_major = schema.at("major").as_int();
    program.schema_minor = schema.at("minor").as_int();
  }
  if (program.schema_major == kSchemaMajor) return;
  const bool older = program.schema_major < kSchemaMajor;
  fail_unsupported("the archive has schema " + std::to_string(program.schema_major) +
                       ", this version of Onward reads schema " + std::to_string(kSchemaMajor),
                   older ? "export the model again with torch 2.5 or newer" : "use a newer version of Onward");
}

ExportedProgram parse(const Json& json) {
  ExportedProgram program;
  parse_schema(json, program);
  program.torch_version = json.get("torch_version", "");
  const Json& module = json.at("graph_module");
  program.graph = parse_graph(module.at("graph"), 0);
  parse_signature(module.at("signature"), program);
  if (const Json* calls = module.find("module_call_graph")) parse_module_call_graph(*calls, program);
  if (const Json* fields = module.find("treespec_namedtuple_fields"); fields != nullptr && fields->is_object()) {
    for (const auto& [name, definition] : fields->as_object()) {
      for (const Json& field : definition.at("field_names").as_array())
        program.namedtuple_fields[name].push_back(field.as_string());
    }
  }
  if (const Json* ranges = json.find("range_constraints")) parse_ranges(*ranges, program);
  if (const Json* guards = json.find("guards_code"); guards != nullptr && guards->is_array()) {
    for (const Json& guard : guards->as_array()) {
      if (guard.is_string()) program.guards.push_back(guard.as_string());
    }
  }
  return program;
}

}  // namespace

std::string exported_dtype(int64_t scalar_type) {
  switch (scalar_type) {
    case 1:
      return "uint8";
    case 2:
      return "int8";
    case 3:
      return "int16";
    case 4:
      return "int32";
    case 5:
      return "int64";
    case 6:
      return "float16";
    case 7:
      return "float32";
    case 8:
      return "float64";
    case 9:
      return "complex32";
    case 10:
      return "complex64";
    case 11:
      return "complex128";
    case 12:
      return "bool";
    case 13:
      return "bfloat16";
    case 28:
      return "uint16";
    case 29:
      return "float8_e4m3fn";
    case 30:
      return "float8_e5m2";
    case 31:
      return "float8_e4m3fnuz";
    case 32:
      return "float8_e5m2fnuz";
    case 33:
      return "float8_e8m0fnu";
    case 34:
      return "uint32";
    case 35:
      return "uint64";
    default:
      return {};
  }
}

TensorMeta parse_tensor_meta(const Json& json) {
  TensorMeta meta;
  meta.dtype = exported_dtype(json.at("dtype").as_int());
  if (meta.dtype.empty()) {
    fail_unsupported("elements of type number " + std::to_string(json.at("dtype").as_int()) + " are not known");
  }
  for (const Json& size : json.at("sizes").as_array()) meta.sizes.push_back(parse_symbolic(size));
  for (const Json& stride : json.at("strides").as_array()) meta.strides.push_back(parse_symbolic(stride));
  if (const Json* offset = json.find("storage_offset")) meta.storage_offset = parse_symbolic(*offset);
  meta.requires_grad = json.get("requires_grad", false);
  meta.strided = json.get("layout", kStrided) == kStrided;
  return meta;
}

ExportedProgram parse_exported_program(std::string_view json, std::string_view what) {
  try {
    return parse(Json::parse(json));
  } catch (const Error& error) {
    // A missing key or a value of another kind means that the file is damaged, not that the user's call was wrong.
    const Code code = error.code() == Code::kUnimplemented ? Code::kUnimplemented : Code::kDataLoss;
    throw Error(code, error.message(), error.hint()).within(what);
  }
}

}  // namespace onward::torchfile
