// Translations of Keras layers that come from outside the program.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "import/keras/op_table.h"

namespace onward::importer::keras {

// Gives the layer's outputs in their order.
using CustomTranslate = std::function<ir::Values(Context&)>;

// `name` is the class's, or the one it is registered under: "Scale", "my_package>Scale". `weights` names the layer's
// own variables in the order in which it creates them. Thread safe; imports that begin later know it. Throws Error:
// kInvalidArgument for no name, kAlreadyExists for a layer that has a translation.
void add_custom(const std::string& name, CustomTranslate translate, const std::vector<std::string>& weights);

// Whether the user's own code defines the layer.
bool is_custom(const Layer& layer);

// How the layer is translated: by the program's own table, or by what was added; null where it is not.
const LayerOp* op_of(const Layer& layer);

}  // namespace onward::importer::keras
