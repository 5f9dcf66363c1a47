#include "schema/schema_rules.h"

#include <onnx/defs/schema.h>

namespace onward::schema {
namespace {

std::optional<std::string> count_problem(const char* what, size_t given, int least, int most) {
  if (given >= static_cast<size_t>(least) && given <= static_cast<size_t>(most)) return std::nullopt;
  return std::to_string(given) + " " + what + " where the schema has " + std::to_string(least) + " to " +
         std::to_string(most);
}

}  // namespace

std::optional<std::string> SchemaRules::problem(const ir::Node& node) const {
  if (!node.domain.empty()) return std::nullopt;
  const onnx::OpSchema* schema = onnx::OpSchemaRegistry::Schema(node.op_type, opset_, "");
  const bool lacking = schema == nullptr || schema->deprecated();
  if (lacking && allow_newer_) schema = onnx::OpSchemaRegistry::Schema(node.op_type, newest_opset(), "");
  if (schema == nullptr || schema->deprecated()) return "opset " + std::to_string(opset_) + " has no such operator";
  if (auto problem = count_problem("inputs", node.inputs().size(), schema->min_input(), schema->max_input())) {
    return problem;
  }
  if (auto problem = count_problem("outputs", node.outputs().size(), schema->min_output(), schema->max_output())) {
    return problem;
  }
  for (const auto& [name, attr] : node.attrs) {
    if (!schema->attributes().contains(name)) return "unknown attribute " + name;
  }
  for (const auto& [name, attribute] : schema->attributes()) {
    if (attribute.required && !node.attrs.contains(name)) return "attribute " + name + " is missing";
  }
  return std::nullopt;
}

}  // namespace onward::schema
