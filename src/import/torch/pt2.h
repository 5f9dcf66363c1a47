// torch.export archive (.pt2) → graph.
#pragma once

#include <string_view>

#include "base/bytes.h"
#include "import/common/options.h"
#include "ir/inference.h"

namespace onward::importer {

// The archive's program as a graph. Inputs have the names of forward's arguments, outputs those of their values in the
// program or of the dict keys and fields they lie under; the extra file onward.json ({"inputs": […], "outputs": […]})
// renames both. Dimensions that vary are symbols; `options.input_dims` fixes or renames them, `options.signature`
// chooses among several programs. Changes of buffers and of inputs are not given back. Weights are views of `file`.
// Throws Error: kDataLoss for damaged archives, kPermissionDenied for unsafe pickles, kUnimplemented with everything
// that can't be translated, kInvalidArgument for options that don't fit the model.
ir::Model read_pt2(const Bytes& file, std::string_view what, const Options& options, const ir::Inference& inference);

}  // namespace onward::importer
