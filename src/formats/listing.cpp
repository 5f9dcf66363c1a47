#include "formats/listing.h"

#include "base/error.h"
#include "formats/npy.h"
#include "formats/safetensors.h"
#include "formats/torch/checkpoint.h"
#include "formats/zip.h"

namespace onward {
namespace {

ListedTensor listed(std::string name, const Array& array) {
  ListedTensor tensor{std::move(name), array.dtype, array.shape, {}};
  if (array.dtype == "string") {
    std::string joined;
    for (const std::string& text : array.strings) joined.append(text).push_back('\0');
    tensor.sha256 = sha256_hex(as_bytes(joined));
  } else {
    tensor.sha256 = sha256_hex(array.data.view());
  }
  return tensor;
}

bool is_npz(const Bytes& file, std::string_view what) {
  const zip::Archive archive = zip::Archive::open(file, what);
  for (const zip::Entry& entry : archive.entries()) {
    if (!entry.name.ends_with(".npy")) return false;
  }
  return !archive.entries().empty();
}

WeightsListing list_arrays(std::string form, const std::vector<std::pair<std::string, Array>>& arrays) {
  WeightsListing listing{std::move(form), {}};
  for (const auto& [name, array] : arrays) listing.tensors.push_back(listed(name, array));
  return listing;
}

}  // namespace

WeightsListing list_weights(const Bytes& file, std::string_view what) {
  if (npy::looks_like(file.view())) return list_arrays("npy", {{"", npy::read(file, what)}});
  if (zip::looks_like_zip(file.view()) && is_npz(file, what)) return list_arrays("npz", npy::read_npz(file, what));
  if (safetensors::looks_like(file.view())) return list_arrays("safetensors", safetensors::read(file, what).tensors);
  const torchfile::Checkpoint checkpoint = torchfile::read_checkpoint(file, what);
  WeightsListing listing{checkpoint.form, {}};
  for (const auto& [name, tensor] : checkpoint.tensors) {
    listing.tensors.push_back({name, tensor.dtype, tensor.sizes, sha256_hex(tensor.contiguous().view())});
  }
  return listing;
}

}  // namespace onward
