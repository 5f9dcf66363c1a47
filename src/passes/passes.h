// The passes, by name. Each keeps what the graph computes, says true when it changed something, and is described at the
// top of its file.
#pragma once

#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::passes {

bool cast_around_kernels(ir::Graph& graph, const ir::Inference& inference);
bool channel_affine(ir::Graph& graph, const ir::Inference& inference);
bool einsum_to_matmul(ir::Graph& graph, const ir::Inference& inference);
bool eliminate_dead_code(ir::Graph& graph, const ir::Inference& inference);
bool fold_affine(ir::Graph& graph, const ir::Inference& inference);
bool fold_constants(ir::Graph& graph, const ir::Inference& inference);
bool fold_pad(ir::Graph& graph, const ir::Inference& inference);
bool fuse_gemm(ir::Graph& graph, const ir::Inference& inference);
bool fuse_activations(ir::Graph& graph, const ir::Inference& inference);
bool fuse_normalizations(ir::Graph& graph, const ir::Inference& inference);
bool gather_strings(ir::Graph& graph, const ir::Inference& inference);
// For convert --layout nchw; changes the model's interface, so it is no part of the pipeline.
bool images_to_channels_first(ir::Graph& graph, const ir::Inference& inference);
bool infer_shapes(ir::Graph& graph, const ir::Inference& inference);
bool merge_duplicates(ir::Graph& graph, const ir::Inference& inference);
bool merge_views(ir::Graph& graph, const ir::Inference& inference);
bool remove_identities(ir::Graph& graph, const ir::Inference& inference);
bool multiply_unflattened(ir::Graph& graph, const ir::Inference& inference);
bool plain_targets(ir::Graph& graph, const ir::Inference& inference);
bool sink_transposes(ir::Graph& graph, const ir::Inference& inference);
bool still_transposes(ir::Graph& graph, const ir::Inference& inference);

}  // namespace onward::passes
