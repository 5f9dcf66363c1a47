// Image preprocessing: Rescaling, Resizing, CenterCrop, AutoContrast, and the random layers, which change nothing at
// inference.
#include <cmath>
#include <limits>

#include "import/common/resize.h"
#include "import/keras/context.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/aspect.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

int64_t height_axis(const Context& ctx, const Value* x) {
  return static_cast<int64_t>(x->rank()) - (ctx.channels_first() ? 2 : 3);
}

Value* computed(const Context& ctx, Value* x) { return ctx.b.Cast(x, ctx.compute_dtype()); }

// Rescaling(scale, offset=0.0): numbers, or lists for the channels
ir::Values rescaling(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = computed(ctx, ctx.x());
  const auto constant = [&](const Json& json) -> Value* {
    const Json& given = json.is_object() && json.contains("config") ? json["config"]["value"] : json;
    if (!given.is_array()) return b.number_like(given.as_double(), x);
    std::vector<double> numbers;
    for (const Json& item : given.as_array()) numbers.push_back(item.as_double());
    const ir::Dims dims{static_cast<int64_t>(numbers.size())};
    Value* list = b.constant(ir::Tensor::from_doubles(x->dtype, dims, numbers));
    return ctx.config.get("data_format", "channels_last") == "channels_first" && numbers.size() > 1
               ? b.Reshape(list, {-1, 1, 1})
               : list;
  };
  Value* y = b.Mul(x, constant(ctx.config.at("scale")));
  const Json& offset = ctx.config["offset"];
  if (offset.is_null() || (offset.is_number() && offset.as_double() == 0)) return {y};
  return {b.Add(y, constant(offset))};
}

// Keras 3 gives whole numbers back where it got them.
Value* as_given(const Context& ctx, Value* y) {
  Builder& b = ctx.b;
  const DType dtype = ctx.x()->dtype;
  if (ctx.session.legacy || !ir::is_integer(dtype) || ir::dtype_bits(dtype) > 32) return y;
  const auto bits = static_cast<int>(ir::dtype_bits(dtype)) - (ir::is_signed_integer(dtype) ? 1 : 0);
  const double most = std::ldexp(1.0, bits) - 1;
  Value* low = b.number_like(ir::is_signed_integer(dtype) ? -most - 1 : 0, y);
  return b.Cast(b.Clip(b.Round(y), low, b.number_like(most, y)), dtype);
}

// Resizing(height, width, interpolation="bilinear", crop_to_aspect_ratio=False, pad_to_aspect_ratio=False,
// antialias=False)
ir::Values resizing(Context& ctx) {
  Builder& b = ctx.b;
  const Json& c = ctx.config;
  Value* x = computed(ctx, ctx.x());
  const int64_t height = c.at("height").as_int();
  const int64_t width = c.at("width").as_int();
  const int64_t axis = height_axis(ctx, x);
  ctx.require(axis >= 0 && height > 0 && width > 0, "needs an image and a size");
  const std::string method = c.get("interpolation", "bilinear");
  ctx.require(is_resize_method(method), "interpolation \"" + method + "\" is unknown");
  if (c.get("crop_to_aspect_ratio", false)) x = cropped_to_aspect(b, x, axis, height, width);
  if (c.get("pad_to_aspect_ratio", false)) x = padded_to_aspect(b, x, axis, height, width, c.get("fill_value", 0.0));
  Value* y = resize_image(b, x, axis, axis + 1, b.ints({height, width}), method, c.get("antialias", false));
  return {as_given(ctx, y)};
}

// The middle of an image that is large enough; a smaller one is cut to the aspect ratio and enlarged.
Value* center_cropped(const Context& ctx, Value* x) {
  Builder& b = ctx.b;
  const int64_t height = ctx.config.at("height").as_int();
  const int64_t width = ctx.config.at("width").as_int();
  const int64_t axis = height_axis(ctx, x);
  ctx.require(axis >= 0, "needs an image");
  const struct {
    Value* height;
    Value* width;
  } size{b.dim_scalar(x, axis), b.dim_scalar(x, axis + 1)};
  const auto half = [](Builder& inner, Value* v) { return inner.Div(v, inner.i64(2)); };
  Value* large = b.And(b.GreaterOrEqual(size.height, b.i64(height)), b.GreaterOrEqual(size.width, b.i64(width)));
  const auto cut = [&](Builder& inner) {
    Value* top = half(inner, inner.Sub(size.height, inner.i64(height)));
    Value* left = half(inner, inner.Sub(size.width, inner.i64(width)));
    Value* ends = inner.join({inner.Add(top, inner.i64(height)), inner.Add(left, inner.i64(width))});
    return ir::Values{inner.Slice(x, inner.join({top, left}), ends, inner.ints({axis, axis + 1}))};
  };
  const auto enlarged = [&](Builder& inner) {
    Value* part = cropped_to_aspect(inner, x, axis, height, width);
    return ir::Values{resize_image(inner, part, axis, axis + 1, inner.ints({height, width}), "bilinear", false)};
  };
  return b.If(large, cut, enlarged).front();
}

ir::Values center_crop(Context& ctx) { return {center_cropped(ctx, computed(ctx, ctx.x()))}; }

// RandomCrop(height, width): at inference Keras 3 gives the image back, Keras 2 fits it.
ir::Values random_crop(Context& ctx) {
  if (!ctx.session.legacy) return {ctx.x()};
  Builder& b = ctx.b;
  Value* x = computed(ctx, ctx.x());
  const int64_t axis = height_axis(ctx, x);
  const int64_t height = ctx.config.at("height").as_int();
  const int64_t width = ctx.config.at("width").as_int();
  Value* part = cropped_to_aspect(b, x, axis, height, width);
  return {resize_image(b, part, axis, axis + 1, b.ints({height, width}), "bilinear", false)};
}

// AutoContrast(value_range=(0, 255)): each channel stretched over the whole range
ir::Values auto_contrast(Context& ctx) {
  Builder& b = ctx.b;
  Value* original = computed(ctx, ctx.x());
  const Json& range = ctx.config["value_range"];
  const double from = range.is_array() ? range[size_t{0}].as_double() : 0;
  const double to = range.is_array() ? range[size_t{1}].as_double() : 255;
  Value* x = b.Mul(b.Sub(original, from), 255 / (to - from));
  const auto rank = static_cast<int64_t>(x->rank());
  const std::vector<int64_t> axes{rank - 3, rank - 2};
  Value* low = b.ReduceMin(x, axes);
  Value* scale = b.Div(b.number_like(255, x), b.Sub(b.ReduceMax(x, axes), low));
  Value* stretched = b.Add(b.Mul(x, scale), b.Mul(b.Neg(low), scale));
  Value* clipped = b.Min(b.Max(stretched, 0.0), 255.0);
  Value* back = b.Add(b.Mul(clipped, (to - from) / 255), from);
  return {b.Where(b.IsNaN(back), original, back)};
}

// Random layers cast to their dtype but change nothing.
ir::Values unchanged(Context& ctx) { return {computed(ctx, ctx.x())}; }

}  // namespace

void register_image(OpTable& table) {
  table.add("Rescaling", {rescaling});
  table.add("Resizing", {resizing});
  table.add("CenterCrop", {center_crop});
  table.add("AutoContrast", {auto_contrast});
  table.add("RandomCrop", {random_crop});
  for (const char* name : {"AugMix",
                           "CutMix",
                           "MixUp",
                           "RandAugment",
                           "RandomBrightness",
                           "RandomColorDegeneration",
                           "RandomColorJitter",
                           "RandomContrast",
                           "RandomElasticTransform",
                           "RandomErasing",
                           "RandomFlip",
                           "RandomGaussianBlur",
                           "RandomGrayscale",
                           "RandomHeight",
                           "RandomHue",
                           "RandomInvert",
                           "RandomPerspective",
                           "RandomPosterization",
                           "RandomRotation",
                           "RandomSaturation",
                           "RandomSharpness",
                           "RandomShear",
                           "RandomTranslation",
                           "RandomWidth",
                           "RandomZoom",
                           "Solarization"}) {
    table.add(name, {unchanged, nullptr, Masking::kDropped, nullptr, "identity at inference"});
  }
}

}  // namespace onward::importer::keras
