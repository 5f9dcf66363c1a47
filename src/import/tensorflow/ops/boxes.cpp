// Boxes in images: cropping, non-maximum suppression.
#include <array>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;

// --- CropAndResize ---------------------------------------------------------------------------------------------------

// The positions along one axis that each box is read at: [boxes, crop].
Value* crop_positions(ir::Builder& b, Value* low, Value* high, Value* length, Value* crop) {
  Value* last = b.Cast(b.Sub(length, b.i64(1)), DType::kFloat);
  Value* steps = b.Sub(crop, b.i64(1));
  Value* scale = b.Div(b.Mul(b.Sub(high, low), last), b.Cast(b.Max(steps, b.i64(1)), DType::kFloat));
  Value* number = b.Cast(counting(b, crop), DType::kFloat);
  Value* spread = b.Add(b.Mul(b.Unsqueeze(low, {1}), last), b.Mul(number, b.Unsqueeze(scale, {1})));
  // One position is the middle.
  Value* middle = b.Mul(b.Mul(b.Add(low, high), 0.5), last);
  return b.Where(b.Greater(steps, b.i64(0)), spread, b.Unsqueeze(middle, {1}));
}

struct Corner {
  Value* image;  // [boxes]
  Value* rows;   // [boxes, crop height], int64
  Value* columns;
};
// [boxes, crop height, crop width, channels]
Value* picked(ir::Builder& b, Value* images, const Corner& at) {
  Value* image = b.Unsqueeze(at.image, {1, 2});
  Value* row = b.Unsqueeze(at.rows, {2});
  Value* column = b.Unsqueeze(at.columns, {1});
  Value* zero = b.Add(b.Mul(row, b.i64(0)), b.Mul(column, b.i64(0)));
  ir::Values parts;
  for (Value* part : {image, row, column}) parts.push_back(b.Unsqueeze(b.Add(part, zero), {-1}));
  return b.op("GatherND", {images, b.Concat(parts, -1)});
}

// CropAndResize(image: T, boxes: float, box_ind: int32, crop_size: int32, method: string = "bilinear",
// extrapolation_value: float = 0) -> crops: float
Value* crop_and_resize(Call& c) {
  ir::Builder& b = c.b;
  Value* images = b.Cast(c.input(0), DType::kFloat);
  Value* box = c.input(1);
  Value* crop = as_vector(b, c.input(3));
  const std::string method = c.text("method", "bilinear");
  c.require(method == "bilinear" || method == "nearest", "its method \"" + method + "\" is unknown");
  std::array<Value*, 2> at{};
  std::array<Value*, 2> limits{};
  std::array<Value*, 2> valid{};
  for (size_t i = 0; i < 2; ++i) {
    const auto axis = static_cast<int64_t>(i);
    Value* length = b.dim_scalar(images, axis + 1);
    at[i] = crop_positions(b, b.Select(box, axis, 1), b.Select(box, axis + 2, 1), length, b.Select(crop, axis, 0));
    limits[i] = b.Cast(b.Sub(length, b.i64(1)), DType::kFloat);
    valid[i] = b.And(b.GreaterOrEqual(at[i], b.number(0, DType::kFloat)), b.LessOrEqual(at[i], limits[i]));
    at[i] = b.Min(b.Max(at[i], 0.0), limits[i]);
  }
  Value* image = b.Cast(c.input(2), DType::kInt64);
  const auto whole = [&](Value* x) { return b.Cast(x, DType::kInt64); };
  Value* result = nullptr;
  if (method == "nearest") {
    // Halves go away from zero.
    result = picked(b, images, {image, whole(b.Floor(b.Add(at[0], 0.5))), whole(b.Floor(b.Add(at[1], 0.5)))});
  } else {
    const std::array<Value*, 2> low{b.Floor(at[0]), b.Floor(at[1])};
    const std::array<Value*, 2> high{b.Ceil(at[0]), b.Ceil(at[1])};
    Value* down = b.Unsqueeze(b.Sub(at[0], low[0]), {2, 3});
    Value* right = b.Unsqueeze(b.Sub(at[1], low[1]), {1, 3});
    const auto corner = [&](Value* y, Value* x) { return picked(b, images, {image, whole(y), whole(x)}); };
    const auto mixed = [&](Value* x, Value* y, Value* part) { return b.Add(x, b.Mul(b.Sub(y, x), part)); };
    Value* top = mixed(corner(low[0], low[1]), corner(low[0], high[1]), right);
    Value* bottom = mixed(corner(high[0], low[1]), corner(high[0], high[1]), right);
    result = mixed(top, bottom, down);
  }
  Value* all_valid = b.And(b.Unsqueeze(valid[0], {2, 3}), b.Unsqueeze(valid[1], {1, 3}));
  return b.Where(all_valid, result, b.number(c.number("extrapolation_value"), DType::kFloat));
}

// --- non-maximum suppression -----------------------------------------------------------------------------------------

Value* as_number(ir::Builder& b, Value* x) { return as_vector(b, x); }

// The indices of the chosen boxes, at most `limit` of them.
Value* suppressed(Call& c, Value* limit, Value* iou, Value* score) {
  ir::Builder& b = c.b;
  Value* boxes = b.Unsqueeze(b.Cast(c.input(0), DType::kFloat), {0});
  Value* scores = b.Unsqueeze(b.Cast(c.input(1), DType::kFloat), {0, 1});
  const auto single = [&](Value* x) {
    return x == nullptr ? nullptr : b.Reshape(b.Cast(x, DType::kFloat), std::vector<int64_t>{1});
  };
  Value* chosen = b.op("NonMaxSuppression", {boxes, scores, as_number(b, limit), single(iou), single(score)});
  return b.Cast(b.Select(chosen, 2, 1), DType::kInt32);
}

// NonMaxSuppression(boxes: float, scores: float, max_output_size: int32, iou_threshold: float = 0.5) ->
// selected_indices
Value* nms_v1(Call& c) {
  return suppressed(c, c.input(2), c.b.number(c.number("iou_threshold", 0.5), DType::kFloat), nullptr);
}
// NonMaxSuppressionV2(boxes: T, scores: T, max_output_size: int32, iou_threshold: T_threshold) -> selected_indices
Value* nms_v2(Call& c) { return suppressed(c, c.input(2), c.input(3), nullptr); }
// NonMaxSuppressionV3(…, score_threshold: T_threshold) -> selected_indices
Value* nms_v3(Call& c) { return suppressed(c, c.input(2), c.input(3), c.input(4)); }

Value* padded_to(ir::Builder& b, Value* x, Value* length) {
  Value* missing = b.Max(b.Sub(as_vector(b, length), b.Shape(x)), b.i64(0));
  return b.op("Pad", {x, b.Concat({b.ints({0}), missing}, 0)}, {{"mode", "constant"}});
}
// NonMaxSuppressionV4(…, pad_to_max_output_size: bool = false) -> selected_indices, valid_outputs
ir::Values nms_v4(Call& c) {
  ir::Builder& b = c.b;
  Value* chosen = suppressed(c, c.input(2), c.input(3), c.input(4));
  Value* count = b.Cast(b.Size(chosen), DType::kInt32);
  return {c.flag("pad_to_max_output_size") ? padded_to(b, chosen, c.input(2)) : chosen, count};
}
// NonMaxSuppressionV5(…, soft_nms_sigma: T, pad_to_max_output_size: bool = false) -> selected_indices, selected_scores,
// valid_outputs
ir::Values nms_v5(Call& c);

// CombinedNonMaxSuppression(boxes: float, scores: float, max_output_size_per_class: int32, max_total_size: int32,
// iou_threshold: float, score_threshold: float, pad_per_class: bool = false, clip_boxes: bool = true) -> nmsed_boxes,
// nmsed_scores, nmsed_classes, valid_detections
ir::Values combined_nms(Call& c) {
  ir::Builder& b = c.b;
  Value* boxes = c.input(0);                           // [batch, n, 1 or classes, 4]
  Value* scores = b.Transpose(c.input(1), {0, 2, 1});  // [batch, classes, n]
  Value* batch = b.dim(scores, 0);
  Value* classes = b.dim(scores, 1);
  Value* number = b.dim(scores, 2);
  Value* per_class = as_vector(b, c.input(2));
  const ir::Dim sets = boxes->dim(2);
  c.require(sets.is_known() || (classes->is_constant() && classes->constant()->as_int() == 1),
            "whether its boxes are the same for all classes is only known when the model runs");
  const bool shared = !sets.is_known() || sets.value() == 1;
  const auto one = [&](size_t i) { return b.Reshape(c.input(i), std::vector<int64_t>{1}); };
  // Where each class has boxes of its own, each pair of image and class is an image.
  Value* image_boxes =
      shared ? b.Squeeze(boxes, {2})
             : b.Reshape(b.Transpose(boxes, {0, 2, 1, 3}), b.Concat({b.ints({-1}), number, b.ints({4})}, 0));
  Value* image_scores = shared ? scores : b.Reshape(scores, b.Concat({b.ints({-1, 1}), number}, 0));
  Value* chosen = b.op("NonMaxSuppression", {image_boxes, image_scores, per_class, one(4), one(5)});
  // The chosen scores at their places, then the greatest of each image.
  const double nothing = lowest(DType::kFloat);
  Value* values = b.op("GatherND", {image_scores, chosen});
  Value* sparse = b.op("ScatterND", {b.Fill(b.Shape(image_scores), nothing, DType::kFloat), chosen, values});
  Value* flat = b.Reshape(sparse, b.Concat({batch, b.ints({-1})}, 0));
  Value* total = as_vector(b, c.input(3));
  if (c.flag("pad_per_class")) total = b.Min(total, b.Mul(per_class, classes));
  flat = b.op("Pad", {flat, b.Concat({b.ints({0, 0, 0}), total}, 0), b.number(nothing, DType::kFloat)},
              {{"mode", "constant"}});
  const ir::Values best = b.ops("TopK", {flat, total}, 2, {{"axis", 1}});
  Value* valid = b.Greater(best[0], b.number(nothing, DType::kFloat));
  Value* place = b.Where(valid, best[1], b.i64(0));
  Value* kind = b.Div(place, number);
  Value* at = b.Unsqueeze(b.Mod(place, number), {-1});
  if (!shared) at = b.Concat({at, b.Unsqueeze(kind, {-1})}, -1);
  Value* kept = b.op("GatherND", {shared ? b.Squeeze(boxes, {2}) : boxes, at}, {{"batch_dims", 1}});
  if (c.flag("clip_boxes", true)) kept = b.Clip(kept, b.number(0, DType::kFloat), b.number(1, DType::kFloat));
  const auto or_zero = [&](Value* x, Value* mask) { return b.Where(mask, x, b.number(0, DType::kFloat)); };
  return {or_zero(kept, b.Unsqueeze(valid, {-1})), or_zero(best[0], valid), or_zero(b.Cast(kind, DType::kFloat), valid),
          b.ReduceSum(b.Cast(valid, DType::kInt32), {1}, false)};
}

// Intersection over union of box `one` ([4]) with each of `boxes` ([n, 4]).
Value* overlaps(ir::Builder& b, Value* one, Value* boxes) {
  const auto edge = [&](Value* x, int64_t i, bool low) {
    Value* p = b.Select(x, i, -1);
    Value* q = b.Select(x, i + 2, -1);
    return low ? b.Min(p, q) : b.Max(p, q);
  };
  Value* common = nullptr;
  Value* area = nullptr;
  Value* own = nullptr;
  for (const int64_t i : {0, 1}) {
    Value* low = edge(boxes, i, true);
    Value* high = edge(boxes, i, false);
    Value* own_low = edge(one, i, true);
    Value* own_high = edge(one, i, false);
    Value* shared = b.Max(b.Sub(b.Min(high, own_high), b.Max(low, own_low)), 0.0);
    Value* side = b.Sub(high, low);
    Value* own_side = b.Sub(own_high, own_low);
    common = common == nullptr ? shared : b.Mul(common, shared);
    area = area == nullptr ? side : b.Mul(area, side);
    own = own == nullptr ? own_side : b.Mul(own, own_side);
  }
  Value* either = b.Sub(b.Add(area, own), common);
  Value* zero = b.number_like(0, either);
  return b.Where(b.LessOrEqual(b.Min(area, own), zero), zero,
                 b.Div(common, b.Where(b.Equal(either, zero), b.number_like(1, either), either)));
}

// One box after another: the best of those left, whose neighbours then count less, however much they overlap.
ir::Values soft_suppressed(Call& c, double sigma) {
  ir::Builder& b = c.b;
  Value* boxes = b.Cast(c.input(0), DType::kFloat);
  Value* scores = b.Cast(c.input(1), DType::kFloat);
  Value* threshold = as_scalar(b, b.Cast(c.input(4), DType::kFloat));
  Value* nothing = b.number(lowest(DType::kFloat), DType::kFloat);
  Value* left = b.Where(b.Greater(scores, threshold), scores, nothing);
  const auto more = [&](ir::Builder& inner, Value* rest) {
    Value* best = inner.ReduceMax(inner.op("Concat", {rest, inner.Unsqueeze(nothing, {0})}, {{"axis", 0}}), {0}, false);
    return inner.Greater(best, nothing);
  };
  const ir::Values results = b.Loop(
      as_scalar(b, b.Cast(c.input(2), DType::kInt64)), more(b, left), {left},
      [&](ir::Builder& inner, Value*, Value*, const ir::Values& carried) -> ir::Builder::LoopResult {
        Value* rest = carried[0];
        Value* best = inner.op("ArgMax", {rest}, {{"axis", 0}, {"keepdims", 0}});
        Value* score = inner.Gather(rest, best, 0);
        Value* overlap = overlaps(inner, inner.Gather(boxes, best, 0), boxes);
        Value* weight = inner.Exp(inner.Mul(inner.Mul(overlap, overlap), -0.5 / sigma));
        Value* lower = inner.Mul(rest, weight);
        Value* alive = inner.Greater(lower, threshold);
        Value* index = counting(inner, inner.Shape(rest));
        Value* others = inner.And(alive, inner.Not(inner.Equal(index, best)));
        Value* next = inner.Where(others, lower, nothing);
        return {more(inner, next), {next}, {inner.Cast(best, DType::kInt32), score}};
      },
      2);
  return {results[1], results[2]};
}

ir::Values nms_v5(Call& c) {
  ir::Builder& b = c.b;
  const double sigma = c.constant_number(5, "soft_nms_sigma");
  ir::Values found;
  if (sigma > 0) {
    found = soft_suppressed(c, sigma);
  } else {
    Value* chosen = suppressed(c, c.input(2), c.input(3), c.input(4));
    found = {chosen, b.Gather(c.input(1), chosen, 0)};
  }
  Value* count = b.Cast(b.Size(found[0]), DType::kInt32);
  if (c.flag("pad_to_max_output_size")) {
    for (Value*& value : found) value = padded_to(b, value, c.input(2));
  }
  return {found[0], b.Cast(found[1], c.input(1)->dtype), count};
}

}  // namespace

void register_boxes(OpTable& t) {
  t.add("CropAndResize", crop_and_resize);
  t.add("NonMaxSuppression", nms_v1);
  t.add("NonMaxSuppressionV2", nms_v2);
  t.add("NonMaxSuppressionV3", nms_v3);
  t.add("NonMaxSuppressionV4 -> selected_indices, valid_outputs", nms_v4);
  t.add("NonMaxSuppressionV5 -> selected_indices, selected_scores, valid_outputs", nms_v5);
  t.add("CombinedNonMaxSuppression -> nmsed_boxes, nmsed_scores, nmsed_classes, valid_detections", combined_nms);
}

}  // namespace onward::importer::tf
