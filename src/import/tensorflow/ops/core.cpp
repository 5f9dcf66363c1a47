// Constants, placeholders, identities, and what only matters in training or while debugging.
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/types.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

// Larger constants lie in the main graph, also those of branches and loops.
constexpr size_t kLarge = 1024;

// Const(value: tensor, dtype: type) -> output
Items constant(Call& c) {
  const Array* array = c.array("value");
  c.require(array != nullptr, "it has no value");
  const std::string& name = c.node().name;
  ir::Tensor tensor = to_tensor(*array, "its value");
  if (ir::is_complex(tensor.dtype())) {
    ir::Dims dims = tensor.dims();
    dims.push_back(2);
    const bool single = tensor.dtype() == ir::DType::kComplex64;
    const ir::Tensor pairs(single ? ir::DType::kFloat : ir::DType::kDouble, dims, tensor.bytes());
    return {Complex{c.evaluator().weight(pairs, name)}};
  }
  if (tensor.bytes().size() > kLarge) return {c.evaluator().weight(std::move(tensor), name)};
  return {c.b.constant(std::move(tensor), name)};
}

// A reference to a v1 variable means its value from here on.
Item dereferenced(Call& c, const Item& item) {
  const Resource* resource = item.resource();
  if (resource == nullptr || !resource->reference) return item;
  const auto found = c.state().variables.find(resource);
  return found != c.state().variables.end() ? found->second : item;
}

// Identity(input: T) -> output
Items identity(Call& c) { return {dereferenced(c, c.item(0))}; }

// IdentityN(input: T) -> output: T
Items identities(Call& c) {
  Items items;
  for (const Item& item : c.items()) items.push_back(dereferenced(c, item));
  return items;
}

// Placeholder(dtype: type, shape: shape) -> output
Items placeholder(Call& c) {
  c.fail("its value is not given: it is none of the inputs",
         "add it to --inputs, or choose --outputs that do not depend on it");
}

// NoOp()
Items nothing(Call&) { return {}; }

}  // namespace

void register_core(OpTable& t) {
  t.add("Const", constant);
  for (const char* name : {"Identity", "StopGradient", "PreventGradient", "Snapshot", "PlaceholderWithDefault",
                           "CheckNumerics", "CheckNumericsV2", "ReadVariableOpSnapshot", "DebugIdentity", "Print",
                           "EnsureFinite", "DeepCopy", "RefIdentity", "CopyHost", "Copy", "DebugGradientIdentity"}) {
    t.add(name, identity);
  }
  t.add("IdentityN", identities);
  t.add("Placeholder", placeholder);
  t.add("NoOp", nothing);
  for (const char* name :
       {"Assert", "PrintV2", "AudioSummaryV2", "HistogramSummary", "ImageSummary", "MergeSummary", "ScalarSummary",
        "TensorSummary", "TensorSummaryV2", "WriteSummary", "WriteScalarSummary", "WriteHistogramSummary", "SaveV2",
        "MergeV2Checkpoints", "DeleteSessionTensor", "StringFormat"}) {
    t.ignore(name);
  }
}

}  // namespace onward::importer::tf
