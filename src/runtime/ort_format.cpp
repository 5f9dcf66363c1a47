#include "runtime/ort_format.h"

#include "base/mapped_file.h"
#include "base/temporary_folder.h"
#include "runtime/ort.h"

namespace onward::runtime {
namespace {

namespace fs = std::filesystem;

// Smaller tensors stay in the model.
constexpr const char* kExternalMinimum = "1024";

GraphOptimizationLevel level_of(Fusions fusions) {
  switch (fusions) {
    case Fusions::kStandard:
      return ORT_ENABLE_BASIC;
    case Fusions::kAnyMachine:
      return ORT_ENABLE_EXTENDED;
    default:
      return ORT_ENABLE_ALL;
  }
}

Ort::SessionOptions saving(const SaveOptions& options, const fs::path& file) {
  Ort::SessionOptions ort;
  ort.DisablePerSessionThreads();
  ort.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
  ort.SetGraphOptimizationLevel(level_of(options.fusions));
  ort.SetOptimizedModelFilePath(file.c_str());
  for (const fs::path& library : options.custom_ops) register_custom_ops(ort, library);
  return ort;
}

}  // namespace

Bytes ort_file(const Bytes& model, const std::string& name, const SaveOptions& options) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "model.ort";
  try {
    Ort::SessionOptions ort = saving(options, file);
    ort.AddConfigEntry("session.save_model_format", "ORT");
    const auto env = environment();
    const Ort::Session written(*env, model.data(), model.size(), ort);
  } catch (const Ort::Exception& error) {
    throw load_error(error, name);
  }
  return map_file(file);  // which keeps it, though its name goes
}

OnnxFile fused_onnx(const fs::path& path, const std::string& name, const std::string& data_file,
                    const SaveOptions& options) {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "model.onnx";
  try {
    Ort::SessionOptions ort = saving(options, file);
    if (!data_file.empty()) {
      ort.AddConfigEntry("session.optimized_model_external_initializers_file_name", data_file.c_str());
      ort.AddConfigEntry("session.optimized_model_external_initializers_min_size_in_bytes", kExternalMinimum);
    }
    const auto env = environment();
    const Ort::Session written(*env, path.c_str(), ort);
  } catch (const Ort::Exception& error) {
    throw load_error(error, name);
  }
  const fs::path data = folder.path() / data_file;
  return {map_file(file), !data_file.empty() && fs::exists(data) ? map_file(data) : Bytes{}};
}

}  // namespace onward::runtime
