// Which framework's file is this? Told by content, never by the name's ending alone.
#pragma once

#include <filesystem>
#include <string_view>

namespace onward::convert {

enum class Format {
  kOnnx,
  kKeras,            // .keras, a zip of config.json and model.weights.h5
  kHdf5,             // .h5: a Keras model, or weights only
  kSavedModel,       // a folder with saved_model.pb or saved_model.pbtxt
  kGraphDef,         // a frozen .pb
  kGraphDefText,     // .pbtxt
  kTfCheckpoint,     // .meta, or the prefix of .index and .data files
  kPt2,              // torch.export.save
  kTorchScript,      // torch.jit.save
  kTorchCheckpoint,  // torch.save, zip or legacy
  kSafetensors,
};

// "Keras (.keras)" and so on.
std::string_view format_name(Format format);

// Throws Error: kNotFound, kPermissionDenied, and kInvalidArgument for a folder or file that is none of the above,
// saying what it seems to be.
Format detect(const std::filesystem::path& path);

}  // namespace onward::convert
