// Inside src/runtime only: the shared ONNX Runtime environment and its errors.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace onward::runtime {

// Sessions and their answers keep it: it must outlive both, also when a program ends in any order.
std::shared_ptr<Ort::Env> environment();

// ONNX Runtime's message without its source paths, function names and status prefix.
std::string clean_message(std::string_view message);

// The same error as ours, for something that went wrong while loading or running.
Error load_error(const Ort::Exception& error, const std::string& model);
Error run_error(const Ort::Exception& error);

// A shared library that exports RegisterCustomOps. Throws Error: kNotFound, kInvalidArgument.
void register_custom_ops(Ort::SessionOptions& options, const std::filesystem::path& library);

}  // namespace onward::runtime
