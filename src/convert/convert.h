// Any supported file → graph → ONNX: where importers, passes and the exporter meet.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "convert/detect.h"
#include "export/onnx_writer.h"
#include "import/common/options.h"
#include "ir/graph.h"
#include "passes/pipeline.h"

namespace onward::convert {

constexpr int kOldestOpset = 13;
constexpr int kDefaultOpset = 18;

enum class Layout { kSource, kNchw };

struct Options {
  importer::Options import;
  // None: kDefaultOpset, or the oldest later one that can express the model.
  std::optional<int> opset;
  // kNchw: image inputs and outputs that the source has as NHWC become NCHW.
  Layout layout = Layout::kSource;
};

// The opset must be from kOldestOpset to the newest one of the linked ONNX library; throws Error(kInvalidArgument)
// otherwise.
void check_opset(int opset);

// Reads `path` into a graph in ONNX's vocabulary (canonical opset), not yet optimized. Throws Error with the file's
// name; what can't be translated is reported all at once.
ir::Model import_file(const std::filesystem::path& path, const importer::Options& options);

// The passes, down to `options.opset`; tells the opset that it became, and in `runs`, if given, what each pass did.
int optimize(ir::Model& model, const Options& options, std::vector<passes::PassRun>* runs = nullptr);

// import_file, optimize and serialize. `data_file` names the file of external weights, if it comes to that.
exporter::Serialized convert_file(const std::filesystem::path& path, const Options& options,
                                  const std::string& data_file = "model.onnx.data");

}  // namespace onward::convert
