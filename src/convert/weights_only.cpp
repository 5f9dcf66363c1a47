#include "convert/weights_only.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/hdf5/file.h"
#include "formats/listing.h"
#include "formats/torch/checkpoint.h"

namespace onward::convert {
namespace {

namespace fs = std::filesystem;

constexpr size_t kNamed = 3;

std::string contents(const WeightsListing& listing) {
  std::string text = fmt::format("{} tensor{}", listing.tensors.size(), listing.tensors.size() == 1 ? "" : "s");
  for (size_t i = 0; i < std::min(kNamed, listing.tensors.size()); ++i) {
    const ListedTensor& tensor = listing.tensors[i];
    text += fmt::format("{}{} {} [", i == 0 ? ": " : ", ", tensor.name, tensor.dtype);
    for (size_t d = 0; d < tensor.shape.size(); ++d) text += (d == 0 ? "" : ",") + std::to_string(tensor.shape[d]);
    text += "]";
  }
  if (listing.tensors.size() > kNamed) text += fmt::format(", … and {} more", listing.tensors.size() - kNamed);
  return text;
}

// "model.Net" of a pickled module, as the --class that names it.
std::string pickled_class(const Bytes& file, const std::string& what) {
  const torchfile::Checkpoint checkpoint = torchfile::read_checkpoint(file, what);
  const pickle::Value& root = checkpoint.document.root();
  if (root.kind != pickle::Kind::kObject) return "";
  const std::string name(pickle::callable_name(root.object()));
  const size_t dot = name.rfind('.');
  if (dot == std::string::npos || name.starts_with("collections.") || name.starts_with("torch._")) return "";
  return name.substr(0, dot) + ":" + name.substr(dot + 1);
}

std::string keras_hint(const fs::path& path) {
  return fmt::format(
      "Such a file converts together with the code that builds the model, in your own Python with Keras:\n"
      "  onward convert {} --class module:function -o {}.onnx\n"
      "The module is looked for beside the file; --python names the interpreter. Without it: save the whole model\n"
      "with model.save(\"model.keras\") and convert that.",
      path.string(), path.stem().string());
}

std::string torch_hint(Format format, const Bytes& file, const fs::path& path) {
  std::string reference = format == Format::kTorchCheckpoint ? pickled_class(file, path.string()) : "";
  if (reference.empty()) reference = "module:Class";
  return fmt::format(
      "Such a file converts together with its class, in your own Python with PyTorch:\n"
      "  onward convert {} --class {} --input \"NAME=1,3,224,224\" -o {}.onnx\n"
      "The module is looked for beside the file; --python names the interpreter. Without the class: export the model\n"
      "with torch.export.save(torch.export.export(model, (sample,)), \"model.pt2\") and convert that.",
      path.string(), reference, path.stem().string());
}

}  // namespace

bool holds_weights_only(Format format, const fs::path& path) {
  if (format == Format::kTorchCheckpoint || format == Format::kSafetensors) return true;
  if (format != Format::kHdf5) return false;
  const hdf5::Object root = hdf5::File::open(map_file(path), path.string()).at("");
  const bool weights = root.attribute("layer_names") || root.attribute("layer_names0") || root.member("layers");
  return weights && !root.text("model_config");
}

void fail_weights_only(Format format, const fs::path& path) {
  const Bytes file = map_file(path);
  const WeightsListing listing = list_weights(file, path.string(), Digests::kNone);
  throw Error(Code::kFailedPrecondition,
              fmt::format("{} holds weights but no network ({}, {})", path.string(), listing.form, contents(listing)),
              format == Format::kHdf5 ? keras_hint(path) : torch_hint(format, file, path));
}

}  // namespace onward::convert
