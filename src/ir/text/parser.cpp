#include <map>

#include "base/error.h"
#include "ir/text.h"
#include "ir/text/scanner.h"

namespace onward::ir {
namespace {

using text::Number;
using text::Scanner;

constexpr size_t kMaxDepth = 64;

struct Type {
  Kind kind = Kind::kTensor;
  DType dtype = DType::kUndefined;
  std::optional<Shape> shape;
};

class Scope {
 public:
  explicit Scope(const Scope* outer) : outer_(outer) {}
  bool define(const std::string& name, Value* value) { return values_.emplace(name, value).second; }
  Value* find(const std::string& name) const {
    const auto found = values_.find(name);
    if (found != values_.end()) return found->second;
    return outer_ != nullptr ? outer_->find(name) : nullptr;
  }

 private:
  const Scope* outer_;
  std::map<std::string, Value*> values_;
};

class Parser {
 public:
  Parser(std::string_view text, const Inference& inference) : in_(text), inference_(inference) {}

  Model model() {
    Model model;
    if (in_.accept('<')) header(model);
    graph(*model.graph, nullptr, 0);
    if (!in_.at_end()) in_.fail("more text after the graph");
    return model;
  }

 private:
  void header(Model& model) {
    do {
      const std::string key = in_.word();
      in_.expect(':');
      if (key == "opset_import") {
        in_.expect('[');
        do {
          const std::string domain = in_.string();
          in_.expect(':');
          model.opset_imports[domain] = static_cast<int>(in_.integer());
        } while (in_.accept(','));
        in_.expect(']');
      } else if (in_.at_number()) {
        in_.number();
      } else {
        const std::string value = in_.string();
        if (key == "producer_name") model.producer = value;
      }
    } while (in_.accept(','));
    in_.expect('>');
  }

  std::optional<DType> dtype() {
    const size_t mark = in_.mark();
    if (!in_.at_word() || in_.peek() == '"') return std::nullopt;
    const auto found = dtype_from_name(in_.word());
    if (!found) in_.reset(mark);
    return found;
  }

  Dim dim() {
    if (in_.accept('?')) return {};
    if (in_.at_number()) return Dim(in_.integer());
    return Dim(in_.word());
  }

  std::optional<Type> type() {
    const size_t mark = in_.mark();
    for (const auto& [name, kind] : {std::pair{"seq", Kind::kSequence}, std::pair{"optional", Kind::kOptional}}) {
      if (in_.at_word() && in_.word() == name && in_.accept('(')) {
        std::optional<Type> element = type();
        if (!element) in_.fail("an element type expected");
        in_.expect(')');
        element->kind = kind;
        return element;
      }
      in_.reset(mark);
    }
    const std::optional<DType> found = dtype();
    if (!found) return std::nullopt;
    Type result{Kind::kTensor, *found, Shape{}};
    if (!in_.accept('[')) return result;
    if (in_.accept(']')) {
      result.shape = std::nullopt;
      return result;
    }
    do {
      result.shape->push_back(dim());
    } while (in_.accept(','));
    in_.expect(']');
    return result;
  }

  Tensor tensor(const Type& type) {
    std::vector<Number> numbers;
    std::vector<std::string> strings;
    in_.expect('{');
    while (!in_.accept('}')) {
      if (type.dtype == DType::kString) {
        strings.push_back(in_.string());
      } else {
        numbers.push_back(in_.number());
      }
      if (in_.peek() != '}') in_.expect(',');
    }
    const std::optional<Dims> dims = type.shape ? static_dims(*type.shape) : std::nullopt;
    if (!dims) in_.fail("a constant needs numbers as dimensions");
    const size_t count = type.dtype == DType::kString ? strings.size() : numbers.size();
    if (static_cast<size_t>(element_count(*dims)) != count) {
      in_.fail(std::to_string(count) + " elements for a tensor of shape " + shape_text(*type.shape));
    }
    if (type.dtype == DType::kString) return Tensor::of_strings(*dims, std::move(strings));
    if (is_floating(type.dtype)) {
      std::vector<double> values;
      for (const Number& number : numbers) values.push_back(number.real);
      return Tensor::from_doubles(type.dtype, *dims, values);
    }
    std::vector<int64_t> values;
    for (const Number& number : numbers) values.push_back(number.integer);
    return Tensor::from_ints(type.dtype, *dims, values);
  }

  // --- attributes -------------------------------------------------------------------------------------------------
  Attr list(const std::string& kind) {
    std::vector<Number> numbers;
    Attr::Strings strings;
    in_.expect('[');
    while (!in_.accept(']')) {
      if (in_.peek() == '"') {
        strings.push_back(in_.string());
      } else {
        numbers.push_back(in_.number());
      }
      if (in_.peek() != ']') in_.expect(',');
    }
    if (!strings.empty() || kind == "strings") return strings;
    bool whole = kind != "floats";
    for (const Number& number : numbers) whole = whole && number.whole;
    if (whole) {
      Attr::Ints values;
      for (const Number& number : numbers) values.push_back(number.integer);
      return values;
    }
    Attr::Floats values;
    for (const Number& number : numbers) values.push_back(static_cast<float>(number.real));
    return values;
  }

  Attr attribute(const std::string& kind, const Scope& scope, size_t depth) {
    if (in_.peek() == '[') return list(kind);
    if (in_.peek() == '"') return in_.string();
    if (in_.at_number()) {
      const Number number = in_.number();
      if (number.whole && kind != "float") return number.integer;
      return static_cast<float>(number.real);
    }
    if (const std::optional<Type> found = type()) return tensor(*found);
    auto subgraph = std::make_shared<Graph>();
    graph(*subgraph, &scope, depth + 1);
    return subgraph;
  }

  void attributes(Attrs& attrs, const Scope& scope, size_t depth) {
    if (!in_.accept('<')) return;
    do {
      const std::string name = in_.word();
      const std::string kind = in_.accept(':') ? in_.word() : "";
      in_.expect('=');
      attrs.set(name, attribute(kind, scope, depth));
    } while (in_.accept(','));
    in_.expect('>');
  }

  // --- nodes ------------------------------------------------------------------------------------------------------
  std::vector<std::string> names(char end) {
    std::vector<std::string> all;
    if (in_.accept(end)) return all;
    do {
      all.push_back(in_.at_word() ? in_.word() : "");
    } while (in_.accept(','));
    in_.expect(end);
    return all;
  }

  void node(Graph& graph, Scope& scope, size_t depth) {
    std::string label;
    if (in_.accept('[')) {
      label = in_.word();
      in_.expect(']');
    }
    const std::vector<std::string> outputs = names('=');
    std::string domain;
    std::string op_type = in_.word();
    while (in_.accept('.')) {
      domain += (domain.empty() ? "" : ".") + op_type;
      op_type = in_.word();
    }
    Attrs attrs;
    attributes(attrs, scope, depth);
    in_.expect('(');
    std::vector<Value*> inputs;
    for (const std::string& name : names(')')) {
      Value* value = name.empty() ? nullptr : scope.find(name);
      if (value == nullptr && !name.empty()) in_.fail("nothing before computes \"" + name + "\"");
      inputs.push_back(value);
    }
    attributes(attrs, scope, depth);
    if (domain.empty() && op_type == "Constant" && attrs.contains("value") && outputs.size() == 1) {
      return define(scope, outputs[0], graph.add_constant(attrs.at("value").as_tensor(), outputs[0]));
    }
    Node* made = graph.add_node(domain, op_type, std::move(inputs), outputs.size());
    made->name = label;
    made->attrs = std::move(attrs);
    try {
      inference_.infer(*made);
    } catch (const Error& error) {
      in_.fail(error.message());
    }
    for (size_t i = 0; i < outputs.size(); ++i) {
      made->output(i)->name = outputs[i];
      if (!outputs[i].empty()) define(scope, outputs[i], made->output(i));
    }
  }

  void define(Scope& scope, const std::string& name, Value* value) {
    if (!scope.define(name, value)) in_.fail("\"" + name + "\" is defined twice");
  }

  // --- graphs -----------------------------------------------------------------------------------------------------
  void inputs(Graph& graph, Scope& scope) {
    in_.expect('(');
    if (in_.accept(')')) return;
    do {
      const Type found = type().value_or(Type{});
      const std::string name = in_.word();
      Value* value = graph.add_input(name, found.dtype, found.shape);
      value->kind = found.kind;
      define(scope, name, value);
    } while (in_.accept(','));
    in_.expect(')');
  }

  std::vector<std::pair<std::string, Type>> outputs() {
    std::vector<std::pair<std::string, Type>> all;
    in_.expect('(');
    if (in_.accept(')')) return all;
    do {
      const Type found = type().value_or(Type{});
      all.emplace_back(in_.word(), found);
    } while (in_.accept(','));
    in_.expect(')');
    return all;
  }

  // Constants, and (read over) the types of values inside.
  void value_infos(Graph& graph, Scope& scope) {
    if (!in_.accept('<') || in_.accept('>')) return;
    do {
      const std::optional<Type> found = type();
      const std::string name = in_.word();
      if (!in_.accept('=')) continue;
      if (!found) in_.fail("the constant \"" + name + "\" needs a type");
      define(scope, name, graph.add_constant(tensor(*found), name));
    } while (in_.accept(','));
    in_.expect('>');
  }

  void graph(Graph& graph, const Scope* outer, size_t depth) {
    if (depth > kMaxDepth) in_.fail("graphs inside graphs, too deep");
    Scope scope(outer);
    graph.name = in_.word();
    inputs(graph, scope);
    in_.expect("=>");
    const auto results = outputs();
    value_infos(graph, scope);
    in_.expect('{');
    while (!in_.accept('}')) node(graph, scope, depth);
    for (const auto& [name, found] : results) {
      Value* value = scope.find(name);
      if (value == nullptr) in_.fail("no node computes the output \"" + name + "\"");
      if (value->dtype == DType::kUndefined) value->dtype = found.dtype;
      if (!value->shape) value->shape = found.shape;
      graph.add_output(value, name);
    }
  }

  Scanner in_;
  const Inference& inference_;
};

}  // namespace

Model parse_text(std::string_view text, const Inference& inference) { return Parser(text, inference).model(); }

}  // namespace onward::ir
