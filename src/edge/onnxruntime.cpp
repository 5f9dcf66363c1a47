#include "edge/onnxruntime.h"

#include <dlfcn.h>
#include <onnxruntime_cxx_api.h>

#include "base/error.h"

namespace onward::edge {
namespace {

constexpr const char* kLibrary = "libonnxruntime.so.1";

const OrtApiBase* api_base = nullptr;

void* open_library(const std::filesystem::path& folder) {
  const std::filesystem::path beside = folder / kLibrary;
  const bool is_beside = std::filesystem::exists(beside);
  void* library = ::dlopen(is_beside ? beside.c_str() : kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) return library;
  const std::string reason = ::dlerror();
  if (is_beside) throw Error(Code::kUnavailable, "can't load ONNX Runtime: " + reason);
  fail_not_found("ONNX Runtime is missing: no " + beside.string(),
                 "put " + std::string(kLibrary) + " beside this program");
}

}  // namespace

void load_onnxruntime(const std::filesystem::path& folder) {
  void* library = open_library(folder);
  using GetApiBase = const OrtApiBase* (*)();
  const auto get = reinterpret_cast<GetApiBase>(::dlsym(library, "OrtGetApiBase"));
  const OrtApi* api = get == nullptr ? nullptr : get()->GetApi(ORT_API_VERSION);
  if (api == nullptr) {
    throw Error(Code::kUnavailable, std::string(kLibrary) + " is too old for this program",
                "put the one that came with it beside it");
  }
  api_base = get();
  Ort::InitApi(api);
}

}  // namespace onward::edge

// What ONNX Runtime's headers call.
extern "C" const OrtApiBase* OrtGetApiBase() noexcept { return onward::edge::api_base; }
