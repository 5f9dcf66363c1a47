// A model ready to run in ONNX Runtime.
//
// All sessions share one environment: one pair of thread pools sized by the CPU budget (no spinning while idle) and one
// memory arena. Tensors go in and out without copies: an input is read where it lies, an output's bytes keep ONNX
// Runtime's buffer alive.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "ir/tensor.h"

namespace onward::runtime {

// Takes effect when given before the first session is made.
struct EnvironmentOptions {
  int threads = 0;  // 0: the CPU budget
};
void configure_environment(const EnvironmentOptions& options);

// "1.28.0"
std::string onnxruntime_version();

struct ValueInfo {
  std::string name;
  ir::DType dtype = ir::DType::kUndefined;
  ir::Shape shape;
};

// Stops runs from another thread.
class RunControl {
 public:
  RunControl();
  ~RunControl();
  RunControl(const RunControl&) = delete;
  RunControl& operator=(const RunControl&) = delete;

  // Runs under this control end with Error(kCancelled), the current one at its next node.
  void terminate();

 private:
  friend class Session;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

using NamedTensor = std::pair<std::string, ir::Tensor>;

// Called while a model runs with what each of its nodes kWatchDomain::Watch gets: such a node has one input of any type
// but string, an attribute "index", and one float output without elements, by which it belongs to the graph's outputs.
// The tensor lies where ONNX Runtime has it, only until the call returns. Must not throw.
using Watch = std::function<void(size_t index, const ir::Tensor& tensor)>;
inline constexpr const char* kWatchDomain = "onward.watch";

// How far ONNX Runtime may rewrite the graph.
enum class Rewrites {
  kNone,     // for what must stay as written (comparisons)
  kFusions,  // weights stay as they are, where they lie
  kAll,      // also other layouts of weights, which are copies: the fastest
};

struct SessionOptions {
  Rewrites rewrites = Rewrites::kAll;
  // Shared libraries with custom operators; each exports RegisterCustomOps. They are code: only what the user names.
  std::vector<std::filesystem::path> custom_ops;
  // Whether the time of every node is kept until end_profile().
  bool profile = false;
  // What the model refers to as external data, by name: read where it lies, which the session keeps.
  std::vector<NamedTensor> weights;
  std::filesystem::path data_folder;  // of files that a model in memory refers to
  Watch watch;                        // for models with such nodes
};

// Movable; `run` may be called from several threads at once.
class Session {
 public:
  // An ONNX file; external data beside it is found. Throws Error: kNotFound, kDataLoss (no valid model),
  // kUnimplemented (an operator this ONNX Runtime lacks), kInvalidArgument (also for a library of custom operators that
  // can't be loaded).
  static Session load(const std::filesystem::path& path, const SessionOptions& options = {});
  // A model in memory whose external data are in `options.weights`; `name` stands in messages. The bytes may go
  // afterwards.
  static Session from_bytes(const Bytes& model, const std::string& name, const SessionOptions& options = {});

  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const std::vector<ValueInfo>& inputs() const;
  const std::vector<ValueInfo>& outputs() const;
  // The file's custom metadata.
  const std::map<std::string, std::string>& metadata() const;
  const std::string& producer() const;

  // Throws Error(kInvalidArgument) that lists the names there are.
  size_t input_index(std::string_view name) const;
  size_t output_index(std::string_view name) const;

  // Checks dtype and dims of one input; throws Error(kInvalidArgument) that says what is wanted and what came.
  void check_input(size_t index, const ir::Tensor& tensor) const;

  // `inputs` in the model's order; `outputs` are indices, none for all. Throws Error: kInvalidArgument for a wrong
  // input, kCancelled after control->terminate(), kInternal when an operator fails.
  std::vector<ir::Tensor> run(std::span<const ir::Tensor> inputs, std::span<const size_t> outputs = {},
                              const RunControl* control = nullptr) const;
  // By name; `output_names` empty for all. Throws Error(kInvalidArgument) also for missing, unknown or repeated names.
  std::vector<NamedTensor> run(const std::vector<NamedTensor>& inputs,
                               const std::vector<std::string>& output_names = {},
                               const RunControl* control = nullptr) const;

  // Milliseconds of each node's runs until now, by its name; nothing is kept any more. With SessionOptions::profile.
  std::map<std::string, std::vector<double>> end_profile();

 private:
  struct Impl;
  explicit Session(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace onward::runtime
