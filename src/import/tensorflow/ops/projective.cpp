// Images through projective maps.
#include "import/common/projective.h"

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// ImageProjectiveTransformV3(images: dtype, transforms: float, output_shape: int32, fill_value: float,
//                            interpolation: string, fill_mode: string = "CONSTANT") -> transformed_images
Value* project(Call& c) {
  Value* fill = c.input_count() > 3 ? as_scalar(c.b, c.input(3)) : c.b.number(0, DType::kFloat);
  return projected(c.b, c.input(0), c.input(1), c.b.Cast(c.input(2), DType::kInt64), c.text("interpolation"),
                   c.text("fill_mode", "CONSTANT"), fill);
}

}  // namespace

void register_projective(OpTable& t) {
  t.add("ImageProjectiveTransformV2", project);
  t.add("ImageProjectiveTransformV3", project);
}

}  // namespace onward::importer::tf
