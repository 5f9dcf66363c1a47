#include "convert/detect.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/mapped_file.h"
#include "formats/hdf5/file.h"
#include "formats/zip.h"

namespace onward::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kSupported =
    "Onward reads Keras .keras and .h5, TensorFlow SavedModel folders and frozen .pb, PyTorch .pt2, TorchScript .pt, "
    ".pth and "
    ".safetensors, and .onnx";

bool is_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return std::isprint(static_cast<unsigned char>(c)) != 0 || std::isspace(static_cast<unsigned char>(c)) != 0 ||
           (c & 0x80) != 0;
  });
}

bool is_safetensors(const Bytes& file) {
  if (file.size() < 10) return false;
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof(length));
  return length >= 2 && length <= file.size() - 8 && file.text()[8] == '{';
}

// Protocol 2+ pickles, and the protocol 2 pickle of torch's legacy magic number.
bool is_pickle(std::string_view text) { return text.size() > 2 && text[0] == '\x80' && text[1] >= 2 && text[1] <= 5; }

bool is_tar(std::string_view text) { return text.size() > 262 && text.substr(257, 5) == "ustar"; }

Format detect_zip(const Bytes& file, const fs::path& path) {
  const auto archive = zip::Archive::open(file, path.string());
  bool pickle = false;
  bool code = false;
  for (const auto& name : archive.names()) {
    const std::string_view text(name);
    if (text == "model.weights.h5" || text == "metadata.json") return Format::kKeras;
    if (text.ends_with("serialized_exported_program.json") || text.ends_with("archive_format") ||
        text.ends_with("models/model.json")) {
      return Format::kPt2;
    }
    pickle = pickle || text == "data.pkl" || text.ends_with("/data.pkl");
    code = code || text.ends_with("constants.pkl") || text.find("/code/") != std::string_view::npos;
  }
  if (pickle) return code ? Format::kTorchScript : Format::kTorchCheckpoint;
  if (archive.find("config.json") != nullptr) return Format::kKeras;
  fail_invalid(path.string() + ": a zip archive, but not one that Keras or PyTorch writes", std::string(kSupported));
}

Format detect_folder(const fs::path& path) {
  if (fs::exists(path / "saved_model.pb") || fs::exists(path / "saved_model.pbtxt")) return Format::kSavedModel;
  if (fs::exists(path / "checkpoint")) return Format::kTfCheckpoint;
  fail_invalid(path.string() + ": a folder without saved_model.pb",
               "name a model file, or a TensorFlow SavedModel folder");
}

bool looks_like_graph_text(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return false;
  const std::string_view rest = text.substr(start);
  return rest.starts_with("node") || rest.starts_with("versions") || rest.starts_with("library") ||
         rest.starts_with("#");
}

std::string described(std::string_view text) {
  if (text.empty()) return "an empty file";
  const std::string_view head = text.substr(0, std::min<size_t>(text.size(), 512));
  if (!is_text(head)) return "not a model file that Onward knows";
  std::string line(head.substr(0, std::min<size_t>(head.find('\n'), 40)));
  return fmt::format("a text file, not a model (it begins \"{}\")", line);
}

bool is_ort(std::string_view text) { return text.size() > 8 && text.substr(4, 4) == "ORTM"; }

Format detect_file(const Bytes& file, const fs::path& path) {
  const std::string_view text = file.text();
  if (is_ort(text)) {
    fail_unsupported(path.string() + ": ONNX Runtime's own format (.ort) runs, but nothing is made of it any more",
                     "name the file that it was made of");
  }
  if (hdf5::looks_like_hdf5(file.view())) return Format::kHdf5;
  if (text.starts_with("PK\x03\x04") || text.starts_with("PK\x05\x06")) return detect_zip(file, path);
  if (is_safetensors(file)) return Format::kSafetensors;
  if (is_pickle(text) || is_tar(text)) return Format::kTorchCheckpoint;
  const std::string extension = path.extension().string();
  if (extension == ".meta") return Format::kTfCheckpoint;
  if (is_text(text.substr(0, std::min<size_t>(text.size(), 512)))) {
    if (extension == ".pbtxt" || looks_like_graph_text(text)) return Format::kGraphDefText;
    // A GraphDef can start with bytes that are all printable, so its name decides.
    if (extension != ".pb" && extension != ".onnx") {
      fail_invalid(path.string() + ": " + described(text), std::string(kSupported));
    }
  }
  // ONNX: field 1 (ir_version) is a varint; GraphDef: field 1 (node) is a message.
  if (extension == ".onnx" || (text.size() > 1 && text[0] == '\x08' && extension != ".pb")) return Format::kOnnx;
  if (extension == ".pb" || (!text.empty() && text[0] == '\x0a')) return Format::kGraphDef;
  fail_invalid(path.string() + ": " + described(text), std::string(kSupported));
}

}  // namespace

std::string_view format_name(Format format) {
  switch (format) {
    case Format::kOnnx:
      return "ONNX";
    case Format::kKeras:
      return "Keras (.keras)";
    case Format::kHdf5:
      return "Keras (.h5)";
    case Format::kSavedModel:
      return "TensorFlow SavedModel";
    case Format::kGraphDef:
      return "TensorFlow GraphDef";
    case Format::kGraphDefText:
      return "TensorFlow GraphDef (text)";
    case Format::kTfCheckpoint:
      return "TensorFlow checkpoint";
    case Format::kPt2:
      return "PyTorch export (.pt2)";
    case Format::kTorchScript:
      return "TorchScript";
    case Format::kTorchCheckpoint:
      return "PyTorch checkpoint";
    case Format::kSafetensors:
      return "safetensors";
  }
  return "unknown";
}

Format detect(const fs::path& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return detect_folder(path);
  if (!fs::exists(path, error) && fs::exists(path.string() + ".index", error)) return Format::kTfCheckpoint;
  const Bytes file = map_file(path);
  if (file.empty()) fail_invalid(path.string() + ": an empty file", std::string(kSupported));
  return detect_file(file, path);
}

}  // namespace onward::convert
