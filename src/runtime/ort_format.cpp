#include "runtime/ort_format.h"

#include "runtime/ort.h"

namespace onward::runtime {

void write_ort_file(const Bytes& model, const std::string& name, const std::filesystem::path& path) {
  try {
    Ort::SessionOptions options;
    options.DisablePerSessionThreads();
    options.SetLogSeverityLevel(ORT_LOGGING_LEVEL_FATAL);
    options.SetGraphOptimizationLevel(ORT_ENABLE_EXTENDED);
    options.SetOptimizedModelFilePath(path.c_str());
    options.AddConfigEntry("session.save_model_format", "ORT");
    const auto env = environment();
    const Ort::Session written(*env, model.data(), model.size(), options);
  } catch (const Ort::Exception& error) {
    throw load_error(error, name);
  }
}

}  // namespace onward::runtime
