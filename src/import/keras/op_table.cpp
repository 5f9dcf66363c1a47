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
    register_convolution(table);
    register_core(table);
    register_merging(table);
    register_normalization(table);
    register_pooling(table);
    register_regularization(table);
    register_reshaping(table);
    return table;
  }();
  return kTable;
}

}  // namespace onward::importer::keras
