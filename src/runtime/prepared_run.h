// Inside src/runtime only: runs of small tensors with everything that ONNX Runtime needs made beforehand.
#pragma once

#include <onnxruntime_cxx_api.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "runtime/session.h"

namespace onward::runtime {

// A session's inputs and outputs of certain dims, bound to memory of its own. Used by one thread at a time.
class PreparedRun {
 public:
  // Nothing where these inputs, or the outputs they lead to, are large, text, or of a shape that is known only
  // afterwards.
  static std::unique_ptr<PreparedRun> make(Ort::Session& session, std::span<const ValueInfo> inputs,
                                           std::span<const ValueInfo> outputs, std::span<const ir::Tensor> example);

  bool suits(std::span<const ir::Tensor> inputs) const;
  bool gives(std::span<const ir::Tensor> outputs) const;
  // Throws Ort::Exception.
  std::vector<ir::Tensor> run(Ort::Session& session, const Ort::RunOptions& options,
                              std::span<const ir::Tensor> inputs);

 private:
  struct Slot {
    ir::DType dtype = ir::DType::kUndefined;
    ir::Dims dims;
    std::unique_ptr<std::byte[]> bytes;
    size_t size = 0;
  };
  explicit PreparedRun(Ort::Session& session) : binding_(session) {}
  static std::optional<Slot> slot_for(const ValueInfo& info, ir::Dims dims);
  static bool same(std::span<const ir::Tensor> tensors, std::span<const Slot> slots);

  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  Ort::IoBinding binding_;
};

// The prepared runs of one session; thread-safe. Dims that come twice in a row are prepared for.
class PreparedRuns {
 public:
  // One for these inputs, to be given back; null where there is none.
  std::unique_ptr<PreparedRun> take(std::span<const ir::Tensor> inputs);
  void give_back(std::unique_ptr<PreparedRun> run);
  // After a run of `inputs`, for which there was none, that gave `outputs`.
  void learn(Ort::Session& session, std::span<const ValueInfo> input_infos, std::span<const ValueInfo> output_infos,
             std::span<const ir::Tensor> inputs, std::span<const ir::Tensor> outputs);

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<PreparedRun>> free_;  // those used last are behind
  std::vector<ir::Dims> seen_;                      // of the inputs that were learnt from last
  std::atomic<bool> given_up_{false};               // the outputs' shapes are not what the file declares
};

}  // namespace onward::runtime
