#include "import/torch/export/listed_parts.h"

namespace onward::importer::exported {
namespace {

using script::Items;
using script::Kwargs;
using script::Machine;
using script::Py;
using script::Symbolic;

Py size_of(ir::Value* number) { return Py::number(number, Symbolic::Kind::kInt); }

int64_t axis_of(const Items& args, const Kwargs& kwargs) {
  if (args.size() > 2) return args[2].as_int();
  for (const auto& [name, value] : kwargs) {
    if (name == "dim") return value.as_int();
  }
  return 0;
}

// aten::split.Tensor(Tensor self, SymInt split_size, int dim=0): all parts but the last are whole.
std::string by_sizes(Machine& machine, const std::string& target, Items& args, const Kwargs& kwargs, size_t parts) {
  ir::Builder& b = machine.b();
  ir::Value* x = machine.value(args[0]);
  if (!x->has_rank()) return target;
  const auto rank = static_cast<int64_t>(x->rank());
  int64_t axis = axis_of(args, kwargs);
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return target;
  if (x->dim(static_cast<size_t>(axis)).is_known() && !args[1].is_symbolic()) return target;
  ir::Value* each = machine.scalar(args[1]);
  Items sizes(parts - 1, args[1]);
  sizes.push_back(size_of(b.Sub(b.dim_scalar(x, axis), b.Mul(each, b.i64(static_cast<int64_t>(parts) - 1)))));
  args[1] = Py::list(std::move(sizes));
  return "torch.ops.aten.split_with_sizes.default";
}

// aten::tensor_split.tensor_indices_or_sections(Tensor self, Tensor tensor_indices_or_sections, int dim=0)
std::string by_places(Machine& machine, const std::string& target, Items& args, size_t parts) {
  ir::Builder& b = machine.b();
  ir::Value* given = machine.value(args[1]);
  if (given->is_constant() || !given->has_rank()) return target;
  if (given->rank() == 0) {
    args[1] = static_cast<int64_t>(parts);
    return "torch.ops.aten.tensor_split.sections";
  }
  Items places;
  for (size_t i = 0; i + 1 < parts; ++i) places.push_back(size_of(b.Select(given, static_cast<int64_t>(i), 0)));
  args[1] = Py::list(std::move(places));
  return "torch.ops.aten.tensor_split.indices";
}

}  // namespace

std::string with_listed_parts(Machine& machine, const std::string& target, Items& args, Kwargs& kwargs, size_t parts) {
  if (parts == 0 || args.size() < 2 || !args[0].is_tensor()) return target;
  for (const char* name : {"split", "unsafe_split", "split_copy"}) {
    const bool named = target == std::string("torch.ops.aten.") + name + ".Tensor";
    if (named && args[1].is_number()) return by_sizes(machine, target, args, kwargs, parts);
  }
  if (target == "torch.ops.aten.tensor_split.tensor_indices_or_sections" && args[1].is_tensor()) {
    return by_places(machine, target, args, parts);
  }
  return target;
}

}  // namespace onward::importer::exported
