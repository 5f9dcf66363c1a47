// Keras files → graph.
#pragma once

#include <filesystem>

#include "base/bytes.h"
#include "import/common/options.h"
#include "ir/graph.h"

namespace onward::importer {

// `file` is a .keras archive (Keras 2.15 or 3) or a whole-model .h5 (Keras 2 or 3); `name` stands for it in messages.
// Inputs and outputs bear the names of their layers. Throws Error: kInvalidArgument for a weights-only .h5,
// kUnimplemented listing every custom, Lambda or unsupported layer at once, kDataLoss for damaged files.
ir::Model read_keras(const Bytes& file, const std::string& name, const Options& options,
                     const ir::Inference& inference);

}  // namespace onward::importer
