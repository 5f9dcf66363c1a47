#include "import/torch/custom.h"

#include "base/error.h"
#include "import/common/custom_table.h"

namespace onward::importer::torch {
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
ir::Values translate_custom(Call& c) {
  const Signature& signature = c.signature();
  const Custom* custom = customs().find(signature.name);
  ir::Values results = custom->translate(c);
  if (!signature.gives_list && results.size() != signature.results) {
    c.fail("its translation gives " + std::to_string(results.size()) + " results, the signature has " +
           std::to_string(signature.results));
  }
  return results;
}

Signature checked_signature(const std::string& text) {
  try {
    Signature signature = parse_signature(text);
    if (signature.name.find("::") != std::string::npos) return signature;
  } catch (const Error&) {
    // Told below.
  }
  fail_invalid("\"" + text + "\" is no signature of a PyTorch operator",
               "write it as torch.ops.mylib.scale.default._schema prints it: \"mylib::scale(Tensor x, float by=2.0) -> "
               "Tensor\"");
}

}  // namespace

void add_custom(const std::string& signature, CustomTranslate translate) {
  const std::string name = checked_signature(signature).name;
  if (op_table().contains(name)) throw Error(Code::kAlreadyExists, "PyTorch's " + name + " is translated already");
  auto custom = std::make_unique<Custom>();
  custom->table.add(signature, translate_custom);
  custom->translate = std::move(translate);
  customs().add(name, std::move(custom));
}

const OpTable& table_of(const std::string& name) {
  if (op_table().contains(name)) return op_table();
  const Custom* custom = customs().find(name);
  return custom == nullptr ? op_table() : custom->table;
}

}  // namespace onward::importer::torch
