// Where the windows of convolutions and pooling lie.
#pragma once

#include "import/tensorflow/call.h"

namespace onward::importer::tf {

struct Windows {
  std::vector<int64_t> kernel;
  std::vector<int64_t> strides;
  std::vector<int64_t> dilations;
  bool channels_first = false;
};

// Reads the attribute padding ("SAME", "VALID", "EXPLICIT" with explicit_paddings) and puts strides, dilations, pads
// into `attrs`. `x` is channels first; where SAME depends on sizes that are only known when the model runs and ONNX's
// auto_pad can't say it, `x` is padded with `filler` by computed amounts.
ir::Value* set_windows(Call& c, ir::Value* x, const Windows& windows, double filler, ir::Attrs& attrs);

// The zeros that SAME adds along axes of `sizes` (rank 1): begins and ends.
struct SamePads {
  ir::Value* begins;
  ir::Value* ends;
};
SamePads same_pads(ir::Builder& b, ir::Value* sizes, const Windows& windows);

}  // namespace onward::importer::tf
