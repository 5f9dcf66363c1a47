// Turns the graphs of a torch.export program into nodes: each call goes through the operator table, symbolic sizes are
// computed as the program computes them, and graphs within the graph (cond, while_loop, scan …) become If, Loop and
// Scan.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "formats/torch/exported_program.h"
#include "import/common/blockers.h"
#include "import/torch/export/symbols.h"
#include "import/torch/script/machine.h"
#include "ir/builder.h"

namespace onward::importer::exported {

using script::Items;
using script::Kwargs;
using script::Py;

class GraphReader : public script::Machine {
 public:
  GraphReader(ir::Builder& builder, Blockers& blockers, Symbols& symbols);

  // What the program's graph calls by a name that no node gives: its weights and constants, or the tensor that one of
  // them keeps as its attribute `part` (else ""). Asked once for each.
  using Source = std::function<std::optional<Py>(const std::string& name, const std::string& part)>;
  void read_missing_from(Source source) { source_ = std::move(source); }

  // Runs the nodes of `graph` with its inputs bound to `inputs`; gives its outputs. What can't be translated goes to
  // the blockers and stands as an untranslated node.
  Items run(const torchfile::ExportedGraph& graph, const Items& inputs);

  Py call_method(const Py& object, const std::string& name, Items args) override;
  std::shared_ptr<const ir::Origin> origin() const override;

 private:
  friend class HigherOrder;
  friend class Vmap;
  class Entered;

  // The names of one graph.
  struct Scope {
    const torchfile::ExportedGraph* graph = nullptr;
    std::map<std::string, Py> names;
    Scope* outer = nullptr;
  };

  void run_nodes(const std::vector<torchfile::ExportedNode>& nodes);
  void run_node(const torchfile::ExportedNode& node);
  // Does something for a node, whose errors become blockers and its results placeholders.
  void attempt(const torchfile::ExportedNode& node, const std::function<void()>& work);
  // Nothing where the node has no result that anything uses.
  std::optional<Py> call(const torchfile::ExportedNode& node);
  Py inner_tensor(const torchfile::ExportedNode& node);
  bool comes_from_offset(const torchfile::ExportedNode& node) const;
  Py call_named(const std::string& target, Items args, Kwargs kwargs);
  void arguments(const torchfile::ExportedNode& node, Items& args, Kwargs& kwargs);
  Py argument(const torchfile::ExportedArgument& argument);
  Py lookup(const std::string& name);
  void bind(const std::vector<torchfile::ExportedArgument>& outputs, const Py& result);
  void bind_one(const torchfile::ExportedArgument& output, const Py& result);
  // Completes what is known of a tensor with what the file says of it.
  Py described(const Py& tensor, const std::string& name);
  Py placeholder(const torchfile::ExportedNode& node);
  Py to_number(const Py& value);
  ir::DType result_dtype() const;

  Blockers& blockers_;
  Symbols& symbols_;
  Source source_;
  Scope* scope_ = nullptr;
  const torchfile::ExportedNode* node_ = nullptr;
  // The reduced type that the nodes of a wrap_with_autocast compute in.
  ir::DType autocast_ = ir::DType::kUndefined;
  int depth_ = 0;
};

}  // namespace onward::importer::exported
