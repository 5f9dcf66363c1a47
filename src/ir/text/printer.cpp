#include <cmath>
#include <cstdio>
#include <map>
#include <set>

#include "ir/text.h"
#include "ir/text/scanner.h"

namespace onward::ir {
namespace {

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + "\"";
}

std::string name_text(const std::string& name) {
  const bool plain = text::is_identifier(name) && !dtype_from_name(name) && name != "inf" && name != "nan";
  return plain ? name : quoted(name);
}

// Shortest text that reads back as the same number, told from whole numbers by a point or exponent.
std::string float_text(double value, bool wide) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[40];
  for (int digits = 1; digits <= (wide ? 17 : 9); ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    const double back = std::strtod(buffer, nullptr);
    if (back == value || (!wide && static_cast<float>(back) == static_cast<float>(value))) break;
  }
  std::string text = buffer;
  if (text.find_first_of(".en") == std::string::npos) text += ".0";
  return text;
}

std::string dtype_text(DType dtype) {
  if (dtype == DType::kFloat) return "float";
  if (dtype == DType::kDouble) return "double";
  return std::string(dtype_name(dtype));
}

std::string type_text(DType dtype, const std::optional<Shape>& shape) {
  if (!shape) return dtype_text(dtype) + "[]";
  return shape->empty() ? dtype_text(dtype) : dtype_text(dtype) + shape_text(*shape);
}

class Printer {
 public:
  explicit Printer(const TextOptions& options) : options_(options) {}

  std::string graph(const Graph& graph, const std::string& name, const std::string& indent) {
    std::string text = name_text(name.empty() ? "graph" : name) + " (";
    for (const Value* input : graph.inputs()) {
      if (text.back() != '(') text += ", ";
      text += value_type(*input) + name_of(*input, true);
    }
    const std::string constants = constant_list(graph, indent);
    std::string body;
    for (const Node& node : graph.nodes()) body += indent + "  " + node_text(node, indent + "  ") + "\n";
    std::string results;
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      if (i > 0) results += ", ";
      const Value& value = *graph.outputs()[i];
      results += value_type(value) + name_of(value);
      const std::string& given = graph.output_names()[i];
      if (indent.empty() && !given.empty() && given != name_of(value)) results += " # as " + given + "\n    ";
    }
    return text + ") => (" + results + ")" + constants + " {\n" + body + indent + "}";
  }

 private:
  std::string value_type(const Value& value) const {
    if (value.dtype == DType::kUndefined) return "";
    const std::string text = type_text(value.dtype, value.shape);
    if (value.kind == Kind::kSequence) return "seq(" + text + ") ";
    if (value.kind == Kind::kOptional) return "optional(" + text + ") ";
    return text + " ";
  }

  std::string name_of(const Value& value, bool input = false) {
    const auto known = names_.find(&value);
    if (known != names_.end()) return known->second;
    std::string name = output_name(value).empty() ? value.name : output_name(value);
    if (options_.canonical_names && !(input && value.name.empty())) name = canonical_name(value);
    if (name.empty() || !taken_.insert(name).second) {
      do {
        name = "v" + std::to_string(next_value_++);
      } while (!taken_.insert(name).second);
    }
    return names_[&value] = name_text(name);
  }

  std::string canonical_name(const Value& value) {
    if (value.is_input() && !value.name.empty()) return value.name;
    if (value.is_constant()) return "c" + std::to_string(next_constant_++);
    const std::string given = output_name(value);
    return given.empty() ? "v" + std::to_string(next_value_++) : given;
  }

  // The name that a node's result has as an output of its graph.
  static std::string output_name(const Value& value) {
    if (value.producer() == nullptr) return "";
    for (const Use& use : value.uses()) {
      if (use.node == nullptr && use.graph == value.producer()->graph()) return use.graph->output_names()[use.index];
    }
    return "";
  }

  // Constants in the order of their use.
  std::string constant_list(const Graph& graph, const std::string& indent) {
    std::vector<const Value*> used;
    std::set<const Value*> seen;
    collect(graph, graph, used, seen);
    std::string text;
    for (const Value* value : used) {
      text += (text.empty() ? "\n" + indent + "  <" : ",\n" + indent + "   ");
      text += type_text(value->dtype, value->shape) + " " + name_of(*value) + " = " + content(*value->constant());
    }
    return text.empty() ? "" : text + ">\n" + indent;
  }

  static void collect(const Graph& owner, const Graph& graph, std::vector<const Value*>& used,
                      std::set<const Value*>& seen) {
    const auto take = [&](const Value* value) {
      if (value != nullptr && value->is_constant() && value->graph() == &owner && seen.insert(value).second) {
        used.push_back(value);
      }
    };
    for (const Node& node : graph.nodes()) {
      for (const Value* input : node.inputs()) take(input);
      for_each_subgraph(node, [&](const Graph& subgraph) { collect(owner, subgraph, used, seen); });
    }
    for (const Value* output : graph.outputs()) take(output);
  }

  std::string content(const Tensor& tensor) const {
    std::string text = "{";
    const auto add = [&](const std::string& element) { text += (text.size() > 1 ? ", " : "") + element; };
    const size_t shown = std::min(tensor.count(), options_.max_elements);
    if (tensor.dtype() == DType::kString) {
      for (size_t i = 0; i < shown; ++i) add(quoted(tensor.strings()[i]));
    } else if (is_floating(tensor.dtype()) && dtype_bits(tensor.dtype()) >= 16) {
      const std::vector<double> values = tensor.doubles();
      for (size_t i = 0; i < shown; ++i) add(float_text(values[i], tensor.dtype() == DType::kDouble));
    } else if (dtype_bits(tensor.dtype()) >= 8 && !is_floating(tensor.dtype()) && !is_complex(tensor.dtype())) {
      const std::vector<int64_t> values = tensor.ints();
      for (size_t i = 0; i < shown; ++i) add(std::to_string(values[i]));
    } else {
      add("…");
    }
    if (shown < tensor.count()) add("…");
    return text + "}";
  }

  template <class List, class Show>
  static std::string list_text(const List& values, const char* kind, const Show& show) {
    std::string text = values.empty() ? std::string(": ") + kind + " = [" : " = [";
    for (size_t i = 0; i < values.size(); ++i) text += (i > 0 ? ", " : "") + show(values[i]);
    return text + "]";
  }

  std::string attribute(const Attr& attr, const std::string& indent) {
    if (const auto* value = attr.get_if<int64_t>()) return " = " + std::to_string(*value);
    if (const auto* value = attr.get_if<float>()) return " = " + float_text(*value, false);
    if (const auto* value = attr.get_if<std::string>()) return " = " + quoted(*value);
    if (const auto* value = attr.get_if<Attr::Ints>()) {
      return list_text(*value, "ints", [](int64_t number) { return std::to_string(number); });
    }
    if (const auto* value = attr.get_if<Attr::Floats>()) {
      return list_text(*value, "floats", [](float number) { return float_text(number, false); });
    }
    if (const auto* value = attr.get_if<Attr::Strings>()) return list_text(*value, "strings", quoted);
    if (const auto* value = attr.get_if<Tensor>()) {
      return " = " + type_text(value->dtype(), to_shape(value->dims())) + " " + content(*value);
    }
    const Graph& subgraph = *attr.as_graph();
    return " = " + graph(subgraph, options_.canonical_names ? "" : subgraph.name, indent + "  ");
  }

  std::string node_text(const Node& node, const std::string& indent) {
    // Inputs are named before outputs, so that canonical names follow the order of the text.
    std::string inputs;
    for (size_t i = 0; i < node.inputs().size(); ++i) {
      const Value* input = node.inputs()[i];
      if (i > 0) inputs += ", ";
      if (input != nullptr) inputs += name_of(*input);
    }
    std::string text;
    if (!node.name.empty() && !options_.canonical_names) text += "[" + name_text(node.name) + "] ";
    for (size_t i = 0; i < node.outputs().size(); ++i) text += (i > 0 ? ", " : "") + name_of(*node.outputs()[i]);
    text += " = " + (node.domain.empty() ? "" : node.domain + ".") + node.op_type;
    if (!node.attrs.empty()) {
      std::string list;
      for (const auto& [name, attr] : node.attrs) {
        list += (list.empty() ? " <" : ", ") + name + attribute(attr, indent);
      }
      text += list + ">";
    }
    return text + " (" + inputs + ")";
  }

  const TextOptions& options_;
  std::map<const Value*, std::string> names_;
  std::set<std::string> taken_;
  size_t next_value_ = 0;
  size_t next_constant_ = 0;
};

}  // namespace

std::string to_text(const Graph& graph, const TextOptions& options) {
  return Printer(options).graph(graph, options.canonical_names ? "graph" : graph.name, "");
}

}  // namespace onward::ir
