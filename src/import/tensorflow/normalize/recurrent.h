// Loops that are recurrent layers become ONNX's LSTM, GRU and RNN.
#pragma once

#include "ir/builder.h"

namespace onward::importer::tf {

// Loop(x[k], h, c …) { the cell as Keras computes it } → LSTM, GRU or RNN over x, where the loop runs over a leading
// axis of x, its weights are constants, and nothing else happens in it. Steps that a mask leaves out are moved behind
// the others first, and sequence lengths tell how many count. Other loops stay.
void recognise_recurrent(ir::Graph& graph, const ir::Inference& inference);

}  // namespace onward::importer::tf
