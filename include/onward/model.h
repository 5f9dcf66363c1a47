// A model of any supported format, ready to predict.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "onward/export.h"
#include "onward/options.h"
#include "onward/status.h"
#include "onward/tensor.h"

namespace onward {

struct LoadOptions {
  // How a file that is not ONNX is converted, in memory. An ONNX file is loaded as it is where this is left alone.
  ConvertOptions convert;
  // Shared libraries with custom operators for ONNX Runtime; each exports RegisterCustomOps. They are native code that
  // runs in this process: load only what you trust.
  std::vector<std::filesystem::path> custom_ops;
};

// Copies are the same model. Every function may be called from several threads at once.
class ONWARD_API Model {
 public:
  // A file or SavedModel folder of any supported format, told by its content. Fails with kNotFound, kDataLoss for a
  // damaged file, and kUnimplemented where it can't be converted: the message lists all that blocks it.
  static Result<Model> load(const std::filesystem::path& path, const LoadOptions& options = {});
  // A serialized ONNX model without external data; the bytes may go afterwards. `options.convert` is not used.
  static Result<Model> from_bytes(std::span<const std::byte> onnx, const LoadOptions& options = {});

  // In the model's order, under the names that the source file gives them.
  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;
  // What the ONNX model carries beside its graph.
  const std::map<std::string, std::string>& metadata() const;

  // `inputs` in the model's order; all outputs in the model's order. Inputs are read where they lie, but for small
  // ones, which may be copied; outputs keep their memory themselves and outlive the model. Fails with kInvalidArgument
  // where dtype or dims do not fit, saying what is wanted and what came.
  Result<std::vector<Tensor>> predict(std::span<const Tensor> inputs) const;
  // By name; `outputs` empty: all. Fails with kInvalidArgument also for a missing or unknown name.
  Result<std::map<std::string, Tensor>> predict(const std::map<std::string, Tensor>& inputs,
                                                const std::vector<std::string>& outputs = {}) const;

 private:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

// How many threads all models of this process share; 0 is what the machine, its cgroup and the affinity allow. Takes
// effect when it comes before the first model.
ONWARD_API Status set_threads(int threads);

// The version of ONNX Runtime in use: "1.28.0".
ONWARD_API std::string onnxruntime_version();

}  // namespace onward
