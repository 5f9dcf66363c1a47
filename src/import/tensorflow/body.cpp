#include "import/tensorflow/body.h"

#include <algorithm>
#include <charconv>

#include "base/error.h"
#include "import/tensorflow/custom.h"

namespace onward::importer::tf {
namespace {

size_t parse_number(std::string_view text, std::string_view whole) {
  size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value > 1'000'000) {
    fail_data("\"" + std::string(whole) + "\" is no reference to a node's output");
  }
  return value;
}

struct Reference {
  std::string node;
  std::string output;  // name of an output argument, in functions
  size_t index = 0;
};

Reference parse(std::string_view text) {
  Reference reference;
  const size_t first = std::min(text.find(':'), text.size());
  reference.node = text.substr(0, first);
  if (first == text.size()) return reference;
  const std::string_view rest = text.substr(first + 1);
  const size_t second = rest.find(':');
  if (second == std::string_view::npos) {
    reference.index = parse_number(rest, text);
  } else {
    reference.output = rest.substr(0, second);
    reference.index = parse_number(rest.substr(second + 1), text);
  }
  return reference;
}

size_t list_length(const tensorflow::Node& node, const std::string& attr) {
  const auto found = node.attrs.find(attr);
  if (found == node.attrs.end()) return 1;
  if (const auto* count = found->second.get_if<int64_t>()) {
    return static_cast<size_t>(std::clamp<int64_t>(*count, 0, 1'000'000));
  }
  if (const auto* list = found->second.get_if<tensorflow::AttrValue::List>()) return list->types.size();
  return 1;
}

// The number of an output by its argument's name. Unknown operators have the outputs they are asked for.
size_t output_number(const tensorflow::Node& node, const Reference& reference) {
  const Op* op = find_op(node.op);
  if (op == nullptr || op->outputs.empty()) return reference.index;
  size_t before = 0;
  for (const Op::Output& output : op->outputs) {
    if (output.name == reference.output) return before + reference.index;
    before += output.count_attr.empty() ? 1 : list_length(node, output.count_attr);
  }
  fail_data("node \"" + node.name + "\" (" + node.op + ") has no output \"" + reference.output + "\"");
}

class Resolver {
 public:
  explicit Resolver(Body& body) : body_(body) {}

  void add_argument(const std::string& name) {
    define(name);
    body_.nodes.emplace_back();
    ++body_.arguments;
  }

  void add_nodes(const std::vector<tensorflow::Node>& nodes) {
    for (const tensorflow::Node& node : nodes) {
      define(node.name);
      body_.nodes.push_back({&node, {}, {}});
    }
    for (size_t i = body_.arguments; i < body_.nodes.size(); ++i) connect(body_.nodes[i]);
  }

  Endpoint endpoint(std::string_view text) const {
    const Reference reference = parse(text);
    const size_t node = number(reference.node);
    const tensorflow::Node* def = body_.nodes[node].def;
    const bool named = def != nullptr && !reference.output.empty();
    return {node, named ? output_number(*def, reference) : reference.index};
  }

  size_t number(const std::string& name) const {
    const auto found = body_.index.find(name);
    if (found != body_.index.end()) return found->second;
    fail_data(where() + "nothing is named \"" + name + "\"");
  }

 private:
  void define(const std::string& name) {
    if (!body_.index.emplace(name, body_.index.size()).second) {
      fail_data(where() + "two nodes are named \"" + name + "\"");
    }
  }

  void connect(BodyNode& node) {
    for (const std::string& input : node.def->inputs) {
      if (input.starts_with('^')) {
        node.controls.push_back(number(input.substr(1)));
      } else {
        node.inputs.push_back(endpoint(input));
      }
    }
  }

  std::string where() const { return body_.function.empty() ? "" : "function \"" + body_.function + "\": "; }

  Body& body_;
};

}  // namespace

Endpoint Body::find(const std::string& tensor) const {
  const Reference reference = parse(tensor);
  const auto found = index.find(reference.node);
  if (found == index.end()) fail_invalid("the graph has no node \"" + reference.node + "\"");
  return {found->second, reference.index};
}

Body resolve_graph(const tensorflow::Graph& graph) {
  Body body;
  Resolver(body).add_nodes(graph.nodes);
  return body;
}

Body resolve_function(const tensorflow::Function& function) {
  Body body;
  body.function = function.name;
  Resolver resolver(body);
  for (const tensorflow::Argument& argument : function.inputs) resolver.add_argument(argument.name);
  resolver.add_nodes(function.nodes);
  for (const tensorflow::Argument& output : function.outputs) {
    const auto found = function.returns.find(output.name);
    if (found == function.returns.end()) {
      fail_data("function \"" + function.name + "\" does not return \"" + output.name + "\"");
    }
    body.returns.push_back(resolver.endpoint(found->second));
  }
  for (const std::string& node : function.control_returns) body.control_returns.push_back(resolver.number(node));
  return body;
}

}  // namespace onward::importer::tf
