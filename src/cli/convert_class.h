// `convert --class`: from a class and its weights to a graph, through the user's own Python.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/temporary_folder.h"
#include "bridge/bridge.h"
#include "convert/convert.h"
#include "runtime/compare.h"

namespace onward::cli {

struct ClassArguments {
  std::string reference;  // "module:Class"; empty: not used
  std::string python = "python3";
  bool unchecked = false;
};

// What the bridge left, for as long as this lives.
class ExportedClass {
 public:
  // `inputs` are the user's --input texts. Throws Error when the bridge fails.
  ExportedClass(const ClassArguments& arguments, const std::string& weights, const std::vector<std::string>& inputs);

  const bridge::Exported& exported() const { return exported_; }
  // The exported program as a graph.
  ir::Model import() const;
  // Runs the graph on the recorded inputs; throws Error(kInternal) naming the first value that differs.
  std::vector<runtime::Comparison> verify(ir::Model& model, int opset) const;

 private:
  TemporaryFolder folder_;
  std::string weights_;
  bridge::Exported exported_;
};

}  // namespace onward::cli
