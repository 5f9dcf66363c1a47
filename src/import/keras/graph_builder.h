// Walks a Keras model's layers and calls their translators.
#pragma once

#include "import/common/blockers.h"
#include "import/keras/config.h"
#include "import/keras/weights.h"
#include "ir/builder.h"

namespace onward::importer::keras {

class GraphBuilder {
 public:
  GraphBuilder(ir::Builder& builder, const Weights& weights, Blockers& blockers)
      : b_(builder), weights_(weights), blockers_(blockers) {}

  // The model's outputs for these inputs. `path` is the model's own, "" for the outermost.
  ir::Values build(const Model& model, const ir::Values& inputs, const std::string& path);

 private:
  ir::Values build_sequential(const Model& model, const ir::Values& inputs, const std::string& path);
  ir::Values build_functional(const Model& model, const ir::Values& inputs, const std::string& path);
  ir::Values call(const Layer& layer, const Call& call, const std::string& path,
                  const std::function<ir::Value*(const TensorRef&)>& resolve);
  ir::Values block(const Layer& layer, const std::string& path, const Error& error);

  ir::Builder& b_;
  const Weights& weights_;
  Blockers& blockers_;
  std::map<std::string, ir::Value*> weight_values_;
};

}  // namespace onward::importer::keras
