// What becomes of each layer: every mode is a recipe, and mode auto compares several.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ir/inference.h"
#include "quantize/static_qdq.h"
#include "quantize/weight_only.h"

namespace onward::quantize {

enum class Form {
  kFloat,
  kInteger,  // static: integer arithmetic with scales from calibration
  kDynamic,  // integer arithmetic with scales found at run time
  kStored,   // float arithmetic, weights stored as int8
  kBlocks,   // float arithmetic in MatMulNBits, weights in blocks
};

// "int8", "dynamic int8", "int8 weights", "4-bit weights", "float"
std::string form_name(Form form, int bits);

struct LayerPlan {
  Form form = Form::kFloat;
  std::string reason;  // why it is not what the mode is about
};

struct Recipe {
  std::string what;
  std::map<std::string, LayerPlan> layers;  // by node name
  StaticOptions integers;
  BlockOptions blocks;
};

// The float model, read once; copies of it are quantized.
struct Source {
  const ir::Model& model;
  const std::map<std::string, Statistics>& statistics;  // empty: not calibrated
  const ir::Inference& inference;
};

ir::Model apply(const Recipe& recipe, const Source& source);

// Weights of fewer numbers are left alone: what describes them would take more than it saves.
constexpr size_t kLeastWeights = 256;

// Layers in the form `wanted` where they can have it, otherwise in the next best that keeps their weights small
// (`store`), otherwise float, each with its reason. Layers in `keep` stay away from integer arithmetic.
std::map<std::string, LayerPlan> plan_layers(const std::vector<Layer>& layers, Form wanted, const Selection& selection,
                                             bool store, const std::map<std::string, std::string>& keep = {});

}  // namespace onward::quantize
