// Decoding of sequences of class scores.
#include "import/common/ctc.h"

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

// CTCGreedyDecoder(inputs: T, sequence_length: int32, merge_repeated: bool = false, blank_index: int = -1) ->
// decoded_indices, decoded_values, decoded_shape, log_probability
ir::Values greedy_decoder(Call& c) {
  ir::Builder& b = c.b;
  const GreedyPath path =
      greedy_path(b, c.input(0), c.input(1), c.flag("merge_repeated"), c.integer("blank_index", -1));
  Value* at = b.Transpose(b.NonZero(path.kept), {1, 0});
  Value* position = b.Unsqueeze(b.op("GatherND", {path.place, at}), {1});
  Value* longest = b.Reshape(b.ReduceMax(path.counts, {}, false), {1});
  return {b.Concat({b.Slice(at, 0, 1, 1), position}, 1), b.op("GatherND", {path.best, at}),
          b.Concat({b.dim(path.best, 0), longest}, 0), path.score};
}

}  // namespace

void register_ctc(OpTable& t) {
  t.add("CTCGreedyDecoder -> decoded_indices, decoded_values, decoded_shape, log_probability", greedy_decoder);
}

}  // namespace onward::importer::tf
