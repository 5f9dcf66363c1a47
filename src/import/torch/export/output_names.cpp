#include "import/torch/export/output_names.h"

#include "base/error.h"
#include "base/json.h"

namespace onward::importer::exported {
namespace {

using torchfile::ExportedProgram;
using Names = std::vector<std::optional<std::string>>;

constexpr int kMaxDepth = 64;

// What stands in a spec's context: ["a", "b"] of a dict, [["x", "y"], …] of a dataclass.
std::vector<std::string> keys_of(const Json& context) {
  std::vector<std::string> keys;
  if (!context.is_array()) return keys;
  for (const Json& key : context.as_array()) {
    if (key.is_array() && keys.empty()) return keys_of(key);
    if (key.is_int()) {
      keys.push_back(std::to_string(key.as_int()));
    } else if (key.is_string()) {
      keys.push_back(key.as_string());
    } else {
      return {};
    }
  }
  return keys;
}

std::vector<std::string> keys_of(const Json& spec, const ExportedProgram& program) {
  const Json* context = spec.find("context");
  if (context == nullptr || !context->is_string()) return {};
  if (const auto fields = program.namedtuple_fields.find(context->as_string());
      fields != program.namedtuple_fields.end()) {
    return fields->second;
  }
  try {
    return keys_of(Json::parse(context->as_string()));
  } catch (const Error&) {
    return {};  // a name, or a form of the user's own
  }
}

void collect(const Json& spec, const ExportedProgram& program, const std::string& path, bool named, int depth,
             Names& names) {
  const Json* children = spec.find("children_spec");
  const Json* type = spec.find("type");
  if (children == nullptr || type == nullptr || depth > kMaxDepth) return;
  if (!type->is_string()) {
    names.push_back(named ? std::optional(path) : std::nullopt);
    return;
  }
  std::vector<std::string> keys = keys_of(spec, program);
  const bool has_keys = keys.size() == children->size();
  for (size_t i = 0; i < children->size(); ++i) {
    const std::string own = has_keys ? keys[i] : std::to_string(i);
    const std::string joined = path.empty() ? own : path + "_" + own;
    collect(children->at(i), program, joined, named || has_keys, depth + 1, names);
  }
}

}  // namespace

Names names_of_outputs(const ExportedProgram& program) {
  size_t count = 0;
  for (const torchfile::OutputSpec& output : program.outputs) {
    count += output.kind == torchfile::OutputSpec::Kind::kUser || output.kind == torchfile::OutputSpec::Kind::kLoss;
  }
  Names names;
  if (!program.out_spec.empty()) {
    try {
      const Json spec = Json::parse(program.out_spec);
      if (spec.is_array() && spec.size() == 2) collect(spec.at(1), program, "", false, 0, names);
    } catch (const Error&) {
      names.clear();  // only names are lost
    }
  }
  if (names.size() != count) names.assign(count, std::nullopt);
  return names;
}

}  // namespace onward::importer::exported
