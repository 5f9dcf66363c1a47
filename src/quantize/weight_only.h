// Weight-only quantization: the file holds integers, the arithmetic stays float.
#pragma once

#include <span>
#include <string>

#include "quantize/layers.h"

namespace onward::quantize {

// The weight as int8 with a scale per channel, read back by Cast and Mul. ONNX Runtime folds these two when it loads
// the model (it would not fold a DequantizeLinear), so the layer runs exactly as fast as with float weights.
void store_int8(const Layer& layer);

// Why MatMulNBits can't take the layer over, or empty.
std::string refuse_blocks(const Layer& layer);

struct BlockOptions {
  int bits = 4;  // or 8
  int64_t block = 32;
};

// A Gemm or MatMul becomes a MatMulNBits: blocks of weights along the summed axis share a scale and a zero point. Those
// are chosen so that the squared error of the results is least; `importance` (may be empty) is the mean square of the
// input for each summed channel. The layer's node is erased.
void use_blocks(const Layer& layer, const BlockOptions& options, std::span<const double> importance);

// One block's integers and what they stand for: scale * (integer - zero).
struct Block {
  float scale = 1;
  int zero = 0;
};
// The best scale and zero point for `values` as integers of `bits` bits; `weights` (empty or as many) say how much each
// value's error counts.
Block fit_block(std::span<const float> values, int bits, std::span<const double> weights);
int to_level(float value, const Block& block, int bits);

}  // namespace onward::quantize
