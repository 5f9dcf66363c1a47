// torchvision's operators for detection: roi_align, nms.
#include <algorithm>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// Regions are rows of batch index, x1, y1, x2, y2.
Value* roi_align(Call& c) {
  ir::Builder& b = c.b;
  Value* rois = c.tensor("rois");
  Value* batch = b.Cast(b.Select(rois, 0, 1), DType::kInt64);
  return b.op("RoiAlign", {c.tensor("input"), b.Slice(rois, 1, kToEnd, 1), batch},
              {{"coordinate_transformation_mode", c.flag("aligned") ? "half_pixel" : "output_half_pixel"},
               {"output_height", c.integer("pooled_height")},
               {"output_width", c.integer("pooled_width")},
               {"sampling_ratio", std::max<int64_t>(0, c.integer("sampling_ratio"))},
               {"spatial_scale", c.number("spatial_scale")}});
}

// The boxes that no better one covers, best first.
Value* nms(Call& c) {
  ir::Builder& b = c.b;
  Value* boxes = b.Unsqueeze(c.tensor("dets"), {0});
  Value* scores = b.Unsqueeze(c.tensor("scores"), {0, 1});
  Value* kept = b.op("NonMaxSuppression",
                     {boxes, scores, b.dim(boxes, 1), b.Reshape(c.scalar("iou_threshold", DType::kFloat), {1})});
  return b.Select(kept, 2, 1);
}

}  // namespace

void register_detection(OpTable& t) {
  t.add(
      "torchvision::roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt "
      "pooled_width, "
      "int sampling_ratio, bool aligned) -> Tensor",
      roi_align);
  t.add("torchvision::nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor", nms);
}

}  // namespace onward::importer::torch
