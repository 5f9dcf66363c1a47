// TensorFlow files → graph.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "import/common/options.h"
#include "ir/graph.h"

namespace onward::importer {

// A SavedModel folder (TF1 or TF2). Inputs and outputs are those of the signature (options.signature, else
// "serving_default", else the only one), sorted by name. Throws Error: kInvalidArgument for an unknown tag or
// signature, kUnimplemented listing every operator that cannot be translated, kDataLoss for damaged files.
ir::Model read_saved_model(const std::filesystem::path& folder, const Options& options, const ir::Inference& inference);

// A TF1 checkpoint with its graph: the .meta file, the prefix that its files share, or a folder with a file
// "checkpoint". Inputs and outputs as for read_graphdef, but options.outputs must be there unless the file has a
// signature.
ir::Model read_checkpoint(const std::filesystem::path& path, const Options& options, const ir::Inference& inference);

// A frozen GraphDef, binary or text. options.inputs and options.outputs name its tensors ("node:0" or "node"); without
// them the placeholders are the inputs and what nothing uses the outputs.
ir::Model read_graphdef(const Bytes& file, const std::string& name, bool text, const Options& options,
                        const ir::Inference& inference);

}  // namespace onward::importer
