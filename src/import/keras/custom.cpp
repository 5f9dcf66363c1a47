#include "import/keras/custom.h"

#include "base/error.h"
#include "import/common/custom_table.h"
#include "import/keras/context.h"

namespace onward::importer::keras {
namespace {

struct Custom {
  LayerOp op;
  CustomTranslate translate;
  std::vector<Variable> variables;
};

CustomTable<Custom>& customs() {
  static CustomTable<Custom> table;
  return table;
}

const Custom* custom_of(const Layer& layer) {
  const Custom* registered = customs().find(layer.registered_name);
  return registered != nullptr ? registered : customs().find(layer.class_name);
}

// What a LayerOp holds: it takes plain functions.
ir::Values translate_custom(Context& ctx) { return custom_of(ctx.layer)->translate(ctx); }
std::vector<Variable> custom_variables(const Layer& layer) { return custom_of(layer)->variables; }

}  // namespace

void add_custom(const std::string& name, CustomTranslate translate, const std::vector<std::string>& weights) {
  if (name.empty()) fail_invalid("a layer has no name", "write its class, or the name it is registered under");
  if (op_table().find(name) != nullptr) throw Error(Code::kAlreadyExists, "Keras' " + name + " is translated already");
  auto custom = std::make_unique<Custom>();
  custom->op.translate = translate_custom;
  custom->op.variables = custom_variables;
  custom->translate = std::move(translate);
  for (const std::string& weight : weights) custom->variables.push_back({weight});
  customs().add(name, std::move(custom));
}

bool is_custom(const Layer& layer) {
  return !layer.registered_name.empty() && layer.module.rfind("keras", 0) != 0 && !layer.module.empty();
}

const LayerOp* op_of(const Layer& layer) {
  // A name with a package is never the program's own, whatever the class is called.
  const bool packaged = customs().find(layer.registered_name) != nullptr;
  const LayerOp* own = packaged || is_custom(layer) ? nullptr : op_table().find(layer.class_name);
  if (own != nullptr) return own;
  const Custom* custom = custom_of(layer);
  return custom == nullptr ? nullptr : &custom->op;
}

}  // namespace onward::importer::keras
