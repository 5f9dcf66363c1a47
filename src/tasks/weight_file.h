// Weights that a long job need not keep in memory.
#pragma once

#include <optional>

#include "base/temporary_folder.h"
#include "export/onnx_writer.h"
#include "runtime/session.h"

namespace onward::tasks {

// A temporary file with a model's weights, under $TMPDIR or /tmp: what no one looks at takes no memory.
class WeightFile {
 public:
  // Moves the weights of `model` into the file; its constants are views of it from now on, and outlive this object.
  // Nothing is written for a model with few weights. Throws Error with the system's reason.
  explicit WeightFile(ir::Model& model, int opset);

  // A session of a graph at hand; ONNX Runtime maps what lies in the file, and reads other weights where they are.
  runtime::Session open(ir::Model& model, const std::string& name, const runtime::SessionOptions& session) const;

 private:
  int opset_;
  std::optional<TemporaryFolder> folder_;
  std::optional<exporter::DataFile> file_;
};

}  // namespace onward::tasks
