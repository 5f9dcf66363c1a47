#include "runtime/ort.h"

#include <fmt/format.h>

#include <filesystem>
#include <mutex>
#include <regex>

#include "runtime/cpu_budget.h"
#include "runtime/environment.h"
#include "runtime/session.h"

namespace onward::runtime {
namespace {

std::mutex options_mutex;
EnvironmentOptions environment_options;

// ONNX Runtime reports every failure through its status; its log would only repeat it on stderr.
Ort::Env make_environment() {
  int threads = 0;
  {
    const std::lock_guard lock(options_mutex);
    threads = environment_options.threads;
  }
  Ort::ThreadingOptions options;
  options.SetGlobalIntraOpNumThreads(threads > 0 ? threads : cpu_budget());
  options.SetGlobalInterOpNumThreads(1);
  options.SetGlobalSpinControl(0);
  Ort::Env env(options, ORT_LOGGING_LEVEL_FATAL, "onward");
  // Grow by what is asked for, not by powers of two: a server's memory stays level.
  constexpr int kSameAsRequested = 1;
  const Ort::ArenaCfg arena(0, kSameAsRequested, -1, -1);
  env.CreateAndRegisterAllocator(Ort::MemoryInfo::CreateCpu(OrtArenaAllocator, OrtMemTypeDefault), arena);
  env.DisableTelemetryEvents();
  return env;
}

Code code_of(OrtErrorCode code) {
  switch (code) {
    case ORT_INVALID_ARGUMENT:
      return Code::kInvalidArgument;
    case ORT_NO_SUCHFILE:
      return Code::kNotFound;
    case ORT_INVALID_PROTOBUF:
    case ORT_INVALID_GRAPH:
      return Code::kDataLoss;
    case ORT_NOT_IMPLEMENTED:
      return Code::kUnimplemented;
    default:
      return Code::kInternal;
  }
}

}  // namespace

void configure_environment(const EnvironmentOptions& options) {
  const std::lock_guard lock(options_mutex);
  environment_options = options;
}

std::string onnxruntime_version() { return Ort::GetVersionString(); }

std::shared_ptr<Ort::Env> environment() {
  static const auto env = std::make_shared<Ort::Env>(make_environment());
  return env;
}

void prepare_environment() { environment(); }

std::string clean_message(std::string_view message) {
  static const std::regex noise(
      R"((\S*onnxruntime\S*\.(cc|h|cpp):\d+ )|(\S*onnxruntime::\S+\([^)]*\)( const)? )|(^Exception during (loading|initialization): )|(\S+ was false\. ))");
  std::string text = std::regex_replace(std::string(message), noise, "");
  constexpr std::string_view kFailed = " failed:";
  const size_t failed = text.find(kFailed);
  if (text.starts_with("Load model from ") && failed != std::string::npos) text.erase(0, failed + kFailed.size());
  constexpr std::string_view kFatal = "Fatal error: ";
  if (text.starts_with(kFatal)) text.erase(0, kFatal.size());
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

Error load_error(const Ort::Exception& error, const std::string& model) {
  const Code code = code_of(error.GetOrtErrorCode());
  const bool not_protobuf = error.GetOrtErrorCode() == ORT_INVALID_PROTOBUF;
  const std::string reason = not_protobuf ? "not a valid ONNX file" : clean_message(error.what());
  std::string hint;
  if (not_protobuf) hint = "see what the file holds: onward inspect " + model;
  if (reason.find("is not a registered function/op") != std::string::npos) {
    hint =
        "ONNX Runtime has no such operator: name the library that brings it along (--custom-ops LIB.so), or export the "
        "model without it";
  }
  return Error(code == Code::kInternal ? Code::kDataLoss : code, fmt::format("{}: {}", model, reason), hint);
}

Error run_error(const Ort::Exception& error) {
  const std::string text = clean_message(error.what());
  if (text.find("terminate flag") != std::string::npos) return Error(Code::kCancelled, "the run was cancelled");
  return Error(code_of(error.GetOrtErrorCode()), text);
}

void register_custom_ops(Ort::SessionOptions& ort, const std::filesystem::path& library) {
  std::error_code error;
  if (!std::filesystem::exists(library, error)) {
    fail_not_found("there is no library of custom operators " + library.string());
  }
  try {
    // The loader would look for a bare name elsewhere.
    ort.RegisterCustomOpsLibrary(std::filesystem::absolute(library).c_str());
  } catch (const Ort::Exception& failure) {
    fail_invalid(
        fmt::format("{} can't be used as custom operators: {}", library.string(), clean_message(failure.what())),
        "build a shared library that exports RegisterCustomOps, against ONNX Runtime's headers of API " +
            std::to_string(ORT_API_VERSION) + " or older");
  }
}

}  // namespace onward::runtime
