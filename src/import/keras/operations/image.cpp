// keras.ops.image: colours, crops, patches, filters, geometry.
#include <cmath>
#include <numbers>

#include "import/common/arithmetic.h"
#include "import/common/axes.h"
#include "import/common/color.h"
#include "import/common/folding.h"
#include "import/common/projective.h"
#include "import/common/solving.h"
#include "import/keras/operations.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// `work` on images [n, h, w, c], whatever the layout and with or without a batch.
template <class Work>
Value* on_images(const Arguments& a, Value* x, const Work& work) {
  Builder& b = a.b;
  const bool single = x->rank() == 3;
  a.require(single || x->rank() == 4, "needs an image or a batch of them");
  if (single) x = b.Unsqueeze(x, {0});
  if (a.channels_first()) x = b.Transpose(x, {0, 2, 3, 1});
  x = work(x);
  if (a.channels_first()) x = b.Transpose(x, {0, 3, 1, 2});
  return single ? b.Squeeze(x, {0}) : x;
}

// --- colours ---------------------------------------------------------------------------------------------------------

template <bool ToHsv>
ir::Values colours(const Arguments& a) {
  Builder& b = a.b;
  return {on_images(a, floating(b, a.value("images")),
                    [&](Value* x) { return ToHsv ? joined(b, to_hsv(b, x)) : to_rgb(b, split_hsv(b, x)); })};
}

// --- size ------------------------------------------------------------------------------------------------------------

int64_t height_axis(const Arguments& a, const Value* x) {
  return static_cast<int64_t>(x->rank()) - (a.channels_first() ? 2 : 3);
}

// crop_images(images, top_cropping, left_cropping, bottom_cropping, right_cropping, target_height, target_width): of
// each axis two of the three numbers
ir::Values crop(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("images");
  const int64_t axis = height_axis(a, x);
  const auto part = [&](const char* before, const char* after, const char* target, int64_t along) {
    Value* size = b.dim(x, along);
    const auto number = [&](const char* name) { return b.ints({a.integer(name, 0)}); };
    Value* start = a.has(before) ? number(before) : b.Sub(b.Sub(size, number(target)), number(after));
    Value* length = a.has(target) ? number(target) : b.Sub(b.Sub(size, number(after)), number(before));
    x = b.Slice(x, start, b.Add(start, length), b.ints({along}));
  };
  part("top_cropping", "bottom_cropping", "target_height", axis);
  part("left_cropping", "right_cropping", "target_width", axis + 1);
  return {x};
}

// pad_images(images, top_padding, left_padding, bottom_padding, right_padding, target_height, target_width)
ir::Values pad(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("images");
  const int64_t axis = height_axis(a, x);
  const auto amounts = [&](const char* before, const char* after, const char* target, int64_t along) {
    const auto amount = [&](const char* name, const char* other) {
      if (a.has(name)) return b.ints({a.integer(name, 0)});
      return b.Sub(b.ints({a.integer(target, 0) - a.integer(other, 0)}), b.dim(x, along));
    };
    return std::pair(amount(before, after), amount(after, before));
  };
  const auto [top, bottom] = amounts("top_padding", "bottom_padding", "target_height", axis);
  const auto [left, right] = amounts("left_padding", "right_padding", "target_width", axis + 1);
  Value* pads = b.Concat({top, left, bottom, right}, 0);
  return {b.op("Pad", {x, pads, nullptr, b.ints({axis, axis + 1})}, {{"mode", "constant"}})};
}

// --- patches and filters ---------------------------------------------------------------------------------------------

// Zeros around the axes from 1 on, as "same" has it.
Value* same_padded(Builder& b, Value* x, const std::vector<int64_t>& kernel, const Window& window) {
  ir::Values begins;
  ir::Values ends;
  std::vector<int64_t> axes;
  for (size_t i = 0; i < kernel.size(); ++i) {
    const auto axis = static_cast<int64_t>(i) + 1;
    const int64_t stride = window.strides[i];
    Value* size = b.dim(x, axis);
    Value* count = b.Div(b.Add(size, b.ints({stride - 1})), b.ints({stride}));
    Value* reach =
        b.Add(b.Mul(b.Sub(count, b.ints({1})), b.ints({stride})), b.ints({(kernel[i] - 1) * window.dilations[i] + 1}));
    Value* total = b.Max(b.Sub(reach, size), b.ints({0}));
    begins.push_back(b.Div(total, b.ints({2})));
    ends.push_back(b.Sub(total, begins.back()));
    axes.push_back(axis);
  }
  begins.insert(begins.end(), ends.begin(), ends.end());
  return b.op("Pad", {x, b.Concat(begins, 0), nullptr, b.ints(axes)}, {{"mode", "constant"}});
}

// extract_patches(images, size, strides=None, dilation_rate=1, padding="valid", data_format) of images and volumes
ir::Values extract_patches(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("images");
  const std::vector<int64_t> given = a.ints("size");
  const size_t count = given.size() == 3 ? 3 : 2;
  const std::vector<int64_t> kernel = spatial_list(given, count, false);
  const Window window{a.has("strides") ? spatial_list(a.ints("strides"), count, false) : kernel,
                      spatial_list(a.ints("dilation_rate"), count, false), a.padding()};
  const bool single = x->rank() == count + 1;
  a.require(single || x->rank() == count + 2, "the size does not fit the images");
  if (single) x = b.Unsqueeze(x, {0});
  if (a.channels_first()) x = b.Transpose(x, channels_to_back(count + 2));
  if (window.padding == "same") x = same_padded(b, x, kernel, window);
  x = patches(b, x, kernel, window.strides, window.dilations);
  if (a.channels_first()) x = b.Transpose(x, channels_to_front(count + 2));
  return {single ? b.Squeeze(x, {0}) : x};
}

// A normal distribution over `size` places, its sum 1.
std::vector<double> bell(int64_t size, double sigma) {
  std::vector<double> weights;
  double total = 0;
  for (int64_t i = 0; i < size; ++i) {
    const double at = (static_cast<double>(i) - static_cast<double>(size - 1) / 2) / sigma;
    weights.push_back(std::exp(-0.5 * at * at));
    total += weights.back();
  }
  for (double& weight : weights) weight /= total;
  return weights;
}

std::vector<double> products(const std::vector<double>& rows, const std::vector<double>& columns) {
  std::vector<double> weights;
  for (const double row : rows) {
    for (const double column : columns) weights.push_back(row * column);
  }
  return weights;
}

// Each channel of `x` [n, h, w, c] through one filter of the size [rows, columns].
Value* filtered(Builder& b, Value* x, const std::vector<double>& weights, const std::vector<int64_t>& size,
                const std::vector<int64_t>& pads) {
  Value* kernel = b.constant(ir::Tensor::from_doubles(x->dtype, {1, 1, size[0], size[1]}, weights));
  Value* first = b.Transpose(x, {0, 3, 1, 2});
  Value* planes = b.Reshape(first, b.Concat({b.ints({-1, 1}), b.op("Shape", {first}, {{"start", 2}})}, 0));
  Value* y = b.op("Conv", {planes, kernel}, {{"pads", pads}});
  Value* shape = b.Concat({b.op("Shape", {first}, {{"end", 2}}), b.op("Shape", {y}, {{"start", 2}})}, 0);
  return b.Transpose(b.Reshape(y, shape), {0, 2, 3, 1});
}

std::vector<double> numbers(const Arguments& a, const char* name, double fallback) {
  const Json& given = a.json(name);
  if (given.is_null()) return {fallback, fallback};
  if (given.is_number()) return {given.as_double(), given.as_double()};
  return {given.at(size_t{0}).as_double(), given.at(size_t{1}).as_double()};
}

// gaussian_blur(images, kernel_size=(3, 3), sigma=(1.0, 1.0), data_format): Keras' kernel lists the products with the
// second size first, whatever its shape
ir::Values gaussian_blur(const Arguments& a) {
  std::vector<int64_t> size = a.ints("kernel_size");
  if (size.empty()) size = {3, 3};
  a.require(size.size() == 2 && size[0] > 0 && size[1] > 0 && size[0] * size[1] <= (1 << 20), "kernel_size is no pair");
  const std::vector<double> sigma = numbers(a, "sigma", 1);
  const std::vector<double> weights = products(bell(size[1], sigma[1]), bell(size[0], sigma[0]));
  const std::vector<int64_t> pads{(size[0] - 1) / 2, (size[1] - 1) / 2, size[0] / 2, size[1] / 2};
  return {on_images(a, a.value("images"), [&](Value* x) { return filtered(a.b, x, weights, size, pads); })};
}

// sobel_edges(images, data_format): the changes along height and width in a new last axis
ir::Values sobel_edges(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("images");
  a.require(x->rank() == 4, "needs a batch of images");
  if (a.channels_first()) x = b.Transpose(x, {0, 2, 3, 1});
  Value* padded = b.Pad(x, {0, 1, 1, 0, 0, 1, 1, 0}, 0, "reflect");
  const std::vector<double> slope{-1, 0, 1};
  const std::vector<double> smooth{1, 2, 1};
  Value* down = filtered(b, padded, products(slope, smooth), {3, 3}, {0, 0, 0, 0});
  Value* right = filtered(b, padded, products(smooth, slope), {3, 3}, {0, 0, 0, 0});
  Value* edges = b.Concat({b.Unsqueeze(down, {4}), b.Unsqueeze(right, {4})}, 4);
  return {a.channels_first() ? b.Transpose(edges, {0, 3, 1, 2, 4}) : edges};
}

// ssim(image1, image2, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03, data_format)
ir::Values ssim(const Arguments& a) {
  Builder& b = a.b;
  const auto image = [&](const char* name) {
    Value* x = floating(b, a.value(name));
    if (x->rank() == 3) x = b.Unsqueeze(x, {0});
    return a.channels_first() ? b.Transpose(x, {0, 2, 3, 1}) : x;
  };
  Value* x = image("image1");
  Value* y = image("image2");
  const int64_t size = a.integer("filter_size", 11);
  a.require(size > 0 && size <= 1024, "filter_size is out of range");
  const std::vector<double> line = bell(size, a.number("filter_sigma", 1.5));
  const std::vector<double> weights = products(line, line);
  const auto mean = [&](Value* v) { return filtered(b, v, weights, {size, size}, {0, 0, 0, 0}); };
  const double range = a.number("max_val", 1);
  const double c1 = std::pow(a.number("k1", 0.01) * range, 2);
  const double c2 = std::pow(a.number("k2", 0.03) * range, 2);
  Value* mean_x = mean(x);
  Value* mean_y = mean(y);
  Value* squares = b.Add(b.Mul(mean_x, mean_x), b.Mul(mean_y, mean_y));
  Value* product = b.Mul(mean_x, mean_y);
  Value* variances = b.Sub(b.Add(mean(b.Mul(x, x)), mean(b.Mul(y, y))), squares);
  Value* covariance = b.Sub(mean(b.Mul(x, y)), product);
  Value* above = b.Mul(b.Add(b.Mul(product, 2), c1), b.Add(b.Mul(covariance, 2), c2));
  Value* map = b.Div(above, b.Mul(b.Add(squares, c1), b.Add(variances, c2)));
  Value* result = b.Cast(b.ReduceMean(map, {1, 2, 3}, false), a.value("image1")->dtype);
  return {a.value("image1")->rank() == 3 ? b.Squeeze(result, {0}) : result};
}

// --- geometry --------------------------------------------------------------------------------------------------------

std::string upper(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

Value* transformed(const Arguments& a, Value* transforms) {
  Builder& b = a.b;
  if (transforms->rank() == 1) transforms = b.Unsqueeze(transforms, {0});
  Value* matrices = b.Cast(transforms, DType::kFloat);
  return on_images(a, a.value("images"), [&](Value* x) {
    Value* size = b.op("Shape", {x}, {{"start", 1}, {"end", 3}});
    return projected(b, x, matrices, size, upper(a.text("interpolation", "bilinear")),
                     upper(a.text("fill_mode", "constant")), b.number(a.number("fill_value", 0), DType::kFloat));
  });
}

// affine_transform(images, transform, interpolation="bilinear", fill_mode="constant", fill_value=0, data_format)
ir::Values affine_transform(const Arguments& a) { return {transformed(a, a.value("transform"))}; }

// The eight numbers of the projection that takes the four points `to` to `from`, each [n, 4, 2].
Value* homography(Builder& b, Value* from, Value* to) {
  Value* one = b.Fill(b.op("Shape", {b.Slice(to, 0, 1, 2)}), 1, to->dtype);  // [n, 4, 1]
  Value* zero = b.Sub(one, one);
  const auto row = [&](int64_t axis, bool second) {
    Value* target = b.Slice(from, axis, axis + 1, 2);
    Value* cross = b.Neg(b.Mul(to, target));
    ir::Values own{to, one};
    ir::Values none{b.Concat({zero, zero}, 2), zero};
    ir::Values parts =
        second ? ir::Values{none[0], none[1], own[0], own[1]} : ir::Values{own[0], own[1], none[0], none[1]};
    parts.push_back(cross);
    return b.Concat(parts, 2);  // [n, 4, 8]
  };
  Value* matrix = b.Concat({row(0, false), row(1, true)}, 1);
  Value* right = b.Concat({b.Slice(from, 0, 1, 2), b.Slice(from, 1, 2, 2)}, 1);
  return b.Squeeze(solve(b, matrix, right), {2});
}

// perspective_transform(images, start_points, end_points, interpolation="bilinear", fill_value=0, data_format)
ir::Values perspective_transform(const Arguments& a) {
  Builder& b = a.b;
  const auto points = [&](const char* name) {
    Value* x = b.Cast(a.value(name), DType::kFloat);
    return x->rank() == 2 ? b.Unsqueeze(x, {0}) : x;
  };
  return {transformed(a, homography(b, points("start_points"), points("end_points")))};
}

// One neighbour along an axis: its place, whether it lies inside, its weight.
struct Neighbour {
  Value* place;
  Value* inside;
  Value* weight;
};

Neighbour placed(Builder& b, Value* at, Value* weight, Value* size, const std::string& mode) {
  Value* zero = b.i64(0);
  Value* last = b.Sub(size, b.i64(1));
  Value* inside = b.And(b.GreaterOrEqual(at, zero), b.Less(at, size));
  if (mode == "wrap") at = b.Mod(at, size);
  if (mode == "mirror" || mode == "reflect") {
    Value* period = b.Mul(size, b.i64(2));
    Value* turned = b.Mod(b.Abs(at), period);
    Value* back = b.Sub(period, turned);
    at = b.Where(b.Less(turned, size), turned, mode == "reflect" ? b.Sub(back, b.i64(1)) : back);
  }
  return {b.Max(b.Min(at, last), zero), inside, weight};
}

// map_coordinates(inputs, coordinates, order, fill_mode="constant", fill_value=0)
ir::Values map_coordinates(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("inputs");
  Value* given = floating(b, a.value("coordinates"));
  const std::string mode = a.text("fill_mode", "constant");
  const int64_t order = a.integer("order", 1);
  a.require(order == 0 || order == 1, "order must be 0 or 1");
  const size_t rank = x->rank();
  a.require(rank > 0 && rank <= 8, "needs one to eight dimensions");
  std::vector<std::vector<Neighbour>> axes(rank);
  for (size_t i = 0; i < rank; ++i) {
    const auto axis = static_cast<int64_t>(i);
    Value* at = b.Select(given, axis, 0);
    Value* size = b.dim_scalar(x, axis);
    Value* low = order == 0 ? b.Round(at) : b.Floor(at);
    Value* share = b.Sub(at, low);
    Value* place = b.Cast(low, DType::kInt64);
    Value* one = b.number_like(1, at);
    axes[i].push_back(placed(b, place, order == 0 ? one : b.Sub(one, share), size, mode));
    if (order == 1) axes[i].push_back(placed(b, b.Add(place, b.i64(1)), share, size, mode));
  }
  Value* fill = b.Cast(b.Cast(b.number(a.number("fill_value", 0), DType::kDouble), x->dtype), given->dtype);
  Value* sum = nullptr;
  for (size_t corner = 0; corner < (size_t{1} << (order == 0 ? 0 : rank)); ++corner) {
    ir::Values places;
    Value* inside = nullptr;
    Value* weight = nullptr;
    for (size_t i = 0; i < rank; ++i) {
      const Neighbour& n = axes[i][order == 0 ? 0 : (corner >> i) & 1];
      places.push_back(b.Unsqueeze(n.place, {-1}));
      inside = inside == nullptr ? n.inside : b.And(inside, n.inside);
      weight = weight == nullptr ? n.weight : b.Mul(weight, n.weight);
    }
    Value* found = b.Cast(b.op("GatherND", {x, b.Concat(places, -1)}), given->dtype);
    if (mode == "constant") found = b.Where(inside, found, fill);
    Value* term = b.Mul(weight, found);
    sum = sum == nullptr ? term : b.Add(sum, term);
  }
  return {b.Cast(ir::is_floating(x->dtype) ? sum : b.Round(sum), x->dtype)};
}

}  // namespace

void register_image_operations(OperationTable& table) {
  table.add("RGBToHSV", {"images", colours<true>});
  table.add("HSVToRGB", {"images", colours<false>});
  table.add("CropImages", {"images", crop});
  table.add("PadImages", {"images", pad});
  table.add("ExtractPatches", {"images", extract_patches});
  table.add("GaussianBlur", {"images", gaussian_blur});
  table.add("SobelEdges", {"images", sobel_edges});
  table.add("SSIM", {"image1 image2", ssim});
  table.add("AffineTransform", {"images transform", affine_transform});
  table.add("PerspectiveTransform", {"images start_points end_points", perspective_transform});
  table.add("MapCoordinates", {"inputs coordinates", map_coordinates});
}

}  // namespace onward::importer::keras
