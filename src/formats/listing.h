// Lists the tensors of a weights file of any kind that formats/ reads: torch.save (zip, legacy, tar), TorchScript,
// torch.export, safetensors, Keras' .h5 and .keras, .npy and .npz.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/array.h"

namespace onward {

struct WeightsListing {
  std::string form;  // "torch.save", "torch.save (legacy)", "torchscript", "safetensors", "npz" …
  std::vector<ListedTensor> tensors;
};

enum class Digests { kSha256, kNone };

// Told by the content; the name only appears in messages. Throws Error: kDataLoss for a damaged file, kPermissionDenied
// for an unsafe pickle, kUnimplemented for a file of another kind.
WeightsListing list_weights(const Bytes& file, std::string_view what, Digests digests = Digests::kSha256);

}  // namespace onward
