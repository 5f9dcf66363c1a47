// What a layer's translator sees: its config, its inputs, its weights, and the builder.
#pragma once

#include <map>
#include <string>

#include "import/keras/config.h"
#include "import/keras/weights.h"
#include "ir/builder.h"

namespace onward::importer::keras {

// Finds the value of a tensor reference.
using Resolve = std::function<ir::Value*(const TensorRef&)>;

class Context {
 public:
  Context(ir::Builder& builder, const Layer& layer, const Call& call, std::string path, const Weights& weights,
          std::map<std::string, ir::Value*>& weight_values, Resolve resolve)
      : b(builder),
        layer(layer),
        config(layer.config),
        call_(call),
        path_(std::move(path)),
        weights_(weights),
        weight_values_(weight_values),
        resolve_(std::move(resolve)) {}

  ir::Builder& b;
  const Layer& layer;
  const Json& config;

  // The first argument, which must be one tensor.
  ir::Value* x() const;
  // The tensors of the first argument, a list of them or one.
  ir::Values inputs() const;
  // Argument `index` or, by name, a keyword argument, where it is a tensor; null where it is absent or None.
  ir::Value* tensor(size_t index, std::string_view name) const;
  // The keyword or positional argument as JSON, null where absent.
  const Json& argument(size_t index, std::string_view name) const;

  // The layer's variable as a constant named "<layer>/<variable>". Throws Error(kDataLoss) when the file lacks it.
  ir::Value* weight(const std::string& name, const std::string& child = {}) const;
  bool has_weight(const std::string& name, const std::string& child = {}) const;
  const ir::Tensor& weight_tensor(const std::string& name, const std::string& child = {}) const;

  bool channels_first() const { return config.get("data_format", "channels_last") == "channels_first"; }
  // A config value that is an integer or a list of `count` of them.
  std::vector<int64_t> ints(std::string_view key, size_t count, int64_t fallback = 1) const;

  // Throws Error(kUnimplemented, "[<class>] <message>") unless `condition` holds.
  void require(bool condition, const std::string& message, const std::string& hint = {}) const;

 private:
  const Call& call_;
  std::string path_;
  const Weights& weights_;
  std::map<std::string, ir::Value*>& weight_values_;
  Resolve resolve_;
};

// Keras' activation function by config: a name, a serialized object, or null for linear. `x`'s last axis is the feature
// axis.
ir::Value* activate(const Context& ctx, const Json& activation, ir::Value* x);

}  // namespace onward::importer::keras
