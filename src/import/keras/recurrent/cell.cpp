#include "import/keras/recurrent/cell.h"

#include <limits>
#include <map>

#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::Value;

struct Class {
  Cell::Kind kind;
  bool cudnn;
};

const Class* find_class(std::string_view name) {
  static const std::map<std::string, Class, std::less<>> kClasses = {
      {"SimpleRNN", {Cell::Kind::kSimple, false}}, {"SimpleRNNCell", {Cell::Kind::kSimple, false}},
      {"GRU", {Cell::Kind::kGru, false}},          {"GRUCell", {Cell::Kind::kGru, false}},
      {"CuDNNGRU", {Cell::Kind::kGru, true}},      {"LSTM", {Cell::Kind::kLstm, false}},
      {"LSTMCell", {Cell::Kind::kLstm, false}},    {"CuDNNLSTM", {Cell::Kind::kLstm, true}}};
  const auto found = kClasses.find(name);
  return found != kClasses.end() ? &found->second : nullptr;
}

// Columns `gates` of a kernel of `units` wide gates, as rows.
Value* gates_first(Builder& b, Value* kernel, int64_t units, const std::vector<int64_t>& gates) {
  ir::Values parts;
  for (const int64_t gate : gates) parts.push_back(b.Slice(kernel, gate * units, (gate + 1) * units, -1));
  return b.Transpose(b.Concat(parts, -1), {1, 0});
}

Value* bias_gates(Builder& b, Value* bias, int64_t units, const std::vector<int64_t>& gates) {
  ir::Values parts;
  for (const int64_t gate : gates) parts.push_back(b.Slice(bias, gate * units, (gate + 1) * units, 0));
  return b.Concat(parts, 0);
}

// Keras' gates in ONNX's order.
std::vector<int64_t> gate_order(Cell::Kind kind) {
  switch (kind) {
    case Cell::Kind::kLstm:
      return {0, 3, 1, 2};  // i f c o → i o f c
    case Cell::Kind::kGru:
      return {0, 1, 2};
    default:
      return {0};
  }
}

// [1, 2·gates·units]: the input's bias, then the recurrent one.
Value* onnx_bias(Builder& b, const Cell& cell) {
  if (cell.bias == nullptr) return nullptr;
  const std::vector<int64_t> order = gate_order(cell.kind);
  Value* input = cell.reset_after ? b.Select(cell.bias, 0, 0) : cell.bias;
  const ir::Dims dims{static_cast<int64_t>(order.size()) * cell.units};
  Value* recurrent = cell.reset_after ? bias_gates(b, b.Select(cell.bias, 1, 0), cell.units, order)
                                      : b.constant(ir::Tensor::filled(cell.bias->dtype, dims, 0));
  return b.Unsqueeze(b.Concat({bias_gates(b, input, cell.units, order), recurrent}, 0), {0});
}

std::optional<RecurrentActivation> onnx_activation(const Json& activation, bool legacy) {
  std::string name = activation.is_string() ? activation.as_string() : "linear";
  if (activation.is_object()) {
    if (!activation["config"].is_string()) return std::nullopt;
    name = activation["config"].as_string();
  }
  static const std::map<std::string, RecurrentActivation, std::less<>> kKnown = {
      {"tanh", {"Tanh"}},         {"sigmoid", {"Sigmoid"}},
      {"relu", {"Relu"}},         {"linear", {"Affine", {1.0F}, {0.0F}}},
      {"softsign", {"Softsign"}}, {"softplus", {"Softplus"}},
      {"elu", {"Elu", {1.0F}}},   {"leaky_relu", {"LeakyRelu", {0.2F}}}};
  if (name == "hard_sigmoid") return RecurrentActivation{"HardSigmoid", {legacy ? 0.2F : 1.0F / 6}, {0.5F}};
  const auto found = kKnown.find(name);
  return found != kKnown.end() ? std::optional(found->second) : std::nullopt;
}

Value* gate(Builder& b, Value* all, int64_t index, int64_t units) {
  return b.Slice(all, index * units, (index + 1) * units, 1);
}

ir::Values lstm_step(Builder& b, const Cell& cell, Value* x, const ir::Values& states) {
  Value* z = b.Add(b.MatMul(x, cell.kernel), b.MatMul(states[0], cell.recurrent));
  if (cell.bias != nullptr) z = b.Add(z, cell.bias);
  const auto sigma = [&](int64_t index) {
    return activate(b, cell.recurrent_activation, gate(b, z, index, cell.units), cell.legacy);
  };
  Value* candidate = activate(b, cell.activation, gate(b, z, 2, cell.units), cell.legacy);
  Value* c = b.Add(b.Mul(sigma(1), states[1]), b.Mul(sigma(0), candidate));
  return {b.Mul(sigma(3), activate(b, cell.activation, c, cell.legacy)), c};
}

ir::Values gru_step(Builder& b, const Cell& cell, Value* x, const ir::Values& states) {
  const int64_t u = cell.units;
  Value* h = states[0];
  Value* from_x = b.MatMul(x, cell.kernel);
  if (cell.bias != nullptr) from_x = b.Add(from_x, cell.reset_after ? b.Select(cell.bias, 0, 0) : cell.bias);
  const auto sigma = [&](int64_t index, Value* from_h) {
    return activate(b, cell.recurrent_activation, b.Add(gate(b, from_x, index, u), from_h), cell.legacy);
  };
  Value* z = nullptr;
  Value* inner = nullptr;
  if (cell.reset_after) {
    Value* from_h = b.MatMul(h, cell.recurrent);
    if (cell.bias != nullptr) from_h = b.Add(from_h, b.Select(cell.bias, 1, 0));
    z = sigma(0, gate(b, from_h, 0, u));
    inner = b.Mul(sigma(1, gate(b, from_h, 1, u)), gate(b, from_h, 2, u));
  } else {
    Value* zr = b.MatMul(h, b.Slice(cell.recurrent, 0, 2 * u, 1));
    z = sigma(0, gate(b, zr, 0, u));
    Value* reset = b.Mul(sigma(1, gate(b, zr, 1, u)), h);
    inner = b.MatMul(reset, b.Slice(cell.recurrent, 2 * u, std::numeric_limits<int64_t>::max(), 1));
  }
  Value* candidate = activate(b, cell.activation, b.Add(gate(b, from_x, 2, u), inner), cell.legacy);
  return {b.Add(b.Mul(z, h), b.Mul(b.Sub(b.number_like(1, z), z), candidate))};
}

ir::Values simple_step(Builder& b, const Cell& cell, Value* x, const ir::Values& states) {
  Value* z = b.Add(b.MatMul(x, cell.kernel), b.MatMul(states[0], cell.recurrent));
  if (cell.bias != nullptr) z = b.Add(z, cell.bias);
  return {activate(b, cell.activation, z, cell.legacy)};
}

}  // namespace

bool is_cell_class(std::string_view class_name) { return find_class(class_name) != nullptr; }

Cell read_cell(const Context& ctx, const Layer& layer, const std::string& child) {
  const Class* known = find_class(layer.class_name);
  ctx.require(known != nullptr, "holds the cell " + layer.class_name + ", which is not a built-in one",
              "export the model as a SavedModel (model.export(\"folder\")) and convert that");
  Builder& b = ctx.b;
  Cell cell{known->kind,
            layer.config.at("units").as_int(),
            ctx.weight("kernel", child),
            ctx.weight("recurrent_kernel", child),
            nullptr,
            layer.config.contains("activation") ? layer.config["activation"] : Json("tanh"),
            layer.config.contains("recurrent_activation") ? layer.config["recurrent_activation"] : Json("sigmoid"),
            known->cudnn || layer.config.get("reset_after", false),
            ctx.session.legacy};
  if (cell.kind != Cell::Kind::kGru) cell.reset_after = false;
  const int64_t gates = cell.kind == Cell::Kind::kLstm ? 4 : cell.kind == Cell::Kind::kGru ? 3 : 1;
  ctx.require(cell.kernel->rank() == 2 && cell.units > 0 && cell.kernel->dim(1).value() / gates == cell.units,
              "the kernel does not have the layer's size");
  if (layer.config.get("use_bias", true)) cell.bias = ctx.weight("bias", child);
  if (known->cudnn) {
    // cuDNN keeps the input's and the recurrent biases one behind the other.
    const int64_t half = (cell.kind == Cell::Kind::kGru ? 3 : 4) * cell.units;
    cell.bias = b.Reshape(cell.bias, {2, half});
    if (cell.kind == Cell::Kind::kLstm) cell.bias = b.Add(b.Select(cell.bias, 0, 0), b.Select(cell.bias, 1, 0));
  }
  return cell;
}

Layer cell_of(const Layer& layer) {
  if (layer.config.contains("cell")) {
    const Json& cell = layer.config["cell"];
    if (!cell.is_array()) return read_layer(cell);
    Layer stacked;
    stacked.class_name = "StackedRNNCells";
    stacked.module = "keras.layers";
    stacked.config = Json::object({{"cells", cell}});
    return stacked;
  }
  Layer cell = layer;
  if (cell.class_name.rfind("CuDNN", 0) != 0) cell.class_name += "Cell";
  cell.calls.clear();
  return cell;
}

std::vector<Child> cells_of(const Layer& cell) {
  std::vector<Child> cells;
  NameCounter names;
  for (const Json& inner : cell.config.at("cells").as_array()) {
    Layer layer = read_layer(inner);
    const std::string name = names.next(layer.class_name);
    cells.push_back({"cells/" + name, std::move(layer)});
  }
  return cells;
}

std::vector<Variable> cell_variables(const Layer& cell) {
  std::vector<Variable> variables{{"kernel"}, {"recurrent_kernel"}};
  if (cell.config.get("use_bias", true)) variables.push_back({"bias"});
  return variables;
}

std::optional<Recurrent> as_operator(Builder& b, const std::vector<Cell>& cells, const char* direction) {
  static const std::map<Cell::Kind, const char*> kNames = {
      {Cell::Kind::kSimple, "RNN"}, {Cell::Kind::kGru, "GRU"}, {Cell::Kind::kLstm, "LSTM"}};
  Recurrent layer{kNames.at(cells[0].kind), direction, cells[0].units};
  ir::Values w;
  ir::Values r;
  ir::Values biases;
  for (const Cell& cell : cells) {
    const auto inner = onnx_activation(cell.activation, cell.legacy);
    const auto outer = onnx_activation(cell.recurrent_activation, cell.legacy);
    if (!inner || !outer) return std::nullopt;
    if (cell.kind != Cell::Kind::kSimple) layer.activations.push_back(*outer);
    layer.activations.push_back(*inner);
    if (cell.kind == Cell::Kind::kLstm) layer.activations.push_back(*inner);
    const std::vector<int64_t> order = gate_order(cell.kind);
    w.push_back(b.Unsqueeze(gates_first(b, cell.kernel, cell.units, order), {0}));
    r.push_back(b.Unsqueeze(gates_first(b, cell.recurrent, cell.units, order), {0}));
    if (cell.bias != nullptr) biases.push_back(onnx_bias(b, cell));
  }
  layer.w = b.Concat(w, 0);
  layer.r = b.Concat(r, 0);
  if (!biases.empty()) layer.bias = b.Concat(biases, 0);
  layer.linear_before_reset = cells[0].reset_after;
  return layer;
}

ir::Values step(Builder& b, const Cell& cell, Value* x, const ir::Values& states) {
  switch (cell.kind) {
    case Cell::Kind::kLstm:
      return lstm_step(b, cell, x, states);
    case Cell::Kind::kGru:
      return gru_step(b, cell, x, states);
    default:
      return simple_step(b, cell, x, states);
  }
}

}  // namespace onward::importer::keras
