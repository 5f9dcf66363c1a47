#include "passes/pipeline.h"

#include <array>

#include "passes/passes.h"

namespace onward::passes {
namespace {

// Every pass may rely on those before it:
constexpr std::array kPipeline = {
    // First, so that no later pass looks at what will go anyway.
    Pass{"dead_code", eliminate_dead_code},
    // Before all pattern matching: patterns expect plain constants where a file has them computed.
    Pass{"constant_folding", fold_constants},
    // Before all pattern matching: no-ops between two operators hide patterns.
    Pass{"identity_removal", remove_identities},
    // Before passes that ask for shapes: what the first ones made plainer may tell more of them.
    Pass{"infer_shapes", infer_shapes},
    // Before all patterns of views, which want to see where they lead.
    Pass{"plain_targets", plain_targets},
    // Before patterns count uses: a value computed twice is one value with two uses.
    Pass{"duplicates", merge_duplicates},
    // Before sinking: a pattern's operators may end up on both sides of a transpose.
    Pass{"fuse_activations", fuse_activations},
    Pass{"fuse_normalizations", fuse_normalizations},
    // Before merging, which takes the transposes that a product needs together with those around it.
    Pass{"einsum", einsum_to_matmul},
    // Before sinking: reshapes stand in its way.
    Pass{"unflatten", multiply_unflattened},
    // Before sinking, so that it sees each change of order as one transpose.
    Pass{"merge_views", merge_views},
    // After shapes are known: whether an operator can move depends on ranks, and the price on sizes.
    Pass{"sink_transposes", sink_transposes},
    // What sinking brought together cancels.
    Pass{"merge_views", merge_views},
    Pass{"identity_removal", remove_identities},
    // Sinking adapts each node's axes on its own.
    Pass{"duplicates", merge_duplicates},
    // After sinking, which puts convolutions next to what follows them. A bias that was an Add joins its convolution,
    // then a normalization both.
    Pass{"fuse_gemm", fuse_gemm},
    Pass{"fold_affine", fold_affine},
    // What found no weights to fold into.
    Pass{"channel_affine", channel_affine},
    Pass{"fold_pad", fold_pad},
    // After folding, which gathers constant strings itself.
    Pass{"string_gather", gather_strings},
    // After everything that looks for transposes; before merging, since it may put a reshape beside another.
    Pass{"still_transposes", still_transposes},
    // After everything that looks for patterns: the casts it puts around operators would hide them.
    Pass{"kernel_types", cast_around_kernels},
    // Casts that follow one another become one.
    Pass{"merge_views", merge_views},
    Pass{"identity_removal", remove_identities},
    // Last: drops what the others left without use.
    Pass{"dead_code", eliminate_dead_code},
};

}  // namespace

std::span<const Pass> pipeline() { return kPipeline; }

const Pass* find_pass(std::string_view name) {
  for (const Pass& pass : kPipeline) {
    if (name == pass.name) return &pass;
  }
  return nullptr;
}

std::vector<PassRun> optimize(ir::Graph& graph, const ir::Inference& inference) {
  std::vector<PassRun> runs;
  for (const Pass& pass : kPipeline) {
    const bool changed = pass.run(graph, inference);
    runs.push_back({pass.name, changed, graph.nodes().size()});
  }
  return runs;
}

}  // namespace onward::passes
