// Variables: handles, reads, assignments, and how a checkpoint fills them.
#include <charconv>
#include <sstream>

#include "base/error.h"
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

Items handle(Call& c, bool reference) {
  auto resource = std::make_shared<Resource>();
  resource->kind = Resource::Kind::kVariable;
  resource->name = c.node().name;
  resource->type = c.type("dtype");
  resource->shape = c.shape("shape");
  resource->reference = reference;
  return {ResourcePtr(std::move(resource))};
}
// VarHandleOp(dtype: type, shape: shape, …) -> resource
Items var_handle(Call& c) { return handle(c, false); }
// VariableV2(shape: shape, dtype: type, …) -> ref
Items variable(Call& c) { return handle(c, true); }

// ReadVariableOp(resource, dtype: type) -> value
Items read(Call& c) { return {variable_content(c, c.resource(0))}; }

// AssignVariableOp(resource, value: dtype)
Items assign(Call& c) {
  c.state().variables[&c.resource(0)] = c.item(1);
  return {};
}

// Assign(ref, value: T) -> output_ref
Items assign_ref(Call& c) {
  c.state().variables[&c.resource(0)] = c.item(1);
  return {c.item(0)};
}

template <bool Subtract>
Items accumulate(Call& c) {
  const Resource& resource = c.resource(0);
  Value* old = c.tensor_of(variable_content(c, resource), "the variable");
  const auto node = Subtract ? static_cast<BinaryNode>(&ir::Builder::Sub) : static_cast<BinaryNode>(&ir::Builder::Add);
  c.state().variables[&resource] = computed(c.b, node, old, c.input(1), arithmetic_dtype);
  return {};
}
// AssignAdd(ref, value: T) -> output_ref
template <bool Subtract>
Items accumulate_ref(Call& c) {
  accumulate<Subtract>(c);
  return {c.item(0)};
}

// VarIsInitializedOp(resource) -> is_initialized
Value* is_initialized(Call& c) { return c.b.boolean(c.state().variables.contains(&c.resource(0))); }

// VariableShape(input: resource, out_type: type = int32) -> output
Value* variable_shape(Call& c) {
  Value* value = c.tensor_of(variable_content(c, c.resource(0)), "the variable");
  return c.b.Cast(c.b.Shape(value), c.dtype("out_type", tensorflow::DataType::kInt32));
}

// "4 5 0,2:-" → start and length of each dimension; nothing for the whole tensor.
void parse_slice(Call& c, const std::string& text, Stored& stored) {
  if (text.empty()) return;
  const size_t space = text.rfind(' ');
  c.require(space != std::string::npos, "the slice \"" + text + "\" is malformed");
  std::istringstream stream(text.substr(space + 1));
  for (std::string extent; std::getline(stream, extent, ':');) {
    const size_t comma = extent.find(',');
    const auto number = [&](const std::string& digits) {
      int64_t value = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      c.require(error == std::errc() && end == digits.data() + digits.size(),
                "the slice \"" + text + "\" is malformed");
      return value;
    };
    const bool whole = extent == "-";
    stored.start.push_back(whole ? 0 : number(extent.substr(0, comma)));
    stored.length.push_back(whole ? -1 : number(comma == std::string::npos ? "" : extent.substr(comma + 1)));
  }
}

// RestoreV2(prefix, tensor_names, shape_and_slices) -> tensors: dtypes
Items restore(Call& c) {
  const Value* names = c.input(1);
  const Value* slices = c.input(2);
  c.require(names->is_constant() && slices->is_constant() && names->dtype == ir::DType::kString &&
                slices->dtype == ir::DType::kString && names->constant()->count() == slices->constant()->count(),
            "the names of the tensors are not constant");
  Items items;
  for (size_t i = 0; i < names->constant()->count(); ++i) {
    auto stored = std::make_shared<Stored>();
    stored->key = names->constant()->strings()[i];
    parse_slice(c, slices->constant()->strings()[i], *stored);
    const bool known = c.evaluator().bundle() != nullptr && c.evaluator().bundle()->contains(stored->key);
    items.push_back(known ? Item(std::shared_ptr<const Stored>(std::move(stored))) : Item(Untranslated{}));
  }
  return items;
}

}  // namespace

void register_variables(OpTable& t) {
  t.add("VarHandleOp", var_handle);
  t.add("Variable", variable);
  t.add("VariableV2", variable);
  t.add("TemporaryVariable", variable);
  t.add("ReadVariableOp", read);
  t.add("VarIsInitializedOp", is_initialized);
  t.add("IsVariableInitialized", is_initialized);
  t.add("VariableShape", variable_shape);
  t.add("RestoreV2 -> tensors*dtypes", restore);
  t.effect("AssignVariableOp", assign);
  t.effect("AssignAddVariableOp", accumulate<false>);
  t.effect("AssignSubVariableOp", accumulate<true>);
  t.effect("Assign", assign_ref);
  t.effect("AssignAdd", accumulate_ref<false>);
  t.effect("AssignSub", accumulate_ref<true>);
}

}  // namespace onward::importer::tf
