#include "ir/builder.h"

#include <algorithm>
#include <limits>
#include <set>

#include "base/error.h"
#include "base/release_pages.h"
#include "ir/eval.h"

namespace onward::ir {
namespace {

// Constants larger than this are only folded by operators that don't grow or compute on them.
constexpr size_t kFoldBytes = 1 << 20;
// Constants from this size on are worth a system call.
constexpr size_t kLargeBytes = 1 << 16;

std::vector<int64_t> normalized(std::vector<int64_t> axes, size_t rank) {
  for (int64_t& axis : axes) {
    if (axis < 0) axis += static_cast<int64_t>(rank);
  }
  return axes;
}

}  // namespace

std::optional<Tensor> known_content(const Value& value) {
  if (!value.content || value.kind != Kind::kTensor || !value.shape || value.shape->size() > 1) return std::nullopt;
  if (value.dtype != DType::kInt64 && value.dtype != DType::kInt32) return std::nullopt;
  const std::optional<Dims> numbers = static_dims(*value.content);
  if (!numbers) return std::nullopt;
  const Dims dims = value.shape->empty() ? Dims{} : Dims{static_cast<int64_t>(numbers->size())};
  if (dims.empty() && numbers->size() != 1) return std::nullopt;
  return Tensor::from_ints(value.dtype, dims, *numbers);
}

Node* Builder::make(std::string_view domain, std::string_view type, const Values& inputs, size_t outputs, Attrs attrs) {
  Node* node = graph_->add_node(std::string(domain), std::string(type), inputs, outputs, before_);
  node->attrs = std::move(attrs);
  node->origin = origin_;
  return node;
}

bool Builder::fold(std::string_view type, const Values& inputs, size_t outputs, const Attrs& attrs, Values& results) {
  if (inputs.empty()) return false;
  std::vector<const Tensor*> constants;
  for (const Value* input : inputs) {
    if (input != nullptr && !input->is_constant()) return false;
    constants.push_back(input != nullptr ? &*input->constant() : nullptr);
  }
  auto tensors = evaluate(type, constants, attrs, outputs, kFoldBytes);
  if (!tensors) return false;
  // What the file holds has done its duty.
  for (const Tensor* tensor : constants) {
    if (tensor != nullptr && tensor->bytes().size() >= kLargeBytes) release_pages(tensor->bytes().view());
  }
  for (Tensor& tensor : *tensors) results.push_back(constant(std::move(tensor)));
  return true;
}

Value* Builder::op(std::string_view type, const Values& inputs, Attrs attrs) {
  return ops(type, inputs, 1, std::move(attrs)).front();
}

Values Builder::ops(std::string_view type, const Values& inputs, size_t outputs, Attrs attrs) {
  Values results;
  if (fold(type, inputs, outputs, attrs, results)) return results;
  Node* node = make("", type, inputs, outputs, std::move(attrs));
  try {
    inference_->infer(*node);
  } catch (const Error&) {
    graph_->erase(node);
    throw;
  }
  if (outputs == 1) {
    if (std::optional<Tensor> known = known_content(*node->output())) {
      graph_->erase(node);
      return {constant(std::move(*known))};
    }
  }
  return node->outputs();
}

Values Builder::foreign(std::string_view domain, std::string_view type, const Values& inputs, size_t outputs,
                        Attrs attrs) {
  return make(domain, type, inputs, outputs, std::move(attrs))->outputs();
}

Value* Builder::constant(Tensor tensor, std::string name) {
  return graph_->add_constant(std::move(tensor), std::move(name));
}
Value* Builder::i64(int64_t value) { return constant(Tensor::scalar(value)); }
Value* Builder::ints(const std::vector<int64_t>& values) { return constant(Tensor::vector(values)); }
Value* Builder::number(double value, DType dtype) { return constant(Tensor::from_doubles(dtype, {}, {value})); }
Value* Builder::number_like(double value, const Value* like) { return number(value, like->dtype); }
Value* Builder::boolean(bool value) { return constant(Tensor::scalar(value)); }

Value* Builder::Shape(Value* x) {
  if (x->shape) {
    if (const std::optional<Dims> dims = static_dims(*x->shape)) return ints(*dims);
  }
  return op("Shape", {x});
}

Value* Builder::dim(Value* x, int64_t axis) {
  if (x->shape) {
    const int64_t rank = static_cast<int64_t>(x->shape->size());
    const int64_t index = axis < 0 ? axis + rank : axis;
    if (index < 0 || index >= rank) {
      fail_invalid("axis " + std::to_string(axis) + " is out of range for rank " + std::to_string(rank));
    }
    const Dim& known = (*x->shape)[static_cast<size_t>(index)];
    if (known.is_known()) return ints({known.value()});
    return op("Shape", {x}, {{"start", index}, {"end", index + 1}});
  }
  return Gather(op("Shape", {x}), ints({axis}), 0);
}

Value* Builder::dim_scalar(Value* x, int64_t axis) { return Squeeze(dim(x, axis), {0}); }

Value* Builder::join(const Values& parts) {
  Values vectors;
  for (Value* part : parts) {
    Value* wide = Cast(part, DType::kInt64);
    vectors.push_back(wide->rank() == 0 ? Unsqueeze(wide, {0}) : wide);
  }
  if (vectors.empty()) return ints({});
  return Concat(vectors, 0);
}

Value* Builder::Cast(Value* x, DType dtype) { return x->dtype == dtype ? x : op("Cast", {x}, {{"to", dtype}}); }

Value* Builder::Transpose(Value* x, const std::vector<int64_t>& perm) {
  const std::vector<int64_t> axes = normalized(perm, perm.size());
  if (std::is_sorted(axes.begin(), axes.end())) return x;
  return op("Transpose", {x}, {{"perm", axes}});
}

Value* Builder::Unsqueeze(Value* x, const std::vector<int64_t>& axes) {
  return axes.empty() ? x : op("Unsqueeze", {x, ints(axes)});
}

Value* Builder::Squeeze(Value* x, const std::vector<int64_t>& axes) {
  return axes.empty() ? x : op("Squeeze", {x, ints(axes)});
}

Value* Builder::Concat(const Values& parts, int64_t axis) {
  return parts.size() == 1 ? parts.front() : op("Concat", parts, {{"axis", axis}});
}

Values Builder::Split(Value* x, const std::vector<int64_t>& sizes, int64_t axis) {
  if (sizes.size() == 1) return {x};
  return ops("Split", {x, ints(sizes)}, sizes.size(), {{"axis", axis}});
}

Value* Builder::Slice(Value* x, int64_t start, int64_t end, int64_t axis, int64_t step) {
  if (start == 0 && step == 1 && end == std::numeric_limits<int64_t>::max()) return x;
  return Slice(x, ints({start}), ints({end}), ints({axis}), step == 1 ? nullptr : ints({step}));
}

Value* Builder::Fill(Value* shape, double value, DType dtype) {
  return op("ConstantOfShape", {shape}, {{"value", Tensor::from_doubles(dtype, {1}, {value})}});
}

Value* Builder::Pad(Value* x, const std::vector<int64_t>& pads, double value, const char* mode) {
  if (std::all_of(pads.begin(), pads.end(), [](int64_t pad) { return pad == 0; })) return x;
  Value* filler = std::string_view(mode) == "constant" && value != 0 ? number_like(value, x) : nullptr;
  return op("Pad", {x, ints(pads), filler}, {{"mode", mode}});
}

Value* Builder::reduce(std::string_view type, Value* x, const std::vector<int64_t>& axes, bool keepdims) {
  // Counted from the front: ONNX Runtime reduces empty tensors wrongly over axes counted from the back.
  Value* over = axes.empty() ? nullptr : ints(x->shape ? normalized(axes, x->shape->size()) : axes);
  return op(type, {x, over}, {{"keepdims", keepdims}});
}

Builder Builder::inner(Graph& subgraph) const {
  Builder builder(subgraph, *inference_);
  builder.set_origin(origin_);
  return builder;
}

void Builder::finish(Graph& subgraph, const Values& results) {
  Builder builder = inner(subgraph);
  std::set<const Value*> seen;
  for (Value* result : results) {
    const bool own = result->graph() == &subgraph && result->producer() != nullptr && seen.insert(result).second;
    if (own) {
      subgraph.add_output(result);
      continue;
    }
    Node* node = builder.make("", "Identity", {result}, 1, {});
    node->output()->kind = result->kind;
    node->output()->dtype = result->dtype;
    node->output()->shape = result->shape;
    subgraph.add_output(node->output());
  }
}

Values Builder::If(Value* condition, const Branch& then_branch, const Branch& else_branch) {
  if (condition->is_constant()) return condition->constant()->as_int() != 0 ? then_branch(*this) : else_branch(*this);
  const auto build = [&](const Branch& branch) {
    auto graph = std::make_shared<Graph>();
    Builder builder = inner(*graph);
    finish(*graph, branch(builder));
    return graph;
  };
  const auto then_graph = build(then_branch);
  const auto else_graph = build(else_branch);
  if (then_graph->outputs().size() != else_graph->outputs().size()) {
    fail_invalid("the branches of a condition give different numbers of results");
  }
  const size_t outputs = then_graph->outputs().size();
  Node* node = make("", "If", {condition}, outputs, {{"then_branch", then_graph}, {"else_branch", else_graph}});
  infer_control_flow(*node);
  return node->outputs();
}

Values Builder::Loop(Value* trips, Value* condition, const Values& initial, const LoopBody& body, size_t scan_outputs) {
  std::vector<std::optional<ir::Shape>> shapes;
  for (const Value* value : initial) shapes.push_back(value->shape);
  std::shared_ptr<Graph> graph;
  for (bool settled = false; !settled;) {
    graph = std::make_shared<Graph>();
    Builder builder = inner(*graph);
    Value* iteration = graph->add_input("iteration", DType::kInt64, ir::Shape{});
    Value* running = graph->add_input("running", DType::kBool, ir::Shape{});
    Values carried;
    for (size_t i = 0; i < initial.size(); ++i) {
      carried.push_back(graph->add_input("carried_" + std::to_string(i), initial[i]->dtype, shapes[i]));
      carried.back()->kind = initial[i]->kind;
    }
    const LoopResult result = body(builder, iteration, running, carried);
    if (result.carried.size() != initial.size() || result.scans.size() != scan_outputs) {
      throw Error(Code::kInternal, "a loop body returns another number of values than it gets");
    }
    Values results{result.condition != nullptr ? result.condition : running};
    results.insert(results.end(), result.carried.begin(), result.carried.end());
    results.insert(results.end(), result.scans.begin(), result.scans.end());
    finish(*graph, results);
    settled = true;
    for (size_t i = 0; i < initial.size(); ++i) {
      const std::optional<ir::Shape> common = merged_shape(shapes[i], result.carried[i]->shape);
      settled = settled && common == shapes[i];
      shapes[i] = common;
    }
  }
  Values inputs{trips, condition};
  inputs.insert(inputs.end(), initial.begin(), initial.end());
  Node* node = make("", "Loop", inputs, initial.size() + scan_outputs, {{"body", graph}});
  infer_control_flow(*node);
  return node->outputs();
}

Values Builder::Scan(const Values& initial, const Values& scanned, const ScanBody& body, size_t scan_outputs) {
  auto graph = std::make_shared<Graph>();
  Builder builder = inner(*graph);
  Values state;
  Values slices;
  for (const Value* value : initial) {
    state.push_back(graph->add_input("state_" + std::to_string(state.size()), value->dtype, value->shape));
  }
  for (const Value* value : scanned) {
    std::optional<ir::Shape> shape;
    if (value->shape) shape = ir::Shape(value->shape->begin() + 1, value->shape->end());
    slices.push_back(graph->add_input("slice_" + std::to_string(slices.size()), value->dtype, shape));
  }
  const ScanResult result = body(builder, state, slices);
  if (result.state.size() != initial.size() || result.scans.size() != scan_outputs) {
    throw Error(Code::kInternal, "a scan body returns another number of values than it gets");
  }
  Values results = result.state;
  results.insert(results.end(), result.scans.begin(), result.scans.end());
  finish(*graph, results);
  Values inputs = initial;
  inputs.insert(inputs.end(), scanned.begin(), scanned.end());
  Node* node = make("", "Scan", inputs, results.size(),
                    {{"body", graph}, {"num_scan_inputs", static_cast<int64_t>(scanned.size())}});
  infer_control_flow(*node);
  return node->outputs();
}

}  // namespace onward::ir
