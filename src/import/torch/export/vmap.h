// torch.vmap as it stands in exported programs that were not decomposed: nodes between _vmap_increment_nesting and
// _vmap_decrement_nesting see one element of each tensor that _add_batch_dim gives them.
#pragma once

#include <string>
#include <vector>

#include "import/torch/export/graph_reader.h"

namespace onward::importer::exported {

class Vmap {
 public:
  static bool begins(const torchfile::ExportedNode& node);
  // The region of the vmap that begins at `nodes[begin]`. Throws Error(kUnimplemented) where it has no end.
  Vmap(GraphReader& reader, const std::vector<torchfile::ExportedNode>& nodes, size_t begin);
  // The place of its last node.
  size_t end() const { return end_; }
  void run();

 private:
  using Node = torchfile::ExportedNode;

  bool is_elementwise() const;
  void run_elementwise();
  void run_as_scan();
  // The region's own nodes, without those that begin, end, add and remove.
  void run_body();
  ir::Value* batch_first(const Node& added);
  void give_back(const Node& removed, ir::Value* value);

  GraphReader& reader_;
  const std::vector<Node>& nodes_;
  size_t begin_;
  size_t end_ = 0;
  std::vector<const Node*> added_;
  std::vector<const Node*> removed_;
};

}  // namespace onward::importer::exported
