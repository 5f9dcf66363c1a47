// The table of Keras layers: class name → how its weights are kept and how it becomes ONNX.
//
// A new layer of an existing family: one entry in its src/import/keras/ops/<family>.cpp.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/keras/config.h"
#include "ir/builder.h"

namespace onward::importer::keras {

class Context;

// One variable of a layer, in the layer's own order of creation.
struct Variable {
  std::string name;
  bool trainable = true;
};

// A layer that another one holds.
struct Child {
  std::string attribute;  // where: "cell", "forward_layer"; a list's member as "cells/lstm_cell_1"
  Layer layer;
};

using Translate = ir::Values (*)(Context&);
using Variables = std::vector<Variable> (*)(const Layer&);
using Children = std::vector<Child> (*)(const Layer&);

// What becomes of the mask that comes with the first input. kOwn: the translator sets it.
enum class Masking { kDropped, kPassed, kOwn };

struct LayerOp {
  Translate translate;
  Variables variables = nullptr;  // null: none
  Masking masking = Masking::kDropped;
  Children children = nullptr;  // null: none
  const char* note = "";        // for the list of supported layers
};

class OpTable {
 public:
  void add(std::string class_name, LayerOp op);
  const LayerOp* find(std::string_view class_name) const;
  const std::map<std::string, LayerOp, std::less<>>& entries() const { return ops_; }

 private:
  std::map<std::string, LayerOp, std::less<>> ops_;
};

// Every built-in layer that Onward translates.
const OpTable& op_table();

void register_activation(OpTable& table);
void register_adaptive_pooling(OpTable& table);
void register_applications(OpTable& table);
void register_attention(OpTable& table);
void register_categories(OpTable& table);
void register_conv_lstm(OpTable& table);
void register_convolution(OpTable& table);
void register_core(OpTable& table);
void register_group_normalization(OpTable& table);
void register_image(OpTable& table);
void register_locally_connected(OpTable& table);
void register_masking(OpTable& table);
void register_merging(OpTable& table);
void register_normalization(OpTable& table);
void register_pooling(OpTable& table);
void register_recurrent(OpTable& table);
void register_regularization(OpTable& table);
void register_reshaping(OpTable& table);
void register_spectrogram(OpTable& table);
void register_lookup(OpTable& table);
void register_text_vectorization(OpTable& table);
void register_wrappers(OpTable& table);

}  // namespace onward::importer::keras
