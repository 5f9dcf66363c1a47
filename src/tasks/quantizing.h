// From any float file to a quantized ONNX file.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "import/common/options.h"
#include "quantize/quantize.h"

namespace onward::tasks {

using FloatSession = std::shared_ptr<const runtime::Session>;

struct QuantizeTask {
  std::string source;
  std::string output;
  importer::Options import;
  int opset = 0;  // 0: the model's own, or the default
  quantize::Options options;
  // The samples for the float model that `session` runs, which they may keep; none: a few random ones.
  std::function<quantize::Samples(const FloatSession& session)> samples;
  std::vector<std::filesystem::path> custom_ops;  // libraries that ONNX Runtime needs to load the model
};

// Writes `output`, whole or not at all. Throws Error as quantize::quantize and convert::import_file do.
quantize::Report quantize_file(const QuantizeTask& task);

}  // namespace onward::tasks
