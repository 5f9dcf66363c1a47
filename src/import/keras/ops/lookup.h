// StringLookup's and IntegerLookup's vocabulary, which TextVectorization shares.
#pragma once

#include "import/keras/context.h"

namespace onward::importer::keras {

struct Vocabulary {
  std::vector<std::string> terms;  // without the mask and out-of-vocabulary tokens
  int64_t oov = 1;                 // how many indices unknown terms share
  bool masked = false;             // whether index 0 is the mask token's
  std::string mode = "int";        // output_mode

  // Terms are counted behind the mask (only where indices are the output) and the unknown.
  int64_t oov_start() const { return masked && mode == "int" ? 1 : 0; }
  int64_t start() const { return oov_start() + oov; }
  int64_t size() const { return start() + static_cast<int64_t>(terms.size()); }
};

Vocabulary read_vocabulary(const Context& ctx, int64_t oov, bool masked);
// What the layer gives for indices `x` ([…, n]): themselves, or encoded by output_mode.
ir::Value* encode_indices(const Context& ctx, const Vocabulary& vocabulary, ir::Value* x);

}  // namespace onward::importer::keras
