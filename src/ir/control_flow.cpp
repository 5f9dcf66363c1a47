#include <algorithm>
#include <string>
#include <string_view>

#include "ir/inference.h"

namespace onward::ir {
namespace {

const Graph* graph_of(const Node& node, std::string_view name) {
  const Attr* attr = node.attrs.find(name);
  const auto* graph = attr == nullptr ? nullptr : attr->get_if<std::shared_ptr<Graph>>();
  return graph == nullptr ? nullptr : graph->get();
}

std::string misfit(std::string_view graph, const char* what, size_t has, size_t wanted) {
  return std::string(graph) + " has " + std::to_string(has) + " " + what + " instead of " + std::to_string(wanted);
}

std::optional<std::string> if_problem(const Node& node) {
  for (const std::string_view name : {"then_branch", "else_branch"}) {
    const Graph* branch = graph_of(node, name);
    if (branch == nullptr) return "it has no " + std::string(name);
    if (branch->outputs().size() < node.outputs().size()) {
      return misfit(name, "outputs", branch->outputs().size(), node.outputs().size());
    }
  }
  return std::nullopt;
}

// A body may have more outputs than the node uses.
std::optional<std::string> body_problem(const Node& node, size_t inputs, size_t outputs) {
  const Graph* body = graph_of(node, "body");
  if (body == nullptr) return "it has no body";
  if (body->inputs().size() != inputs) return misfit("body", "inputs", body->inputs().size(), inputs);
  if (body->outputs().size() < outputs) return misfit("body", "outputs", body->outputs().size(), outputs);
  return std::nullopt;
}

std::optional<std::string> scan_problem(const Node& node) {
  const Attr* count = node.attrs.find("num_scan_inputs");
  const int64_t* scanned = count == nullptr ? nullptr : count->get_if<int64_t>();
  if (scanned == nullptr || *scanned < 1 || static_cast<size_t>(*scanned) > node.inputs().size()) {
    return "num_scan_inputs does not fit its inputs";
  }
  return body_problem(node, node.inputs().size(), node.outputs().size());
}

void copy_type(Value& to, const Value& from) {
  to.kind = from.kind;
  to.dtype = from.dtype;
  to.shape = from.shape;
}

void copy_stacked_type(Value& to, const Value& element, const Dim& count) {
  to.dtype = element.dtype;
  to.shape = std::nullopt;
  if (element.shape) {
    to.shape = Shape{count};
    to.shape->insert(to.shape->end(), element.shape->begin(), element.shape->end());
  }
}

void infer_if(Node& node) {
  const Graph& then_branch = *node.attrs.at("then_branch").as_graph();
  const Graph& else_branch = *node.attrs.at("else_branch").as_graph();
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    const Value& a = *then_branch.outputs().at(i);
    const Value& b = *else_branch.outputs().at(i);
    copy_type(*node.output(i), a);
    node.output(i)->shape = merged_shape(a.shape, b.shape);
  }
}

void infer_loop(Node& node) {
  const Graph& body = *node.attrs.at("body").as_graph();
  const size_t carried = node.inputs().size() < 2 ? 0 : node.inputs().size() - 2;
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    const Value& result = *body.outputs().at(i + 1);
    if (i >= carried) {
      copy_stacked_type(*node.output(i), result, Dim());
    } else {
      copy_type(*node.output(i), result);
      if (const Value* initial = node.input(i + 2)) node.output(i)->shape = merged_shape(result.shape, initial->shape);
    }
  }
}

void infer_scan(Node& node) {
  const Graph& body = *node.attrs.at("body").as_graph();
  const auto scanned = static_cast<size_t>(node.attrs.at("num_scan_inputs").as_int());
  const size_t states = node.inputs().size() - std::min(scanned, node.inputs().size());
  const Dim length = scanned > 0 && node.input(states) != nullptr ? node.input(states)->dim(0) : Dim();
  const bool plain_axes = !node.attrs.contains("scan_output_axes") && !node.attrs.contains("scan_input_axes");
  for (size_t i = 0; i < node.outputs().size(); ++i) {
    const Value& result = *body.outputs().at(i);
    if (i < states) {
      copy_type(*node.output(i), result);
    } else {
      copy_stacked_type(*node.output(i), result, plain_axes ? length : Dim());
      if (!plain_axes && node.output(i)->shape) node.output(i)->shape = Shape(node.output(i)->shape->size());
    }
  }
}

}  // namespace

std::optional<Shape> merged_shape(const std::optional<Shape>& a, const std::optional<Shape>& b) {
  if (!a || !b || a->size() != b->size()) return std::nullopt;
  Shape shape = *a;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!(shape[i] == (*b)[i])) shape[i] = Dim();
  }
  return shape;
}

std::optional<std::string> control_flow_problem(const Node& node) {
  if (node.is("If")) return if_problem(node);
  if (node.is("Loop")) return body_problem(node, std::max<size_t>(node.inputs().size(), 2), node.outputs().size() + 1);
  if (node.is("Scan")) return scan_problem(node);
  return std::nullopt;
}

bool infer_control_flow(Node& node) {
  if (node.is("If")) {
    infer_if(node);
  } else if (node.is("Loop")) {
    infer_loop(node);
  } else if (node.is("Scan")) {
    infer_scan(node);
  } else {
    return false;
  }
  return true;
}

}  // namespace onward::ir
