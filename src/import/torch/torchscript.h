// TorchScript archive (torch.jit.trace, torch.jit.script, torch.jit.freeze) → graph.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "import/common/options.h"
#include "ir/inference.h"

namespace onward::importer {

// The archive's `forward` as a graph. Inputs and outputs keep the names of its arguments and, flattened, the order of
// PyTorch's own flattening. Dimensions are dynamic but where `options.input_dims` says otherwise, and element types of
// scripted programs, which have none, are guessed but where `options.input_dtypes` tells them; where the archive tells
// not even the number of dimensions, the one that the program accepts is assumed. Weights are views of `file`. Throws
// Error: kDataLoss for damaged archives, kPermissionDenied for unsafe pickles, kUnimplemented with everything that
// can't be translated, kInvalidArgument for options that don't fit the model.
ir::Model read_torchscript(const Bytes& file, std::string_view what, const Options& options,
                           const ir::Inference& inference);

}  // namespace onward::importer
