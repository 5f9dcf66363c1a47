#include "import/torch/export/graph_reader.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "import/torch/export/higher_order.h"
#include "import/torch/export/listed_parts.h"
#include "import/torch/export/origin.h"
#include "import/torch/export/targets.h"
#include "import/torch/export/vmap.h"
#include "import/torch/script/builtins.h"
#include "import/torch/script/operators.h"

namespace onward::importer::exported {
namespace {

using torchfile::ExportedArgument;
using torchfile::ExportedGraph;
using torchfile::ExportedNode;
using Kind = ExportedArgument::Kind;

constexpr int kMaxDepth = 64;
constexpr int64_t kStrided = 7;

Py dtype_number(const std::string& name) {
  const std::optional<ir::DType> dtype = ir::dtype_from_name(name);
  if (!dtype) fail_unsupported("ONNX has no element type " + name);
  return script::number_of_dtype(*dtype);
}

bool is_untranslated_tensor(script::Machine& machine, const Py& value) {
  if (value.is_tensor()) return is_untranslated(machine.value(value));
  if (!value.has_items()) return false;
  const Items& items = value.items();
  return std::any_of(items.begin(), items.end(), [&](const Py& item) { return is_untranslated_tensor(machine, item); });
}

script::Symbolic::Kind number_kind(const ir::Value* value) {
  if (value->dtype == ir::DType::kBool) return script::Symbolic::Kind::kBool;
  return ir::is_floating(value->dtype) ? script::Symbolic::Kind::kFloat : script::Symbolic::Kind::kInt;
}

}  // namespace

GraphReader::GraphReader(ir::Builder& builder, Blockers& blockers, Symbols& symbols)
    : Machine(builder, script::table_operators(blockers)), blockers_(blockers), symbols_(symbols) {}

Py GraphReader::call_method(const Py&, const std::string& name, Items) {
  fail_unsupported("a method \"" + name + "\" of an object is called");
}

std::shared_ptr<const ir::Origin> GraphReader::origin() const {
  return node_ == nullptr ? std::make_shared<const ir::Origin>() : origin_of(*node_);
}

// --- graphs ----------------------------------------------------------------------------------------------------------

// Puts the reader back, at the end of a graph, to the place that called it.
class GraphReader::Entered {
 public:
  Entered(GraphReader& reader, const ExportedGraph& graph) : reader_(reader), node_(reader.node_) {
    if (reader.depth_ >= kMaxDepth) fail_data("the graphs are nested too deeply");
    ++reader.depth_;
    scope_.graph = &graph;
    scope_.outer = reader.scope_;
    reader.scope_ = &scope_;
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() {
    --reader_.depth_;
    reader_.scope_ = scope_.outer;
    reader_.node_ = node_;
  }

 private:
  GraphReader& reader_;
  const ExportedNode* node_;
  Scope scope_;
};

Items GraphReader::run(const ExportedGraph& graph, const Items& inputs) {
  if (inputs.size() != graph.inputs.size()) {
    fail_data("a graph with " + std::to_string(graph.inputs.size()) + " inputs is called with " +
              std::to_string(inputs.size()));
  }
  const Entered entered(*this, graph);
  Scope& scope = *scope_;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ExportedArgument& input = graph.inputs[i];
    const bool named = input.kind == Kind::kTensor || input.kind == Kind::kSymbol;
    if (named && !inputs[i].is<script::Uninitialized>()) scope.names[input.text] = inputs[i];
  }
  run_nodes(graph.nodes);
  Items outputs;
  for (const ExportedArgument& output : graph.outputs) {
    const auto found = scope.names.find(output.text);
    const bool known = output.kind == Kind::kTensor && found != scope.names.end();
    outputs.push_back(known ? found->second : argument(output));  // some are never used: tokens, changed buffers
  }
  return outputs;
}

void GraphReader::run_nodes(const std::vector<ExportedNode>& nodes) {
  for (size_t i = 0; i < nodes.size(); ++i) {
    if (!Vmap::begins(nodes[i])) {
      run_node(nodes[i]);
      continue;
    }
    attempt(nodes[i], [&] {
      Vmap vmap(*this, nodes, i);
      i = vmap.end();
      vmap.run();
    });
  }
}

void GraphReader::run_node(const ExportedNode& node) {
  attempt(node, [&] {
    if (const std::optional<Py> result = call(node)) bind(node.outputs, *result);
  });
}

void GraphReader::attempt(const ExportedNode& node, const std::function<void()>& work) {
  node_ = &node;
  b().set_origin(origin());
  const auto block = [&](const Error& error) {
    node_ = &node;
    blockers_.add(*origin(), error);
    bind(node.outputs, placeholder(node));
  };
  try {
    work();
  } catch (const script::Raised& raised) {
    block(Error(Code::kUnimplemented, "it fails for every input: " + raised.message));
  } catch (const script::NeedsType& needs) {
    // What a script's input may be assumed to be, the file says of an exported program's.
    block(Error(Code::kInvalidArgument, needs.dtype == ir::DType::kInt64
                                            ? "the indices are no integers"
                                            : "the number of dimensions of a tensor is not known"));
  } catch (const Error& error) {
    node_ = &node;
    if (error.code() != Code::kUnimplemented && error.code() != Code::kInvalidArgument) {
      throw error.within(origin()->op + " \"" + node.name + "\"");
    }
    block(error);
  }
}

Py GraphReader::placeholder(const ExportedNode& node) {
  return Py::tensor(b().foreign("torch", origin_of(node)->op, {}, 1).front());
}

std::optional<Py> GraphReader::call(const ExportedNode& node) {
  if (changes_nothing(node.target)) {
    if (node.outputs.empty() || node.inputs.empty()) return std::nullopt;
    return argument(node.inputs.front().value);
  }
  if (comes_from_offset(node)) return script::Uninitialized{};
  if (node.target == "torch.ops.export.access_subclass_inner_tensor.default") return inner_tensor(node);
  if (HigherOrder::handles(node.target)) return HigherOrder(*this, node).run();
  Items args;
  Kwargs kwargs;
  arguments(node, args, kwargs);
  if (is_untranslated_tensor(*this, Py::list(args))) {
    const std::string name = parse_target(node.target).name;
    if (!script::has_translation(name)) (void)call_operator(name, {});  // its own blocker, not an echo of another
    return placeholder(node);
  }
  std::string target = node.target;
  if (node.outputs.size() == 1 && node.outputs[0].kind == Kind::kList) {
    target = with_listed_parts(*this, target, args, kwargs, node.outputs[0].items.size());
  }
  return call_named(target, std::move(args), std::move(kwargs));
}

// export.access_subclass_inner_tensor(Tensor src_subclass_tensor, str attr)
Py GraphReader::inner_tensor(const ExportedNode& node) {
  if (node.inputs.size() != 2) fail_data("it has " + std::to_string(node.inputs.size()) + " arguments instead of 2");
  const std::string& name = node.inputs[0].value.text;
  const std::string& attribute = node.inputs[1].value.text;
  if (const std::optional<Py> part = source_(name, attribute)) return *part;
  fail_unsupported("its tensor \"" + name + "\" has no tensor \"" + attribute + "\"",
                   "save the program as torch.export.save(program.run_decompositions(), \"model.pt2\")");
}

// Where a view begins in its storage, and what is computed from that: exporters write it for their assertions, which
// nothing needs. ONNX has no storage, so any other use is an error.
bool GraphReader::comes_from_offset(const ExportedNode& node) const {
  if (node.target.starts_with("torch.ops.aten.sym_storage_offset.")) return true;
  if (!node.target.starts_with("_operator.")) return false;
  return std::ranges::any_of(node.inputs, [this](const torchfile::NamedArgument& input) {
    const auto found = scope_->names.find(input.value.text);
    return input.value.kind == Kind::kSymbol && found != scope_->names.end() &&
           found->second.is<script::Uninitialized>();
  });
}

Py GraphReader::call_named(const std::string& target, Items args, Kwargs kwargs) {
  const Target operator_name = parse_target(target);
  if (autocast_ != ir::DType::kUndefined) apply_autocast(*this, operator_name.name, autocast_, result_dtype(), args);
  if (operator_name.to_int) {
    return call_operator("aten::Int", {call_operator(operator_name.name, std::move(args), std::move(kwargs))});
  }
  return call_operator(operator_name.name, std::move(args), std::move(kwargs), operator_name.overload);
}

// What the file says of the node's first result.
ir::DType GraphReader::result_dtype() const {
  if (node_->outputs.empty() || node_->outputs[0].kind != Kind::kTensor) return ir::DType::kUndefined;
  const auto found = scope_->graph->tensors.find(node_->outputs[0].text);
  if (found == scope_->graph->tensors.end()) return ir::DType::kUndefined;
  return ir::dtype_from_name(found->second.dtype).value_or(ir::DType::kUndefined);
}

// --- arguments -------------------------------------------------------------------------------------------------------

void GraphReader::arguments(const ExportedNode& node, Items& args, Kwargs& kwargs) {
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    const torchfile::NamedArgument& input = node.inputs[i];
    const bool keyword = input.keyword.value_or(is_keyword(node.target, input.name, i));
    if (keyword && !input.name.empty()) {
      kwargs.emplace_back(input.name, argument(input.value));
    } else {
      args.push_back(argument(input.value));
    }
  }
}

Py GraphReader::argument(const ExportedArgument& argument) {
  switch (argument.kind) {
    case Kind::kNone:
    case Kind::kMemoryFormat:
      return script::None{};
    case Kind::kTensor:
    case Kind::kSymbol:
      return lookup(argument.text);
    case Kind::kExpression:
      return compute(*this, parse_expression(argument.text), [this](const std::string& s) { return lookup(s); });
    case Kind::kInt:
      return argument.integer;
    case Kind::kFloat:
      return argument.number;
    case Kind::kBool:
      return argument.integer != 0;
    case Kind::kComplex:
      return std::complex<double>(argument.number, argument.imaginary);
    case Kind::kString:
    case Kind::kOperator:
      return argument.text;
    case Kind::kDType:
      return dtype_number(argument.text);
    case Kind::kDevice:
      return script::Device{argument.text};
    case Kind::kLayout:
      if (argument.integer != kStrided) fail_unsupported("a sparse or packed layout has no form in ONNX");
      return script::None{};
    case Kind::kGraph:
      fail_unsupported("it is called with a graph of its own");
    case Kind::kCustomObject:
      fail_unsupported("it uses an object of the class " + argument.other);
    case Kind::kList: {
      Items items;
      for (const ExportedArgument& item : argument.items) items.push_back(this->argument(item));
      return Py::list(std::move(items));
    }
  }
  return {};
}

Py GraphReader::lookup(const std::string& name) {
  const auto found = scope_->names.find(name);
  if (found != scope_->names.end()) {
    if (found->second.is<script::Uninitialized>()) {
      fail_unsupported("it uses \"" + name + "\", a further result of its operator that is not translated");
    }
    return found->second;
  }
  if (scope_->outer == nullptr && source_) {
    if (std::optional<Py> value = source_(name, "")) return scope_->names[name] = std::move(*value);
  }
  if (const auto number = scope_->graph->numbers.find(name); number != scope_->graph->numbers.end()) {
    if (number->second.value) return *number->second.value;
    if (!number->second.expression.empty()) {
      const Expression expression = parse_expression(number->second.expression);
      if (expression.kind != Expression::Kind::kSymbol || expression.text != name) {
        return compute(*this, expression, [this](const std::string& symbol) { return lookup(symbol); });
      }
    }
  }
  fail_data("it uses \"" + name + "\" before that is computed");
}

// --- results ---------------------------------------------------------------------------------------------------------

void GraphReader::bind(const std::vector<ExportedArgument>& outputs, const Py& result) {
  const bool untranslated = is_untranslated_tensor(*this, result);
  if (outputs.size() == 1) {
    const bool listed = outputs[0].kind != Kind::kList && result.has_items() && !result.items().empty();
    bind_one(outputs[0], listed && !untranslated ? result.items()[0] : result);
    return;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (untranslated && !result.has_items()) {
      bind_one(outputs[i], result);
    } else if (!result.has_items() || i >= result.items().size()) {
      bind_one(outputs[i], script::Uninitialized{});
    } else {
      bind_one(outputs[i], result.items()[i]);
    }
  }
}

void GraphReader::bind_one(const ExportedArgument& output, const Py& result) {
  switch (output.kind) {
    case Kind::kTensor:
      scope_->names[output.text] = described(result, output.text);
      break;
    case Kind::kSymbol:
      scope_->names[output.text] = to_number(result);
      break;
    case Kind::kList:
      for (size_t i = 0; i < output.items.size(); ++i) {
        const bool known = result.has_items() && i < result.items().size();
        bind_one(output.items[i], known                ? result.items()[i]
                                  : result.has_items() ? Py(script::Uninitialized{})
                                                       : result);
      }
      break;
    default:
      break;
  }
}

Py GraphReader::to_number(const Py& value) {
  if (!value.is_tensor()) return value;
  ir::Value* tensor = this->value(value);
  if (is_untranslated(tensor)) return value;
  return Py::number(scalar(value), number_kind(tensor));
}

Py GraphReader::described(const Py& tensor, const std::string& name) {
  const auto found = scope_->graph->tensors.find(name);
  if (!tensor.is_tensor() && !tensor.is_number()) return tensor;
  if (tensor.is_tensor() && tensor.box()->value == nullptr) return script::Uninitialized{};
  if (tensor.is_number()) return described(Py::tensor(scalar(tensor)), name);
  ir::Value* value = this->value(tensor);
  if (value->name.empty()) value->name = name;
  if (found == scope_->graph->tensors.end() || is_untranslated(value)) return tensor;
  const torchfile::TensorMeta& meta = found->second;
  const std::optional<ir::DType> dtype = ir::dtype_from_name(meta.dtype);
  if (dtype && ir::is_complex(*dtype)) return tensor;
  Py result = tensor;
  if (dtype && value->dtype != *dtype && value->dtype != ir::DType::kUndefined) {
    value = b().Cast(value, *dtype);
    result = Py::tensor(value);
  }
  const ir::Shape shape = symbols_.shape(meta);
  if (!value->shape) {
    value->shape = shape;
  } else if (value->shape->size() == shape.size()) {
    for (size_t i = 0; i < shape.size(); ++i) {
      if ((*value->shape)[i].is_unknown()) (*value->shape)[i] = shape[i];
    }
  }
  return result;
}

}  // namespace onward::importer::exported
