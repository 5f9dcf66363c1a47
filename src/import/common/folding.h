// Sliding windows over images.
#pragma once

#include <vector>

#include "ir/builder.h"

namespace onward::importer {

struct Blocks {
  int64_t kernel;
  int64_t dilation;
  int64_t padding;
  int64_t stride;
};

// The places along an axis of `size` (rank 1), padded, that each window covers: [kernel, windows].
ir::Value* block_places(ir::Builder& b, ir::Value* size, const Blocks& blocks);
// `padded` [n, c, h, w] by such places along both axes: [n, c · kernel, windows].
ir::Value* unfolded(ir::Builder& b, ir::Value* padded, ir::Value* rows, ir::Value* columns);

// The content of each window of `x` [n, sizes…, c] along the last axis: [n, windows…, kernel · c]. One number of each
// list for each size.
ir::Value* patches(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& kernel,
                   const std::vector<int64_t>& strides, const std::vector<int64_t>& dilations);

}  // namespace onward::importer
