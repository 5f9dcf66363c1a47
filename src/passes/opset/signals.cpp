// DFT and STFT as products with sines and cosines, Col2Im as a transposed convolution.
#include <cmath>

#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::Node;
using ir::Value;

// A transform of more points would need matrices of hundreds of megabytes.
constexpr int64_t kMaxPoints = 8192;

struct Waves {
  Value* cosines;  // [points, frequencies]
  Value* sines;
};

Waves waves(ir::Builder& b, ir::DType dtype, int64_t points, int64_t frequencies) {
  std::vector<double> cosines;
  std::vector<double> sines;
  for (int64_t n = 0; n < points; ++n) {
    for (int64_t k = 0; k < frequencies; ++k) {
      const double angle = 2 * M_PI * static_cast<double>(n * k % points) / static_cast<double>(points);
      cosines.push_back(std::cos(angle));
      sines.push_back(std::sin(angle));
    }
  }
  const ir::Dims dims{points, frequencies};
  return {b.constant(ir::Tensor::from_doubles(dtype, dims, cosines)),
          b.constant(ir::Tensor::from_doubles(dtype, dims, sines))};
}

// Of real and (may be null) imaginary parts along the last axis, forward: real and imaginary parts on a new last axis.
Value* transform(ir::Builder& b, Value* real, Value* imaginary, int64_t points, int64_t frequencies, bool inverse) {
  const Waves w = waves(b, real->dtype, points, frequencies);
  Value* out_real = b.MatMul(real, w.cosines);
  Value* out_imaginary = b.MatMul(real, w.sines);
  if (!inverse) out_imaginary = b.Neg(out_imaginary);
  if (imaginary != nullptr) {
    Value* cross = b.MatMul(imaginary, w.sines);
    out_real = inverse ? b.Sub(out_real, cross) : b.Add(out_real, cross);
    out_imaginary = b.Add(out_imaginary, b.MatMul(imaginary, w.cosines));
  }
  Value* both = b.Concat({b.Unsqueeze(out_real, {-1}), b.Unsqueeze(out_imaginary, {-1})}, -1);
  return inverse ? b.Div(both, static_cast<double>(points)) : both;
}

// DFT(input, dft_length; axis=1, inverse=0, onesided=0), as of opset 17.
Outcome dft(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* x = node.input(0);
  if (!x->shape || !x->shape->back().is_known()) return Outcome::no("the shape of its input is not known");
  const auto rank = static_cast<int64_t>(x->rank());
  int64_t axis = node.attrs.get("axis", int64_t{1});
  if (axis < 0) axis += rank;
  const bool inverse = node.attrs.get("inverse", int64_t{0}) != 0;
  const bool onesided = node.attrs.get("onesided", int64_t{0}) != 0;
  if (inverse && onesided) return Outcome::no("it is inverse and one-sided");
  const ir::Dim length = x->dim(static_cast<size_t>(axis));
  int64_t points = length.is_known() ? length.value() : 0;
  if (node.input(1) != nullptr) {
    const auto given = constant_ints(node.input(1));
    points = given && given->size() == 1 ? given->front() : 0;
    x = b.Slice(x, 0, points, axis);
    if (!x->dim(static_cast<size_t>(axis)).is_known()) points = 0;
  }
  if (points <= 0 || points > kMaxPoints) return Outcome::no("its length is not known, or very large");
  std::vector<int64_t> pads(static_cast<size_t>(2 * rank), 0);
  pads[static_cast<size_t>(rank + axis)] = points - x->dim(static_cast<size_t>(axis)).value();
  x = b.Pad(x, pads);
  // The axis goes last, and back at the end.
  std::vector<int64_t> there;
  for (int64_t i = 0; i + 1 < rank; ++i) {
    if (i != axis) there.push_back(i);
  }
  there.push_back(axis);
  std::vector<int64_t> back(there.size() + 1, rank - 1);
  for (size_t i = 0; i < there.size(); ++i) back[static_cast<size_t>(there[i])] = static_cast<int64_t>(i);
  const auto part = [&](int64_t which) { return b.Transpose(b.Select(x, which, -1), there); };
  Value* imaginary = x->shape->back().value() == 2 ? part(1) : nullptr;
  Value* y = transform(b, part(0), imaginary, points, onesided ? points / 2 + 1 : points, inverse);
  return becomes(node, rewrite, b.Transpose(y, back));
}

// STFT(signal, frame_step, window, frame_length; onesided=1)
Outcome stft(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* signal = node.input(0);
  Value* window = node.input(2);
  const auto step = constant_ints(node.input(1));
  auto length = constant_ints(node.input(3));
  if (!length && window != nullptr && window->dim(0).is_known()) length = std::vector<int64_t>{window->dim(0).value()};
  if (!step || !length || !signal->shape || !signal->shape->back().is_known()) {
    return Outcome::no("its frame step or length is computed, or the shape of its signal is not known");
  }
  const int64_t points = length->front();
  if (points <= 0 || points > kMaxPoints) return Outcome::no("its frames are empty or very long");
  Value* count = b.Add(b.Div(b.Sub(b.dim(signal, 1), b.ints({points})), b.ints({step->front()})), b.ints({1}));
  Value* starts = b.Mul(b.Range(b.i64(0), b.Squeeze(count, {0}), b.i64(1)), b.i64(step->front()));
  Value* places = b.Add(b.Unsqueeze(starts, {1}), b.Range(b.i64(0), b.i64(points), b.i64(1)));
  const auto part = [&](int64_t which) {
    Value* frames = b.Gather(b.Select(signal, which, -1), places, 1);
    return window != nullptr ? b.Mul(frames, window) : frames;
  };
  Value* imaginary = signal->shape->back().value() == 2 ? part(1) : nullptr;
  const bool onesided = node.attrs.get("onesided", int64_t{1}) != 0;
  const int64_t frequencies = onesided && imaginary == nullptr ? points / 2 + 1 : points;
  return becomes(node, rewrite, transform(b, part(0), imaginary, points, frequencies, false));
}

// DFT takes its axis as an input from opset 20 on.
Outcome dft_axis_input(Node& node, Rewrite& rewrite) {
  node.set_input(2, rewrite.b.i64(node.attrs.get("axis", int64_t{1})));
  node.attrs.erase("axis");
  return Outcome::done();
}

Outcome dft_axis_attribute(Node& node, Rewrite&) {
  const auto axis = constant_ints(node.input(2));
  if (!axis || axis->size() != 1) return Outcome::no("its axis is computed");
  node.attrs.set("axis", axis->front());
  node.set_input(2, nullptr);
  node.trim_inputs();
  return Outcome::done();
}

bool has_axis_input(const Node& node) { return node.input(2) != nullptr; }
bool has_no_axis_input(const Node& node) { return node.input(2) == nullptr; }

// Col2Im(input[N, C·k, L], image_shape, block_shape; dilations, pads, strides): every column is a pixel of a transposed
// convolution whose kernels each hold a single one.
Outcome col2im(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const auto image = constant_ints(node.input(1));
  const auto block = constant_ints(node.input(2));
  const ir::Dim columns = node.input(0)->dim(1);
  if (!image || !block || !columns.is_known()) return Outcome::no("its shapes are computed");
  const size_t rank = image->size();
  const auto strides = node.attrs.get("strides", std::vector<int64_t>(rank, 1));
  const auto dilations = node.attrs.get("dilations", std::vector<int64_t>(rank, 1));
  const auto pads = node.attrs.get("pads", std::vector<int64_t>(2 * rank, 0));
  const int64_t size = ir::element_count(*block);
  std::vector<int64_t> places{0, columns.value()};
  std::vector<int64_t> rest;
  for (size_t i = 0; i < rank; ++i) {
    const int64_t span = (*image)[i] + pads[i] + pads[i + rank] - dilations[i] * ((*block)[i] - 1) - 1;
    places.push_back(span / strides[i] + 1);
    rest.push_back(span % strides[i]);
  }
  ir::Dims kernel{columns.value(), 1};
  kernel.insert(kernel.end(), block->begin(), block->end());
  std::vector<double> ones(static_cast<size_t>(columns.value() * size), 0);
  for (int64_t i = 0; i < columns.value(); ++i) ones[static_cast<size_t>(i * size + i % size)] = 1;
  Value* weight = b.constant(ir::Tensor::from_doubles(node.input(0)->dtype, kernel, ones));
  return becomes(node, rewrite,
                 b.op("ConvTranspose", {b.Reshape(node.input(0), places), weight},
                      {{"strides", strides},
                       {"dilations", dilations},
                       {"pads", pads},
                       {"output_padding", rest},
                       {"group", columns.value() / size}}));
}

}  // namespace

void add_signals(Table& table) {
  below(table, 20, "DFT", dft_axis_attribute, has_axis_input);
  below(table, 17, "DFT", dft);
  from(table, 20, "DFT", dft_axis_input, has_no_axis_input);
  below(table, 17, "STFT", stft);
  below(table, 18, "Col2Im", col2im);
}

}  // namespace onward::passes::opset
