// What a layer's translator sees: its config, its inputs, their masks, its weights, and the builder.
#pragma once

#include <string>

#include "import/keras/config.h"
#include "import/keras/session.h"
#include "ir/builder.h"

namespace onward::importer::keras {

class GraphBuilder;

// Finds the value of a tensor reference.
using Resolve = std::function<ir::Value*(const TensorRef&)>;

class Context {
 public:
  Context(GraphBuilder& driver, Session& session, const Layer& layer, const Call& call, std::string path,
          Resolve resolve)
      : b(session.b),
        layer(layer),
        config(layer.config),
        session(session),
        driver_(driver),
        call_(call),
        path_(std::move(path)),
        resolve_(std::move(resolve)) {}

  ir::Builder& b;
  const Layer& layer;
  const Json& config;
  Session& session;

  // The first argument, which must be one tensor.
  ir::Value* x() const;
  // The tensors of the first argument, a list of them or one.
  ir::Values inputs() const;
  // Argument `index` or, by name, a keyword argument, where it is a tensor; null where it is absent or None.
  ir::Value* tensor(size_t index, std::string_view name) const;
  // The tensors in such an argument, in order.
  ir::Values tensors(size_t index, std::string_view name) const;
  // The keyword or positional argument as JSON, null where absent.
  const Json& argument(size_t index, std::string_view name) const;
  bool flag(size_t index, std::string_view name, bool fallback) const;
  // A tensor reference's value.
  ir::Value* resolve(const Json& tensor) const { return resolve_(read_tensor_ref(tensor)); }

  // The mask that came with a value, or null.
  ir::Value* mask_of(const ir::Value* value) const;
  // The mask of the call: the argument `mask` where there is one, else the one that came with the first input.
  ir::Value* mask() const;
  void set_mask(const ir::Value* value, ir::Value* mask) const;

  // The layer's variable as a constant named "<layer>/<variable>", floating ones in the layer's dtype. Throws
  // Error(kDataLoss) when the file lacks it.
  ir::Value* weight(const std::string& name, const std::string& child = {}) const;
  bool has_weight(const std::string& name, const std::string& child = {}) const;
  const ir::Tensor& weight_tensor(const std::string& name, const std::string& child = {}) const;
  // What the layer computes in.
  ir::DType compute_dtype() const;
  // A text file that the archive keeps for the layer, or nothing.
  std::optional<std::string> asset(const std::string& file) const;

  // Another layer that this one holds in the attribute `child`, called with `inputs` (a list argument where `list`).
  ir::Values apply(const Layer& inner, const std::string& child, const ir::Values& inputs, bool list = false) const;

  bool channels_first() const { return config.get("data_format", "channels_last") == "channels_first"; }
  // A config value that is an integer or a list of `count` of them.
  std::vector<int64_t> ints(std::string_view key, size_t count, int64_t fallback = 1) const;

  // Throws Error(kUnimplemented, "[<class>] <message>") unless `condition` holds.
  void require(bool condition, const std::string& message, const std::string& hint = {}) const;

 private:
  GraphBuilder& driver_;
  const Call& call_;
  std::string path_;
  Resolve resolve_;
};

// The dtype a layer computes in by its policy; kUndefined where it has none. bfloat16, which ONNX Runtime's CPU kernels
// lack, is computed in float32.
ir::DType compute_dtype_of(const Layer& layer);

// Keras' activation function by config: a name, a serialized object, or null for linear. `x`'s last axis is the feature
// axis. Throws Error(kUnimplemented) where it is not a built-in one. `legacy`: as Keras 2 defines it.
ir::Value* activate(ir::Builder& b, const Json& activation, ir::Value* x, bool legacy = false);
ir::Value* activate(const Context& ctx, const Json& activation, ir::Value* x);

// A tensor reference to output `index` of a call that has no name, as apply() makes them.
Json anonymous_tensor(size_t index);

}  // namespace onward::importer::keras
