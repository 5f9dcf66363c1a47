// ConvLSTM1D/2D/3D: an LSTM whose products are convolutions.
#include <limits>
#include <numeric>

#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"
#include "import/keras/recurrent/run.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// [batch, steps, …] with the steps first, channels behind them and the batch.
std::vector<int64_t> steps_then_channels(size_t rank, bool channels_first) {
  std::vector<int64_t> perm{1, 0};
  if (!channels_first) perm.push_back(static_cast<int64_t>(rank) - 1);
  for (size_t i = 2; i < rank - (channels_first ? 0 : 1); ++i) perm.push_back(static_cast<int64_t>(i));
  return perm;
}

std::vector<int64_t> inverse(const std::vector<int64_t>& perm) {
  std::vector<int64_t> back(perm.size());
  for (size_t i = 0; i < perm.size(); ++i) back[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  return back;
}

// The input's convolution of every step at once: [steps, batch, 4·filters, spatial…].
Value* convolved_steps(const Context& ctx, Value* x, size_t rank) {
  Builder& b = ctx.b;
  Value* kernel = conv_kernel(b, ctx.weight("kernel", "cell"));
  Value* bias = ctx.config.get("use_bias", true) ? ctx.weight("bias", "cell") : nullptr;
  Value* lead = b.op("Shape", {x}, {{"end", 2}});
  Value* flat = b.Reshape(x, b.Concat({b.ints({-1}), b.op("Shape", {x}, {{"start", 2}})}, 0));
  Value* y = b.op("Conv", {flat, kernel, bias}, conv_attrs(window_of(ctx, rank), *kernel, 1));
  return b.Reshape(y, b.Concat({lead, b.op("Shape", {y}, {{"start", 1}})}, 0));
}

struct Gates {
  const Json& activation;
  const Json& recurrent_activation;
  bool legacy;

  // The next h and c from the four gates' sums.
  ir::Values step(Builder& b, Value* z, Value* c) const {
    const ir::Values parts = b.ops("Split", {z}, 4, {{"axis", 1}, {"num_outputs", 4}});
    const auto sigma = [&](size_t i) { return activate(b, recurrent_activation, parts[i], legacy); };
    Value* candidate = activate(b, activation, parts[2], legacy);
    Value* next = b.Add(b.Mul(sigma(1), c), b.Mul(sigma(0), candidate));
    return {b.Mul(sigma(3), activate(b, activation, next, legacy)), next};
  }
};

struct Sequence {
  Value* z;     // [steps, batch, 4·filters, spatial…]
  Value* mask;  // [steps, batch, 1, …] or null
  ir::Values initial;
};

// States h and c, the result of the last step, and all results.
ir::Values run(const Context& ctx, const Sequence& sequence) {
  Builder& b = ctx.b;
  Value* kernel = conv_kernel(b, ctx.weight("recurrent_kernel", "cell"));
  const size_t rank = kernel->rank() - 2;
  const Window window{std::vector<int64_t>(rank, 1), std::vector<int64_t>(rank, 1), "same"};
  const ir::Attrs attrs = conv_attrs(window, *kernel, 1);
  const Gates gates{ctx.config["activation"], ctx.config["recurrent_activation"], ctx.session.legacy};
  const bool zero = ctx.config.get("zero_output_for_mask", false);
  ir::Values start = sequence.initial;
  start.push_back(b.Mul(sequence.initial[0], 0.0));
  ir::Values scanned{sequence.z};
  if (sequence.mask != nullptr) scanned.push_back(sequence.mask);
  const auto body = [&](Builder& inner, const ir::Values& before, const ir::Values& slices) {
    Value* sum = inner.Add(slices[0], inner.op("Conv", {before[0], kernel}, attrs));
    ir::Values after = gates.step(inner, sum, before[1]);
    Value* output = after[0];
    if (slices.size() > 1) {
      output = inner.Where(slices[1], output, zero ? inner.number_like(0, output) : before[2]);
      for (size_t i = 0; i < 2; ++i) after[i] = inner.Where(slices[1], after[i], before[i]);
    }
    return Builder::ScanResult{{after[0], after[1], output}, {output}};
  };
  return b.Scan(start, scanned, body, 1);
}

// ConvLSTM<N>D(filters, kernel_size, strides=1, padding="valid", dilation_rate=1, return_sequences=False,
// go_backwards=False); call(sequences, initial_state=None, mask=None)
ir::Values conv_lstm(Context& ctx) {
  Builder& b = ctx.b;
  const ir::Values inputs = ctx.inputs();
  ctx.require(!inputs.empty(), "has no input");
  Value* x = inputs.front();
  ir::Values initial = ctx.tensors(1, "initial_state");
  if (initial.empty()) initial.assign(inputs.begin() + 1, inputs.end());
  ctx.require(initial.empty() || initial.size() == 2, "needs two initial states");
  const size_t rank = spatial_rank(ctx, 3);
  const bool first = ctx.channels_first();
  const std::vector<int64_t> perm = steps_then_channels(rank + 3, first);
  const bool backwards = ctx.config.get("go_backwards", false);
  Value* steps = b.Transpose(x, perm);
  if (backwards) steps = reversed_steps(b, steps, 0);
  Sequence sequence{convolved_steps(ctx, steps, rank), nullptr, {}};
  Value* mask = ctx.mask();
  if (mask != nullptr) {
    Value* turned = b.Transpose(b.Cast(mask, DType::kBool), {1, 0});
    if (backwards) turned = reversed_steps(b, turned, 0);
    std::vector<int64_t> axes(rank + 1);
    std::iota(axes.begin(), axes.end(), 2);
    sequence.mask = b.Unsqueeze(turned, axes);
  }
  if (initial.empty()) {
    const int64_t filters = ctx.config.at("filters").as_int();
    Value* shape = b.Concat({b.dim(sequence.z, 1), b.ints({filters}), b.op("Shape", {sequence.z}, {{"start", 3}})}, 0);
    Value* zeros = b.Fill(shape, 0, x->dtype);
    sequence.initial = {zeros, zeros};
  } else {
    for (Value* state : initial) {
      sequence.initial.push_back(first ? state : b.Transpose(state, channels_to_front(rank + 2)));
    }
  }
  const ir::Values out = run(ctx, sequence);
  const auto outward = [&](Value* v) { return first ? v : b.Transpose(v, channels_to_back(rank + 2)); };
  ir::Values results;
  if (ctx.config.get("return_sequences", false)) {
    results.push_back(b.Transpose(out[3], inverse(perm)));
    ctx.set_mask(results.front(), mask);
  } else {
    results.push_back(outward(out[2]));
  }
  if (ctx.config.get("return_state", false)) {
    results.push_back(outward(out[0]));
    results.push_back(outward(out[1]));
  }
  return results;
}

std::vector<Child> cell(const Layer& layer) {
  Layer inner = layer;
  inner.class_name = "ConvLSTMCell";
  return {{"cell", inner}};
}

ir::Values refused(Context& ctx) {
  ctx.require(false, "is a cell, which only a ConvLSTM layer can run");
  return {};
}

}  // namespace

void register_conv_lstm(OpTable& table) {
  for (const char* rank : {"1D", "2D", "3D"}) {
    table.add(std::string("ConvLSTM") + rank, {conv_lstm, nullptr, Masking::kOwn, cell});
  }
  table.add("ConvLSTMCell", {refused, cell_variables, Masking::kDropped, nullptr, "inside ConvLSTM"});
}

}  // namespace onward::importer::keras
