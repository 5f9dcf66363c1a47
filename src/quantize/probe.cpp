#include "quantize/probe.h"

#include <exception>
#include <map>
#include <set>

#include "ir/clone.h"

namespace onward::quantize {
namespace {

using ir::Value;

// The DequantizeLinear behind a quantized value, or the value.
Value* read_back(Value* value) {
  if (value->uses().size() != 1 || value->uses().front().node == nullptr) return value;
  const ir::Node& quantize = *value->uses().front().node;
  if (!quantize.is("QuantizeLinear") || quantize.output()->uses().empty()) return value;
  const ir::Node* back = quantize.output()->uses().front().node;
  return back != nullptr && back->is("DequantizeLinear") ? back->output() : value;
}

void watch(ir::Graph& graph, Value* value, size_t index) {
  ir::Node* node = graph.add_node(runtime::kWatchDomain, "Watch", {value}, 1);
  node->attrs.set("index", static_cast<int64_t>(index));
  node->output()->dtype = ir::DType::kFloat;
  node->output()->shape = ir::Shape{0};
  graph.add_output(node->output(), "onward watched " + std::to_string(index));
}

// The values that the model takes or computes, in the order of computing.
std::vector<Value*> values_in_order(ir::Graph& graph) {
  std::vector<Value*> values = graph.inputs();
  for (const ir::Node& node : graph.nodes()) values.insert(values.end(), node.outputs().begin(), node.outputs().end());
  return values;
}

// The names of the values, in the order of their indices.
std::vector<std::string> add_watches(ir::Graph& graph, const std::vector<std::string>& names) {
  const std::set<std::string> wanted(names.begin(), names.end());
  std::vector<std::string> found;
  std::vector<Value*> watched;
  for (Value* value : values_in_order(graph)) {
    const bool tensor = value->kind == ir::Kind::kTensor && value->dtype != ir::DType::kString;
    if (!tensor || !wanted.contains(value->name)) continue;
    found.push_back(value->name);
    watched.push_back(read_back(value));
  }
  // Of the nodes that end the graph, ONNX Runtime serves the last one first: this way each value is seen before the
  // next is computed, and none is kept for long.
  for (size_t i = watched.size(); i-- > 0;) watch(graph, watched[i], i);
  return found;
}

}  // namespace

// Shared with the session's watch, which stays where it is when the probe moves.
struct Probe::Watched {
  std::vector<std::string> names;
  const Visit* visit = nullptr;  // of the run that goes on
  std::exception_ptr thrown;

  void see(size_t index, const ir::Tensor& tensor) {
    if (thrown) return;
    try {
      (*visit)(names.at(index), tensor);
    } catch (...) {  // ONNX Runtime, which calls this, could not pass it on
      thrown = std::current_exception();
    }
  }
};

Probe::Probe(const ir::Model& model, const std::vector<std::string>& names, const Host& host)
    : model_(ir::clone(model)), watched_(std::make_shared<Watched>()) {
  watched_->names = add_watches(*model_.graph, names);
  session_ =
      host.open(model_, [watched = watched_](size_t index, const ir::Tensor& tensor) { watched->see(index, tensor); });
}

void Probe::run(const std::vector<ir::Tensor>& inputs, const Visit& visit) const {
  watched_->visit = &visit;
  watched_->thrown = nullptr;
  session_->run(inputs);
  if (watched_->thrown) std::rethrow_exception(watched_->thrown);
}

void visit_pairs(const Probe& a, const std::vector<ir::Tensor>& inputs_a, const Probe& b,
                 const std::vector<ir::Tensor>& inputs_b, const VisitPair& visit) {
  constexpr size_t kMostKept = size_t{128} << 20;
  std::set<std::string> done;
  for (bool more = true; more;) {
    std::map<std::string, ir::Tensor> kept;
    size_t bytes = 0;
    more = false;
    a.run(inputs_a, [&](const std::string& name, const ir::Tensor& tensor) {
      more = more || (bytes >= kMostKept && !done.contains(name));
      if (bytes >= kMostKept || !done.insert(name).second) return;
      bytes += tensor.bytes().size();
      kept[name] = ir::Tensor(tensor.dtype(), tensor.dims(), Bytes::copy_of(tensor.bytes().view()));
    });
    b.run(inputs_b, [&](const std::string& name, const ir::Tensor& tensor) {
      if (const auto of_a = kept.find(name); of_a != kept.end()) visit(name, of_a->second, tensor);
    });
  }
}

}  // namespace onward::quantize
