// What a graph holds, as JSON for inspect and reports.
#pragma once

#include <filesystem>

#include "base/json.h"
#include "ir/graph.h"

namespace onward::tasks {

// [{name, dtype, shape}]; a dimension is a number, a name, or null.
Json describe_inputs(const ir::Graph& graph);
Json describe_outputs(const ir::Graph& graph);

// {"Conv": 23, …} with what lies in subgraphs; operators of other domains as "domain.Operator".
Json count_operators(const ir::Graph& graph);

// The same of the source framework's operators or layers that the nodes come from, each counted once.
Json count_source_operators(const ir::Graph& graph);

// The constants of the graph and its subgraphs.
struct Weights {
  size_t tensors = 0;
  size_t bytes = 0;
};
Weights count_weights(const ir::Graph& graph);

// Of a file, or of all files of a folder; 0 where there is none.
size_t bytes_on_disk(const std::filesystem::path& path);

}  // namespace onward::tasks
