// Smaller and faster models, with the measured cost.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "onward/export.h"
#include "onward/options.h"
#include "onward/status.h"
#include "onward/tensor.h"

namespace onward {

enum class QuantizeMode {
  kAuto,      // measures on this machine and these data, and keeps what helps: never slower than the float model
  kStatic,    // 8-bit integers with scales from calibration; needs samples
  kDynamic,   // 8-bit integers with scales found at run time
  kWeights8,  // weights in 8 bits, arithmetic in float
  kWeights4,  // weights in 4 bits, arithmetic in float
  kFloat16,
};

struct QuantizeOptions {
  ImportOptions import;
  QuantizeMode mode = QuantizeMode::kAuto;
  int opset = 0;  // 0: the model's own, 18 at least

  // Samples to calibrate and measure with: a folder with one .npz (arrays named as the model's inputs) or image each,
  std::filesystem::path calibration;
  // or `sample_count` times what `sample` gives for 0, 1, …: the inputs in the model's order. It is called one at a
  // time, from the calling thread, several times for the same index. Without either a few random inputs stand in.
  size_t sample_count = 0;
  std::function<Result<std::vector<Tensor>>(size_t index)> sample;

  double max_drop = -1;              // how much worse the answers may be, as a fraction; negative: no limit of your own
  size_t max_bytes = 0;              // how large the file may be; 0: any size
  std::vector<std::string> exclude;  // layers to leave in float: names, paths or operators, with * for anything
  std::vector<std::string> only;     // the layers to quantize; empty: all

  // Libraries of custom operators for ONNX Runtime: native code that runs in this process.
  std::vector<std::filesystem::path> custom_ops;
};

struct Quantization {
  size_t bytes_before = 0;
  size_t bytes_after = 0;
  double milliseconds_before = 0;  // a prediction, median
  double milliseconds_after = 0;
  double sqnr = 0;     // decibels against the float model; 200 where nothing differs
  double cosine = 1;   // of the answers with the float model's
  std::string method;  // what was done
  std::string report;  // everything, as JSON: what docs/quantization.md describes
  std::vector<std::string> notes;
};

// Writes the ONNX file `target`, whole or not at all. Measures for some seconds; run one at a time. Fails as
// convert_file does, and with kFailedPrecondition where the model is quantized already, has no weights, or `max_drop`
// or `max_bytes` can't be kept.
ONWARD_API Result<Quantization> quantize_file(const std::filesystem::path& source, const std::filesystem::path& target,
                                              const QuantizeOptions& options = {});

}  // namespace onward
