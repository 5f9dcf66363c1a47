// Walks a Keras model's layers and calls their translators.
#pragma once

#include "import/keras/config.h"
#include "import/keras/context.h"
#include "import/keras/session.h"
#include "ir/builder.h"

namespace onward::importer::keras {

class GraphBuilder {
 public:
  explicit GraphBuilder(Session& session) : session_(session), b_(session.b) {}

  // The model's outputs for these inputs. `path` is the model's own, "" for the outermost.
  ir::Values build(const Model& model, const ir::Values& inputs, const std::string& path);
  // One call of a layer, whose weights are kept under `path`.
  ir::Values call(const Layer& layer, const Call& call, const std::string& path, const Resolve& resolve);

 private:
  ir::Values build_sequential(const Model& model, const ir::Values& inputs, const std::string& path);
  ir::Values build_functional(const Model& model, const ir::Values& inputs, const std::string& path);
  ir::Values call_model(const Layer& layer, const Call& call, const std::string& path, const Resolve& resolve);
  ir::Values translate(const Layer& layer, const Call& call, const std::string& path, const Resolve& resolve);
  ir::Values block(const Layer& layer, const std::string& path, const Error& error);

  Session& session_;
  ir::Builder& b_;
};

}  // namespace onward::importer::keras
