// Images that a model takes and gives channels last become channels first (convert --layout nchw):
//
//   input x[b, h, w, c] → … → Transpose<[0,3,1,2]> → Conv     →   input x[b, c, h, w] → Transpose<[0,2,3,1]> → …
//   Conv → Transpose<[0,2,3,1]> → … → output y[b, h, w, c]    →   … → Transpose<[0,3,1,2]> → output y[b, c, h, w]
//
// An image is an input or output of rank 4 that values of rank 4 connect with a transpose between the two orders; the
// transposes put in here are for sink_transposes to move on.
#include <unordered_set>

#include "passes/layout/roles.h"
#include "passes/passes.h"

namespace onward::passes {
namespace {

using ir::Graph;
using ir::Node;
using ir::Value;

constexpr size_t kImageRank = 4;

bool is_image_like(const Value* value) {
  return value != nullptr && value->kind == ir::Kind::kTensor && value->shape && value->shape->size() == kImageRank;
}

bool transposes_to(const Node& node, const std::vector<int64_t>& perm) {
  const ir::Attr* given = node.attrs.find("perm");
  return node.is("Transpose") && given != nullptr && given->as_ints() == perm;
}

bool feeds_channels_first(const Value* input) {
  const std::vector<int64_t> wanted = layout::channels_first(kImageRank);
  std::unordered_set<const Value*> seen{input};
  std::vector<const Value*> waiting{input};
  while (!waiting.empty()) {
    const Value* value = waiting.back();
    waiting.pop_back();
    for (const ir::Use& use : value->uses()) {
      if (use.node == nullptr) continue;
      if (transposes_to(*use.node, wanted)) return true;
      if (use.node->is("Transpose")) continue;
      for (const Value* output : use.node->outputs()) {
        if (is_image_like(output) && seen.insert(output).second) waiting.push_back(output);
      }
    }
  }
  return false;
}

bool comes_from_channels_first(const Value* output, const std::unordered_set<const Value*>& images) {
  const std::vector<int64_t> wanted = layout::channels_last(kImageRank);
  std::unordered_set<const Value*> seen{output};
  std::vector<const Value*> waiting{output};
  while (!waiting.empty()) {
    const Value* value = waiting.back();
    waiting.pop_back();
    if (images.contains(value)) return true;
    const Node* producer = value->producer();
    if (producer == nullptr) continue;
    if (transposes_to(*producer, wanted)) return true;
    if (producer->is("Transpose")) continue;
    for (const Value* input : producer->inputs()) {
      if (is_image_like(input) && seen.insert(input).second) waiting.push_back(input);
    }
  }
  return false;
}

void turn_input(Graph& graph, Value* input) {
  Node* first = graph.nodes().empty() ? nullptr : &graph.nodes().front();
  Node* transpose = graph.add_node("", "Transpose", {nullptr}, 1, first);
  transpose->attrs.set("perm", layout::channels_last(kImageRank));
  transpose->output()->dtype = input->dtype;
  transpose->output()->shape = input->shape;
  Graph::replace_uses(input, transpose->output());
  transpose->set_input(0, input);
  const ir::Shape& shape = *input->shape;
  input->shape = ir::Shape{shape[0], shape[3], shape[1], shape[2]};
}

}  // namespace

bool images_to_channels_first(Graph& graph, const ir::Inference& inference) {
  std::unordered_set<const Value*> images;
  for (const Value* input : graph.inputs()) {
    if (is_image_like(input) && feeds_channels_first(input)) images.insert(input);
  }
  std::vector<size_t> outputs;
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value* output = graph.outputs()[i];
    if (is_image_like(output) && comes_from_channels_first(output, images)) outputs.push_back(i);
  }
  ir::Builder b(graph, inference);
  for (const size_t i : outputs) {
    graph.set_output(i, b.Transpose(graph.outputs()[i], layout::channels_first(kImageRank)));
  }
  for (Value* input : graph.inputs()) {
    if (images.contains(input)) turn_input(graph, input);
  }
  return !images.empty() || !outputs.empty();
}

}  // namespace onward::passes
