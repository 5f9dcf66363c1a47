// What all layers of one import share.
#pragma once

#include <map>
#include <string>

#include "import/common/blockers.h"
#include "import/keras/weights.h"
#include "ir/builder.h"

namespace onward::importer::keras {

struct Session {
  ir::Builder& b;
  const Weights& weights;
  const Assets& assets;
  Blockers& blockers;
  bool legacy = false;  // written by Keras 2
  std::map<std::string, ir::Value*> weight_values;
  // The mask of a value that has one: bool, [batch, steps] as a rule.
  std::map<const ir::Value*, ir::Value*> masks;
};

}  // namespace onward::importer::keras
