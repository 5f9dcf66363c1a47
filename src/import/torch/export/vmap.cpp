#include "import/torch/export/vmap.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "import/torch/export/targets.h"

namespace onward::importer::exported {
namespace {

using torchfile::ExportedArgument;
using torchfile::ExportedNode;

constexpr std::string_view kPlace = "torch._functorch.predispatch.";

bool is(const ExportedNode& node, std::string_view name) {
  return node.target.starts_with(kPlace) && std::string_view(node.target).substr(kPlace.size()) == name;
}

// Operators whose result at a place hangs on their operands' elements at that place only.
constexpr std::array kElementwise = std::to_array<std::string_view>(
    {"aten::add",     "aten::sub",     "aten::mul",        "aten::div",         "aten::neg",        "aten::abs",
     "aten::exp",     "aten::log",     "aten::sqrt",       "aten::rsqrt",       "aten::sin",        "aten::cos",
     "aten::tanh",    "aten::sigmoid", "aten::relu",       "aten::silu",        "aten::gelu",       "aten::maximum",
     "aten::minimum", "aten::where",   "aten::pow",        "aten::reciprocal",  "aten::square",     "aten::clone",
     "aten::eq",      "aten::ne",      "aten::lt",         "aten::le",          "aten::gt",         "aten::ge",
     "aten::rsub",    "aten::clamp",   "aten::logical_or", "aten::logical_and", "aten::logical_not"});

int64_t integer(const ExportedNode& node, size_t index) {
  if (index >= node.inputs.size() || node.inputs[index].value.kind != ExportedArgument::Kind::kInt) return 0;
  return node.inputs[index].value.integer;
}

// The permutation that moves one axis to another place.
std::vector<int64_t> moved(size_t rank, int64_t from, int64_t to) {
  const auto size = static_cast<int64_t>(rank);
  from = from < 0 ? from + size : from;
  to = to < 0 ? to + size : to;
  if (from < 0 || to < 0 || from >= size || to >= size) fail_data("an axis of a vmap is out of range");
  std::vector<int64_t> perm;
  for (int64_t i = 0; i < size; ++i) {
    if (i != from) perm.push_back(i);
  }
  perm.insert(perm.begin() + to, from);
  return perm;
}

}  // namespace

bool Vmap::begins(const ExportedNode& node) { return is(node, "_vmap_increment_nesting"); }

Vmap::Vmap(GraphReader& reader, const std::vector<Node>& nodes, size_t begin)
    : reader_(reader), nodes_(nodes), begin_(begin) {
  int depth = 0;
  for (size_t i = begin; i < nodes.size(); ++i) {
    if (begins(nodes[i])) ++depth;
    if (depth == 1 && is(nodes[i], "_add_batch_dim")) added_.push_back(&nodes[i]);
    if (depth == 1 && is(nodes[i], "_remove_batch_dim")) removed_.push_back(&nodes[i]);
    if (is(nodes[i], "_vmap_decrement_nesting") && --depth == 0) {
      end_ = i;
      return;
    }
  }
  fail_unsupported("a vmap is begun but not ended");
}

void Vmap::run() { is_elementwise() ? run_elementwise() : run_as_scan(); }

bool Vmap::is_elementwise() const {
  const auto rank = [&](const std::string& name) -> size_t {
    const auto found = reader_.scope_->graph->tensors.find(name);
    return found == reader_.scope_->graph->tensors.end() ? SIZE_MAX : found->second.sizes.size();
  };
  size_t batched = SIZE_MAX;
  for (const Node* node : added_) {
    if (node->outputs.size() != 1) return false;
    const size_t own = rank(node->outputs[0].text);
    if (batched != SIZE_MAX && own != batched) return false;
    batched = own;
  }
  for (size_t i = begin_; i <= end_; ++i) {
    const Node& node = nodes_[i];
    if (node.target.starts_with(kPlace)) {
      if (i != begin_ && begins(node)) return false;
      continue;
    }
    const std::string name = parse_target(node.target).name;
    if (std::find(kElementwise.begin(), kElementwise.end(), name) == kElementwise.end()) return false;
    if (node.outputs.size() != 1 || rank(node.outputs[0].text) != batched) return false;
    for (const torchfile::NamedArgument& input : node.inputs) {
      const bool tensor = input.value.kind == ExportedArgument::Kind::kTensor;
      if (tensor && (rank(input.value.text) == SIZE_MAX || rank(input.value.text) > batched)) return false;
    }
  }
  return batched != SIZE_MAX;
}

ir::Value* Vmap::batch_first(const Node& added) {
  if (added.inputs.empty()) fail_data("a vmap adds no tensor");
  ir::Value* value = reader_.value(reader_.argument(added.inputs[0].value));
  return reader_.b().Transpose(value, moved(value->rank(), integer(added, 1), 0));
}

void Vmap::give_back(const Node& removed, ir::Value* value) {
  reader_.bind(removed.outputs, Py::tensor(reader_.b().Transpose(value, moved(value->rank(), 0, integer(removed, 3)))));
}

void Vmap::run_body() {
  for (size_t i = begin_ + 1; i < end_; ++i) {
    if (begins(nodes_[i])) {
      Vmap inner(reader_, nodes_, i);
      inner.run();
      i = inner.end();
    } else if (!nodes_[i].target.starts_with(kPlace)) {
      reader_.run_node(nodes_[i]);
    }
  }
}

// With the batch as one more leading axis of everything.
void Vmap::run_elementwise() {
  for (const Node* node : added_) reader_.bind(node->outputs, Py::tensor(batch_first(*node)));
  run_body();
  for (const Node* node : removed_) give_back(*node, reader_.value(reader_.argument(node->inputs.at(0).value)));
}

void Vmap::run_as_scan() {
  if (added_.empty()) fail_unsupported("a vmap over no tensor has no translation");
  ir::Values scanned;
  for (const Node* node : added_) scanned.push_back(batch_first(*node));
  const auto body = [&](ir::Builder& inner, const ir::Values&, const ir::Values& slices) {
    const script::Aside aside(reader_, inner);
    inner.set_origin(reader_.origin());
    for (size_t i = 0; i < added_.size(); ++i) reader_.bind(added_[i]->outputs, Py::tensor(slices[i]));
    run_body();
    ir::Builder::ScanResult result;
    for (const Node* node : removed_) {
      result.scans.push_back(reader_.value(reader_.argument(node->inputs.at(0).value)));
    }
    return result;
  };
  const ir::Values results = reader_.b().Scan({}, scanned, body, removed_.size());
  for (size_t i = 0; i < removed_.size(); ++i) give_back(*removed_[i], results[i]);
}

}  // namespace onward::importer::exported
