// Makes a model smaller and faster, and says what that cost.
#pragma once

#include "quantize/half.h"
#include "quantize/recipe.h"
#include "quantize/report.h"

namespace onward::quantize {

enum class Mode { kWeights8, kWeights4, kHalf, kDynamic, kStatic, kAuto };

struct Options {
  Mode mode = Mode::kAuto;
  Selection selection;
  StaticOptions integers;
  // Mode static tries all methods and bias correction, and takes the best.
  bool search = true;
  int64_t block = 32;
  bool half_interface = false;
  double max_drop = -1;         // as a fraction; negative: none
  size_t max_bytes = 0;         // 0: any
  bool random_samples = false;  // no calibration data was given
  size_t check_samples = 8;     // how many are used to measure a candidate's answers
  int runs = 9;                 // for a median time, at least
  // Whether the result is compared with the float model and timed. Without, no time and no memory goes into it; not for
  // mode auto, `search` and `max_drop`, which choose by what they measure.
  bool measure = true;
};

struct Result {
  ir::Model model;
  Report report;
};

// `model`: a float model as it would be written (optimized, at its target opset). Samples are needed by mode static,
// and otherwise used where given. Throws Error: kFailedPrecondition (quantized already, or no weights),
// kInvalidArgument (samples, or options that need measuring without it), kFailedPrecondition when
// --max-drop or --max-size can't be kept.
Result quantize(ir::Model& model, const Options& options, const Samples& samples, const Host& host);

}  // namespace onward::quantize
