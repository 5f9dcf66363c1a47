#include "import/torch/script/machine.h"

#include <set>

#include "base/error.h"
#include "import/common/complex.h"

namespace onward::importer::script {

Py Machine::call_operator(const std::string& name, Items args, Kwargs kwargs, const std::string& overload) {
  op_ = name;
  overload_ = overload;
  b().set_origin(origin());
  return operators_(*this, name, args, kwargs);
}

ir::Value* Machine::scalar(const Py& number) {
  if (const auto* symbolic = number.get_if<Symbolic>()) return symbolic->value;
  if (number.is<bool>()) return b().boolean(number.as_bool());
  if (number.is<int64_t>()) return b().i64(number.as_int());
  if (number.is<double>()) return b().number(number.as_double(), ir::DType::kDouble);
  if (number.is_tensor()) return b().Reshape(value(number), b().ints({}));
  fail_unsupported("expected a number, found " + std::string(number.type_name()));
}

std::optional<bool> Machine::truth(const Py& value, ir::Value*& condition) {
  if (value.is_none()) return false;
  if (value.is<bool>() || value.is<int64_t>()) return value.as_int() != 0;
  if (value.is<double>()) return value.as_double() != 0;
  if (value.is<std::string>()) return !value.text().empty();
  if (const auto* list = value.get_if<std::shared_ptr<List>>(); list != nullptr && (*list)->stacked != nullptr) {
    fail_unsupported("whether a list is empty, which only the run will know, decides what is computed");
  }
  if (value.has_items()) return !value.items().empty();
  if (value.is<std::shared_ptr<Dict>>()) return !value.dict()->entries.empty();
  if (!value.is_tensor() && !value.is_symbolic()) return true;
  ir::Value* flag = b().Cast(scalar(value), ir::DType::kBool);
  const Py known = Py::number(flag, Symbolic::Kind::kBool);
  if (known.is<bool>()) return known.as_bool();
  condition = flag;
  return std::nullopt;
}

int64_t Machine::rank(ir::Value* value) {
  if (value->has_rank()) return static_cast<int64_t>(framework_rank(value));
  // Which graph input keeps the rank from being known?
  std::vector<const ir::Value*> open{value};
  std::set<const ir::Value*> seen;
  while (!open.empty()) {
    const ir::Value* next = open.back();
    open.pop_back();
    if (next == nullptr || next->has_rank() || !seen.insert(next).second) continue;
    if (next->is_input() && next->graph() == &root_builder_.graph()) {
      throw NeedsType{next, std::nullopt, ir::DType::kUndefined, likely_rank()};
    }
    if (next->producer() == nullptr) continue;
    for (const ir::Value* input : next->producer()->inputs()) open.push_back(input);
  }
  fail_unsupported("the number of dimensions of a tensor is not known",
                   "give the shapes of the inputs with --input NAME=DIMS");
}

Aside::Aside(Machine& machine, ir::Builder& builder) : machine_(machine), builder_(machine.builder_) {
  machine_.builder_ = &builder;
  machine_.heap_.begin();
}

Aside::~Aside() {
  machine_.heap_.undo();
  machine_.builder_ = builder_;
}

}  // namespace onward::importer::script
