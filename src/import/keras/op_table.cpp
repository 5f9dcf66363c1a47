#include "import/keras/op_table.h"

#include "base/error.h"

namespace onward::importer::keras {

void OpTable::add(std::string class_name, LayerOp op) {
  const auto [place, added] = ops_.emplace(std::move(class_name), op);
  if (!added) throw Error(Code::kInternal, "the layer " + place->first + " is registered twice");
}

const LayerOp* OpTable::find(std::string_view class_name) const {
  const auto found = ops_.find(class_name);
  return found != ops_.end() ? &found->second : nullptr;
}

const OpTable& op_table() {
  static const OpTable kTable = [] {
    OpTable table;
    register_activation(table);
    register_adaptive_pooling(table);
    register_applications(table);
    register_attention(table);
    register_categories(table);
    register_conv_lstm(table);
    register_convolution(table);
    register_core(table);
    register_group_normalization(table);
    register_image(table);
    register_locally_connected(table);
    register_masking(table);
    register_merging(table);
    register_normalization(table);
    register_pooling(table);
    register_recurrent(table);
    register_regularization(table);
    register_reshaping(table);
    register_spectrogram(table);
    register_wrappers(table);
    register_lookup(table);
    register_text_vectorization(table);
    return table;
  }();
  return kTable;
}

}  // namespace onward::importer::keras
