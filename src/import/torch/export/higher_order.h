// Operators that take graphs: torch.ops.higher_order.cond, while_loop, scan, map and those that only wrap a part of the
// program.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/torch/export/graph_reader.h"

namespace onward::importer::exported {

class HigherOrder {
 public:
  static bool handles(const std::string& target);
  HigherOrder(GraphReader& reader, const torchfile::ExportedNode& node) : reader_(reader), node_(node) {}
  std::optional<Py> run();

 private:
  using Graph = torchfile::ExportedGraph;

  bool hangs_on_untranslated();
  Py run_for_blockers();
  Py cond();
  Py while_loop();
  Py scan();
  Py map();
  Py associative_scan();
  Py wrapped(size_t operands_from);
  Py with_autocast();
  std::optional<Py> with_effects();

  const torchfile::ExportedArgument& input(size_t index) const;
  const Graph& graph(size_t index) const;
  // The index of the first graph among the inputs.
  size_t first_graph() const;
  // The inputs from `first` on, lists flattened.
  Items operands(size_t first) const;
  Items operands_but_graphs() const;
  Items list(size_t index) const;
  // The lists among the inputs behind `first`, in order: scan's state, sequences and further inputs.
  std::vector<Items> lists(size_t first) const;

  // Runs a graph into `builder`, which builds a subgraph of the reader's.
  ir::Values run_inside(ir::Builder& builder, const Graph& graph, const Items& inputs);
  ir::Values values(const Items& items);
  static Items tensors(const ir::Values& values);
  // Tensors, or numbers where `like` has numbers.
  static Items like(const Items& like, const ir::Values& values);
  Py scan_over(const Graph& graph, const Items& state, Items sequences, const Items& further, bool reverse);

  GraphReader& reader_;
  const torchfile::ExportedNode& node_;
};

}  // namespace onward::importer::exported
