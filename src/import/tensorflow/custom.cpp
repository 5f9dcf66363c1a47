#include "import/tensorflow/custom.h"

#include "base/error.h"
#include "import/common/custom_table.h"

namespace onward::importer::tf {
namespace {

struct Custom {
  OpTable table;  // of this operator alone
  CustomTranslate translate;
};

CustomTable<Custom>& customs() {
  static CustomTable<Custom> table;
  return table;
}

// What the tables hold: they take plain functions.
ir::Values translate_custom(Call& c) { return customs().find(c.node().op)->translate(c); }

}  // namespace

void add_custom(const std::string& signature, CustomTranslate translate) {
  auto custom = std::make_unique<Custom>();
  custom->table.add(signature, translate_custom);
  custom->translate = std::move(translate);
  const std::string name = custom->table.entries().begin()->first;
  if (name.empty()) fail_invalid("an operator has no name", "write the op's type, as the graph has it: \"MyOp\"");
  if (op_table().find(name) != nullptr) {
    throw Error(Code::kAlreadyExists, "TensorFlow's " + name + " is translated already");
  }
  customs().add(name, std::move(custom));
}

const Op* find_op(std::string_view name) {
  if (const Op* own = op_table().find(name)) return own;
  const Custom* custom = customs().find(name);
  return custom == nullptr ? nullptr : custom->table.find(name);
}

}  // namespace onward::importer::tf
