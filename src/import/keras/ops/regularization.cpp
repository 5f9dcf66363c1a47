// Layers that act only in training: at inference they give back their input.
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

ir::Values identity(Context& ctx) { return {ctx.x()}; }

}  // namespace

void register_regularization(OpTable& table) {
  for (const char* name : {"ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
                           "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"}) {
    table.add(name, {identity, nullptr, Masking::kPassed});
  }
}

}  // namespace onward::importer::keras
