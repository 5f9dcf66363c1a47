// What is there twice is kept once:
//
//   constants of the same type, shape and bytes     →  one constant
//   a = Add(x, y); b = Add(x, y)                    →  b gives way to a     same operator, inputs and attributes
//
// Within one graph. Random operators, and those with subgraphs, stay.
#include <algorithm>
#include <unordered_map>

#include "ir/random.h"
#include "passes/passes.h"
#include "passes/rewrite.h"

namespace onward::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Tensor;
using ir::Value;

// Looked at before whole contents are compared.
constexpr size_t kSampleBytes = 64;

void mix(size_t& hash, size_t more) { hash = (hash ^ more) * 0x9e3779b97f4a7c15U + (hash >> 29U); }

// From a few bytes only, so that weights are not paged in for nothing.
size_t sample_hash(const Tensor& tensor) {
  size_t hash = static_cast<size_t>(tensor.dtype());
  for (const int64_t dim : tensor.dims()) mix(hash, static_cast<size_t>(dim) + 1);
  if (tensor.dtype() == ir::DType::kString) return hash;
  const std::string_view bytes = tensor.bytes().text();
  const std::hash<std::string_view> of;
  mix(hash, of(bytes.substr(0, kSampleBytes)));
  if (bytes.size() > kSampleBytes) {
    mix(hash, of(bytes.substr(bytes.size() / 2, kSampleBytes)));
    mix(hash, of(bytes.substr(bytes.size() - kSampleBytes)));
  }
  return hash;
}

bool same_tensor(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.dims() == b.dims() && a.same_content(b);
}

bool merge_constants(Graph& graph) {
  bool changed = false;
  std::unordered_multimap<size_t, Value*> known;
  for (Value& value : graph.values()) {
    if (!value.is_constant() || value.uses().empty()) continue;
    const size_t hash = sample_hash(*value.constant());
    const auto [begin, end] = known.equal_range(hash);
    const auto twin = std::find_if(
        begin, end, [&](const auto& entry) { return same_tensor(*entry.second->constant(), *value.constant()); });
    if (twin == end) {
      known.emplace(hash, &value);
    } else {
      Graph::replace_uses(&value, twin->second);
      changed = true;
    }
  }
  graph.drop_unused_constants();
  return changed;
}

struct AttrHash {
  size_t operator()(int64_t value) const { return std::hash<int64_t>()(value); }
  size_t operator()(float value) const { return std::hash<float>()(value); }
  size_t operator()(const std::string& value) const { return std::hash<std::string>()(value); }
  size_t operator()(const Tensor& value) const { return sample_hash(value); }
  size_t operator()(const std::shared_ptr<Graph>& value) const { return std::hash<std::shared_ptr<Graph>>()(value); }
  template <class T>
  size_t operator()(const std::vector<T>& values) const {
    size_t hash = values.size();
    for (const T& value : values) mix(hash, (*this)(value));
    return hash;
  }
};

size_t node_hash(const Node& node) {
  size_t hash = std::hash<std::string>()(node.op_type);
  for (const Value* input : node.inputs()) mix(hash, std::hash<const Value*>()(input));
  for (const auto& [name, attr] : node.attrs) {
    mix(hash, std::hash<std::string>()(name));
    mix(hash, std::visit(AttrHash(), attr.variant()));
  }
  return hash;
}

bool same_attr(const ir::Attr& a, const ir::Attr& b) {
  if (const Tensor* tensor = a.get_if<Tensor>()) {
    const Tensor* other = b.get_if<Tensor>();
    return other != nullptr && same_tensor(*tensor, *other);
  }
  return std::visit(
      [&](const auto& value) {
        using T = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<T, Tensor>) {
          return false;
        } else {
          const T* other = b.get_if<T>();
          return other != nullptr && *other == value;
        }
      },
      a.variant());
}

bool same_node(const Node& a, const Node& b) {
  if (a.op_type != b.op_type || a.domain != b.domain || a.inputs() != b.inputs()) return false;
  if (a.outputs().size() != b.outputs().size() || a.attrs.size() != b.attrs.size()) return false;
  return std::equal(a.attrs.begin(), a.attrs.end(), b.attrs.begin(), [](const auto& left, const auto& right) {
    return left.first == right.first && same_attr(left.second, right.second);
  });
}

bool may_differ_each_time(const Node& node) {
  bool subgraphs = false;
  ir::for_each_subgraph(node, [&](const Graph&) { subgraphs = true; });
  return subgraphs || !node.domain.empty() || ir::draws_random(node);
}

bool merge_nodes(Graph& graph) {
  bool changed = false;
  std::unordered_multimap<size_t, Node*> known;
  for (auto place = graph.nodes().begin(); place != graph.nodes().end();) {
    Node& node = *place++;
    if (may_differ_each_time(node)) continue;
    const size_t hash = node_hash(node);
    const auto [begin, end] = known.equal_range(hash);
    const auto twin = std::find_if(begin, end, [&](const auto& entry) { return same_node(*entry.second, node); });
    if (twin == end) {
      known.emplace(hash, &node);
      continue;
    }
    for (size_t i = 0; i < node.outputs().size(); ++i) {
      refine(*twin->second->output(i), *node.output(i));
      Graph::replace_uses(node.output(i), twin->second->output(i));
    }
    graph.erase(&node);
    changed = true;
  }
  return changed;
}

}  // namespace

bool merge_duplicates(Graph& graph, const ir::Inference& inference) {
  bool changed = merge_constants(graph);
  changed |= merge_nodes(graph);
  for (Node& node : graph.nodes()) {
    ir::for_each_subgraph(node, [&](Graph& subgraph) { changed |= merge_duplicates(subgraph, inference); });
  }
  return changed;
}

}  // namespace onward::passes
