// PyTorch checkpoints: what torch.save writes today (a zip), what it wrote before 1.6 (a row of pickles) and before 0.2
// (a tar), and the object graph of a TorchScript archive. Read as data; nothing in the file is run.
//
// Errors: kDataLoss for damaged files, kPermissionDenied for pickles that call what no checkpoint needs (the message
// names it), kUnimplemented for files of another kind.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "formats/pickle.h"
#include "formats/torch/tensor.h"
#include "formats/zip.h"

namespace onward::torchfile {

struct NamedTensor {
  std::string name;  // the path of keys, indices and attributes joined with "."; "" where the root is the tensor
  StridedTensor tensor;
};

struct Checkpoint {
  std::string form;  // "torch.save", "torch.save (legacy)", "torch.save (tar)" or "torchscript"
  pickle::Document document;
  std::vector<NamedTensor> tensors;  // in the file's order
};

// Copies nothing that the file stores uncompressed: storages are slices of `file`, their checksums checked.
// `what` names the file in messages.
Checkpoint read_checkpoint(const Bytes& file, std::string_view what);

// Every tensor that `root` reaches, with its path. A whole module gives the names of its state dict.
std::vector<NamedTensor> named_tensors(const pickle::Value& root, const TensorReader& reader, std::string_view what);

// A loader for the storages `<root>data/<key>` of a zip whose data.pkl lies at "<root>data.pkl". `folder` is "data/"
// but in other pickles of an archive ("constants/").
TensorReader::Loader zip_loader(const zip::Archive& archive, std::string root, std::string folder, bool big_endian);

// The folder ("name/") that holds the archive's one data.pkl (or `member`); throws Error(kDataLoss) where there is none
// or there are several.
std::string archive_root(const zip::Archive& archive, std::string_view member = "data.pkl");

// True where the archive says that its storages are big-endian.
bool is_big_endian(const zip::Archive& archive, const std::string& root);

// The forms that are no zip.
Checkpoint read_legacy(const Bytes& file, std::string_view what);
bool looks_like_tar(ByteView file);
Checkpoint read_tar(const Bytes& file, std::string_view what);

}  // namespace onward::torchfile
