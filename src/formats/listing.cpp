#include "formats/listing.h"

#include <set>

#include "base/error.h"
#include "formats/hdf5/file.h"
#include "formats/npy.h"
#include "formats/safetensors.h"
#include "formats/torch/checkpoint.h"
#include "formats/torch/pt2_archive.h"
#include "formats/zip.h"

namespace onward {
namespace {

ListedTensor listed(std::string name, const Array& array, Digests digests) {
  ListedTensor tensor{std::move(name), array.dtype, array.shape, {}};
  if (digests == Digests::kNone) return tensor;
  if (array.dtype == "string") {
    std::string joined;
    for (const std::string& text : array.strings) joined.append(text).push_back('\0');
    tensor.sha256 = sha256_hex(as_bytes(joined));
  } else {
    tensor.sha256 = sha256_hex(array.data.view());
  }
  return tensor;
}

bool is_npz(const zip::Archive& archive) {
  for (const zip::Entry& entry : archive.entries()) {
    if (!entry.name.ends_with(".npy")) return false;
  }
  return !archive.entries().empty();
}

WeightsListing list_arrays(std::string form, const std::vector<std::pair<std::string, Array>>& arrays,
                           Digests digests) {
  WeightsListing listing{std::move(form), {}};
  for (const auto& [name, array] : arrays) listing.tensors.push_back(listed(name, array, digests));
  return listing;
}

constexpr size_t kMaxDepth = 100;

// Every dataset below the group, by its path. Links may form cycles: each group is visited once.
void list_datasets(const hdf5::Object& group, const std::string& path, std::set<uint64_t>& seen, Digests digests,
                   WeightsListing& listing, size_t depth = 0) {
  if (depth > kMaxDepth) fail_data("groups nested deeper than " + std::to_string(kMaxDepth));
  if (!seen.insert(group.address).second) return;
  for (const std::string& name : group.members()) {
    const auto member = group.member(name);
    if (!member) continue;
    const std::string below = path.empty() ? name : path + "/" + name;
    if (member->is_dataset()) {
      listing.tensors.push_back(listed(below, member->read(), digests));
    } else {
      list_datasets(*member, below, seen, digests, listing, depth + 1);
    }
  }
}

WeightsListing list_hdf5(std::string form, const Bytes& file, std::string_view what, std::string_view from,
                         Digests digests) {
  WeightsListing listing{std::move(form), {}};
  const hdf5::File opened = hdf5::File::open(file, what);
  std::set<uint64_t> seen;
  const auto group = opened.find(from);
  list_datasets(group ? *group : opened.at(""), "", seen, digests, listing);
  return listing;
}

WeightsListing list_torch(std::string form, const std::vector<torchfile::NamedTensor>& tensors, Digests digests) {
  WeightsListing listing{std::move(form), {}};
  for (const auto& [name, tensor] : tensors) {
    const bool wanted = digests != Digests::kNone;
    listing.tensors.push_back(
        {name, tensor.dtype, tensor.sizes, wanted ? sha256_hex(tensor.contiguous().view()) : std::string()});
  }
  return listing;
}

WeightsListing list_pt2(const Bytes& file, std::string_view what, Digests digests) {
  const torchfile::Pt2Archive archive = torchfile::Pt2Archive::open(file, what);
  std::vector<torchfile::NamedTensor> tensors = archive.weights();
  for (torchfile::NamedTensor& constant : archive.constants()) tensors.push_back(std::move(constant));
  return list_torch("torch.export", tensors, digests);
}

}  // namespace

WeightsListing list_weights(const Bytes& file, std::string_view what, Digests digests) {
  if (npy::looks_like(file.view())) return list_arrays("npy", {{"", npy::read(file, what)}}, digests);
  if (hdf5::looks_like_hdf5(file.view())) return list_hdf5("HDF5", file, what, "model_weights", digests);
  if (zip::looks_like_zip(file.view())) {
    const zip::Archive archive = zip::Archive::open(file, what);
    if (archive.contains("model.weights.h5")) {
      return list_hdf5("keras", archive.read("model.weights.h5", zip::Check::kNone), what, "", digests);
    }
    if (torchfile::Pt2Archive::looks_like(archive)) return list_pt2(file, what, digests);
    if (is_npz(archive)) return list_arrays("npz", npy::read_npz(file, what), digests);
  }
  if (safetensors::looks_like(file.view())) {
    return list_arrays("safetensors", safetensors::read(file, what).tensors, digests);
  }
  const torchfile::Checkpoint checkpoint = torchfile::read_checkpoint(file, what);
  return list_torch(checkpoint.form, checkpoint.tensors, digests);
}

}  // namespace onward
