#include "import/torch/export/higher_order.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace onward::importer::exported {
namespace {

using torchfile::ExportedArgument;
using Kind = ExportedArgument::Kind;

constexpr std::string_view kPrefix = "torch.ops.higher_order.";

void flatten(const Py& value, Items& items) {
  if (!value.has_items()) {
    items.push_back(value);
    return;
  }
  for (const Py& item : value.items()) flatten(item, items);
}

}  // namespace

bool HigherOrder::handles(const std::string& target) { return target.starts_with(kPrefix); }

std::optional<Py> HigherOrder::run() {
  const std::string_view name = std::string_view(node_.target).substr(kPrefix.size());
  constexpr std::array kControl =
      std::to_array<std::string_view>({"cond", "while_loop", "scan", "map_impl", "map", "associative_scan"});
  const bool control = std::find(kControl.begin(), kControl.end(), name) != kControl.end();
  if (control && hangs_on_untranslated()) return run_for_blockers();
  if (name == "cond") return cond();
  if (name == "while_loop") return while_loop();
  if (name == "scan") return scan();
  if (name == "map_impl" || name == "map") return map();
  if (name == "associative_scan") return associative_scan();
  if (name == "wrap_with_autocast") return with_autocast();
  if (name == "with_effects") return with_effects();
  if (name == "invoke_subgraph") return wrapped(first_graph() + 2);  // the graph's identifier stands between
  constexpr std::array kWrappers = std::to_array<std::string_view>(
      {"wrap", "wrap_with_set_grad_enabled", "strict_mode", "hints_wrapper", "tag_activation_checkpoint",
       "wrap_activation_checkpoint", "dynamo_bypassing_wrapper", "inductor_compiled_code", "local_map_hop"});
  for (const std::string_view wrapper : kWrappers) {
    if (name == wrapper) return wrapped(first_graph() + 1);
  }
  fail_unsupported("the higher-order operator " + std::string(name) + " has no translation");
}

bool HigherOrder::hangs_on_untranslated() {
  for (const Py& item : operands_but_graphs()) {
    if (item.is_tensor() && is_untranslated(reader_.value(item))) return true;
  }
  return false;
}

// Only to learn what else in its graphs can't be translated.
Py HigherOrder::run_for_blockers() {
  const Py placeholder = reader_.placeholder(node_);
  for (const torchfile::NamedArgument& argument : node_.inputs) {
    if (argument.value.kind != Kind::kGraph) continue;
    ir::Graph scratch;
    ir::Builder inner = reader_.b().inner(scratch);
    const script::Aside aside(reader_, inner);
    (void)reader_.run(*argument.value.graph, Items(argument.value.graph->inputs.size(), placeholder));
  }
  return placeholder;
}

// --- inputs ----------------------------------------------------------------------------------------------------------

const ExportedArgument& HigherOrder::input(size_t index) const {
  if (index >= node_.inputs.size()) fail_data("an argument is missing");
  return node_.inputs[index].value;
}

const HigherOrder::Graph& HigherOrder::graph(size_t index) const {
  if (input(index).kind != Kind::kGraph) fail_data("an argument is no graph");
  return *input(index).graph;
}

size_t HigherOrder::first_graph() const {
  for (size_t i = 0; i < node_.inputs.size(); ++i) {
    if (input(i).kind == Kind::kGraph) return i;
  }
  fail_data("it is called without a graph");
}

Items HigherOrder::operands(size_t first) const {
  Items items;
  for (size_t i = first; i < node_.inputs.size(); ++i) {
    if (node_.inputs[i].keyword.value_or(false)) continue;  // options of the wrapper
    flatten(reader_.argument(input(i)), items);
  }
  return items;
}

Items HigherOrder::operands_but_graphs() const {
  Items items;
  for (const torchfile::NamedArgument& argument : node_.inputs) {
    if (argument.value.kind != Kind::kGraph) flatten(reader_.argument(argument.value), items);
  }
  return items;
}

Items HigherOrder::list(size_t index) const {
  Items items;
  if (index < node_.inputs.size()) flatten(reader_.argument(input(index)), items);
  return items;
}

std::vector<Items> HigherOrder::lists(size_t first) const {
  std::vector<Items> found;
  for (size_t i = first; i < node_.inputs.size(); ++i) {
    if (input(i).kind == Kind::kList) found.push_back(list(i));
  }
  return found;
}

ir::Values HigherOrder::values(const Items& items) {
  ir::Values values;
  for (const Py& item : items) values.push_back(item.is_tensor() ? reader_.value(item) : reader_.scalar(item));
  return values;
}

Items HigherOrder::tensors(const ir::Values& values) {
  Items items;
  for (ir::Value* value : values) items.push_back(Py::tensor(value));
  return items;
}

Items HigherOrder::like(const Items& like, const ir::Values& values) {
  Items items;
  for (size_t i = 0; i < values.size(); ++i) {
    const bool number = i < like.size() && like[i].is_number();
    const script::Symbolic::Kind kind = number && like[i].is_float()  ? script::Symbolic::Kind::kFloat
                                        : number && like[i].is_bool() ? script::Symbolic::Kind::kBool
                                                                      : script::Symbolic::Kind::kInt;
    items.push_back(number ? Py(script::Symbolic{values[i], kind}) : Py::tensor(values[i]));
  }
  return items;
}

ir::Values HigherOrder::run_inside(ir::Builder& builder, const Graph& graph, const Items& inputs) {
  const script::Aside aside(reader_, builder);
  builder.set_origin(reader_.origin());
  return values(reader_.run(graph, inputs));
}

// --- control flow ----------------------------------------------------------------------------------------------------

// cond(pred, true_graph, false_graph, operands)
Py HigherOrder::cond() {
  const Py pred = reader_.argument(input(0));
  const Items inputs = operands(3);
  ir::Value* condition = nullptr;
  if (const std::optional<bool> known = reader_.truth(pred, condition)) {
    return Py::tuple(reader_.run(graph(*known ? 1 : 2), inputs));
  }
  const auto branch = [&](size_t index) {
    return [this, &inputs, index](ir::Builder& inner) { return run_inside(inner, graph(index), inputs); };
  };
  return Py::tuple(tensors(reader_.b().If(condition, branch(1), branch(2))));
}

// while_loop(cond_graph, body_graph, carried, additional)
Py HigherOrder::while_loop() {
  const Items carried = list(2);
  const Items further = list(3);
  const auto with_further = [&](Items items) {
    items.insert(items.end(), further.begin(), further.end());
    return items;
  };
  const auto condition_of = [&](const Items& state) {
    const Items result = reader_.run(graph(0), with_further(state));
    if (result.size() != 1) fail_data("the condition of a loop gives no single value");
    return reader_.b().Cast(reader_.scalar(result[0]), ir::DType::kBool);
  };
  const ir::Values initial = values(carried);
  const ir::Values results = reader_.b().Loop(
      nullptr, condition_of(carried), initial, [&](ir::Builder& inner, ir::Value*, ir::Value*, const ir::Values& now) {
        const script::Aside aside(reader_, inner);
        inner.set_origin(reader_.origin());
        const Items next = reader_.run(graph(1), with_further(like(carried, now)));
        ir::Builder::LoopResult result;
        result.carried = values(next);
        result.condition = condition_of(next);
        return result;
      });
  return Py::tuple(like(carried, results));
}

Py HigherOrder::scan_over(const Graph& body, const Items& state, Items sequences, const Items& further, bool reverse) {
  ir::Builder& b = reader_.b();
  const auto reversed = [&](ir::Value* value) { return b.Slice(value, -1, INT64_MIN, 0, -1); };
  ir::Values scanned = values(sequences);
  if (reverse) {
    for (ir::Value*& value : scanned) value = reversed(value);
  }
  const size_t stacked = body.outputs.size() - std::min(state.size(), body.outputs.size());
  ir::Values results = b.Scan(
      values(state), scanned,
      [&](ir::Builder& inner, const ir::Values& now, const ir::Values& slices) {
        Items inputs = like(state, now);
        for (ir::Value* slice : slices) inputs.push_back(Py::tensor(slice));
        inputs.insert(inputs.end(), further.begin(), further.end());
        const ir::Values all = run_inside(inner, body, inputs);
        ir::Builder::ScanResult result;
        result.state.assign(all.begin(), all.begin() + static_cast<ptrdiff_t>(state.size()));
        result.scans.assign(all.begin() + static_cast<ptrdiff_t>(state.size()), all.end());
        return result;
      },
      stacked);
  for (size_t i = state.size(); reverse && i < results.size(); ++i) results[i] = reversed(results[i]);
  return Py::tuple(like(state, results));
}

// scan(combine_graph, state, sequences, further), in older files with the axis and the direction before `further`
Py HigherOrder::scan() {
  const std::vector<Items> parts = lists(1);
  if (parts.size() < 2) fail_data("its state or its sequences are missing");
  bool reverse = false;
  for (size_t i = 1; i < node_.inputs.size(); ++i) {
    if (input(i).kind == Kind::kBool) reverse = input(i).integer != 0;
    if (input(i).kind == Kind::kInt && input(i).integer != 0) fail_unsupported("a scan along another axis than 0");
  }
  return scan_over(graph(0), parts[0], parts[1], parts.size() > 2 ? parts[2] : Items(), reverse);
}

// map_impl(graph, sequences, further)
Py HigherOrder::map() {
  const std::vector<Items> parts = lists(1);
  if (parts.empty()) fail_data("its sequences are missing");
  return scan_over(graph(0), {}, parts[0], parts.size() > 1 ? parts[1] : Items(), false);
}

// associative_scan(combine_graph, sequences, further): the running combination along axis 0, computed in order
Py HigherOrder::associative_scan() {
  const std::vector<Items> parts = lists(1);
  if (parts.empty() || parts[0].empty()) fail_data("its sequences are missing");
  ir::Builder& b = reader_.b();
  const size_t count = parts[0].size();
  ir::Values first;
  ir::Values rest;
  for (ir::Value* value : values(parts[0])) {
    first.push_back(b.Slice(value, 0, 1, 0));
    rest.push_back(b.Slice(value, 1, INT64_MAX, 0));
  }
  ir::Values initial;
  for (ir::Value* value : first) initial.push_back(b.Squeeze(value, {0}));
  const ir::Values results = b.Scan(
      initial, rest,
      [&](ir::Builder& inner, const ir::Values& now, const ir::Values& slices) {
        Items inputs = tensors(now);
        for (ir::Value* slice : slices) inputs.push_back(Py::tensor(slice));
        if (parts.size() > 1) inputs.insert(inputs.end(), parts[1].begin(), parts[1].end());
        const ir::Values next = run_inside(inner, graph(0), inputs);
        return ir::Builder::ScanResult{next, next};
      },
      count);
  Items items;
  for (size_t i = 0; i < count; ++i) items.push_back(Py::tensor(b.Concat({first[i], results[count + i]}, 0)));
  return Py::tuple(std::move(items));
}

// --- wrappers --------------------------------------------------------------------------------------------------------

Py HigherOrder::wrapped(size_t operands_from) {
  return Py::tuple(reader_.run(graph(first_graph()), operands(operands_from)));
}

// wrap_with_autocast(device, dtype, enabled, cache_enabled, graph, operands…)
Py HigherOrder::with_autocast() {
  struct Restored {
    ir::DType& place;
    ir::DType outer;
    ~Restored() { place = outer; }
  } const restored{reader_.autocast_, reader_.autocast_};
  const bool enabled = input(2).kind == Kind::kBool && input(2).integer != 0;
  const bool given = input(1).kind == Kind::kDType;
  reader_.autocast_ = !enabled ? ir::DType::kUndefined
                      : given  ? ir::dtype_from_name(input(1).text).value_or(ir::DType::kUndefined)
                               : ir::DType::kBFloat16;
  return wrapped(first_graph() + 1);
}

// with_effects(token, operator, arguments…) → (token, results…)
std::optional<Py> HigherOrder::with_effects() {
  torchfile::ExportedNode inner = node_;
  if (input(1).kind != Kind::kOperator) fail_data("it names no operator");
  inner.target = input(1).text;
  inner.inputs.erase(inner.inputs.begin(), inner.inputs.begin() + 2);
  inner.outputs.clear();
  const std::optional<Py> result = reader_.call(inner);
  Items items{script::Uninitialized{}};
  if (result) flatten(*result, items);
  return Py::tuple(std::move(items));
}

}  // namespace onward::importer::exported
