#include "import/tensorflow/signature.h"

#include <algorithm>

#include "base/error.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

std::string names_of(const std::vector<Port>& ports) {
  std::string names;
  for (const Port& port : ports) names += (names.empty() ? "" : ", ") + port.name;
  return names;
}

ir::Value* identity_node(ir::Builder& b, ir::Value* value) {
  ir::Node* node = b.graph().add_node("", "Identity", {value}, 1);
  node->output()->dtype = value->dtype;
  node->output()->shape = value->shape;
  return node->output();
}

// What the file says of an output's shape, where nothing better is known.
void note_shape(ir::Value* value, const Port& port) {
  const std::optional<ir::Shape> noted = to_shape(port.shape);
  if (noted && !value->shape && value->producer() != nullptr) value->shape = noted;
}

}  // namespace

void feed(Scope& scope, const std::string& tensor, Item item) {
  const Endpoint place = scope.body.find(tensor);
  Items& items = scope.results[place.node];
  // A second item keeps a lone unknown output from standing for all of them.
  items.resize(std::max<size_t>(items.size(), place.output + 1), Untranslated{});
  items[place.output] = std::move(item);
}

void add_inputs(const std::vector<Port>& ports, const Options& options, Scope& scope) {
  for (const auto& [name, dims] : options.input_dims) {
    const auto named = [&name = name](const Port& port) { return port.name == name; };
    if (std::none_of(ports.begin(), ports.end(), named))
      fail_invalid("the model has no input \"" + name + "\"", "its inputs are: " + names_of(ports));
  }
  for (const Port& port : ports) {
    const ir::DType dtype = to_dtype(port.type);
    if (dtype == ir::DType::kUndefined) {
      fail_unsupported("the input \"" + port.name + "\" is of type " + std::string(tensorflow::display_name(port.type)),
                       "choose a signature or --inputs that are tensors");
    }
    check_dtype(options, port.name, dtype);
    std::optional<ir::Shape> shape = to_input_shape(port.shape, port.name, ports.size() == 1);
    const auto given = options.input_dims.find(port.name);
    if (given != options.input_dims.end()) shape = given->second;
    ir::Graph& graph = scope.b.graph();
    if (!ir::is_complex(dtype)) {
      feed(scope, port.tensor, graph.add_input(port.name, dtype, shape));
      continue;
    }
    if (shape) shape->emplace_back(2);
    const ir::DType part = dtype == ir::DType::kComplex64 ? ir::DType::kFloat : ir::DType::kDouble;
    feed(scope, port.tensor, Complex{graph.add_input(port.name, part, shape)});
  }
}

void add_outputs(const std::vector<Port>& ports, Evaluator& evaluator, Scope& scope, const std::string& file) {
  ir::Values values;
  for (const Port& port : ports) {
    const ir::Origin origin{"output", port.name, ""};
    try {
      const Item item = evaluator.evaluate(scope, scope.body.find(port.tensor));
      ir::Value* value = item.tensor();
      if (const auto* complex = item.get_if<Complex>()) value = complex->pairs;
      if (const auto* stored = item.get_if<std::shared_ptr<const Stored>>()) value = evaluator.load(**stored);
      if (value == nullptr && !item.is_untranslated()) {
        fail_unsupported("it is a handle or a list, not a tensor", "choose other outputs with --outputs");
      }
      values.push_back(value);
    } catch (const Error& error) {
      if (error.code() != Code::kUnimplemented) throw;
      evaluator.blockers().add(origin, error);
      values.push_back(nullptr);
    }
  }
  evaluator.blockers().throw_if_any(file);
  std::vector<const ir::Value*> used;
  for (size_t i = 0; i < ports.size(); ++i) {
    ir::Value* value = values[i];
    if (value == nullptr) throw Error(Code::kInternal, "the output \"" + ports[i].name + "\" was lost");
    const bool again = std::find(used.begin(), used.end(), value) != used.end();
    if (value->producer() == nullptr || again) value = identity_node(scope.b, value);
    used.push_back(value);
    note_shape(value, ports[i]);
    scope.b.graph().add_output(value, ports[i].name);
  }
}

}  // namespace onward::importer::tf
