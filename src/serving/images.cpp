#include "serving/images.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "serving/layout.h"

namespace onward::serving {
namespace {

using ir::DType;
using ir::Tensor;

// Pixels as doubles between 0 and `top`, with the number of channels that is asked for.
struct Pixels {
  int64_t height;
  int64_t width;
  int64_t channels;
  double top;
  std::vector<double> values;
};

Pixels read_pixels(const Array& image) {
  Pixels pixels{image.shape.at(0), image.shape.at(1), image.shape.at(2), 255, {}};
  const auto count = static_cast<size_t>(pixels.height * pixels.width * pixels.channels);
  pixels.values.resize(count);
  if (image.dtype == "uint16") {
    pixels.top = 65535;
    std::vector<uint16_t> wide(count);
    std::memcpy(wide.data(), image.data.data(), count * 2);
    std::copy(wide.begin(), wide.end(), pixels.values.begin());
  } else {
    const auto* bytes = reinterpret_cast<const uint8_t*>(image.data.data());
    std::copy(bytes, bytes + count, pixels.values.begin());
  }
  return pixels;
}

Pixels with_channels(const Pixels& pixels, int64_t channels) {
  if (pixels.channels == channels) return pixels;
  Pixels result{pixels.height, pixels.width, channels, pixels.top, {}};
  if (channels == 1) {
    for (size_t i = 0; i < pixels.values.size(); i += 3) {
      const double* rgb = pixels.values.data() + i;
      result.values.push_back(std::round(0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]));
    }
  } else {
    for (const double value : pixels.values) result.values.insert(result.values.end(), 3, value);
  }
  return result;
}

void scale(Pixels& pixels, DType dtype, PixelRange range) {
  if (range == PixelRange::kAuto) range = ir::is_floating(dtype) ? PixelRange::kUnit : PixelRange::kRaw;
  const bool narrow = dtype == DType::kUInt8 || dtype == DType::kInt8;
  for (double& value : pixels.values) {
    if (range == PixelRange::kUnit) {
      value /= pixels.top;
    } else if (range == PixelRange::kSigned) {
      value = value / pixels.top * 2 - 1;
    } else if (narrow && pixels.top > 255) {
      value = std::floor(value / 256);
    }
  }
}

// Nothing where the input's shape is another one.
std::optional<Tensor> fitted(Pixels pixels, const runtime::ValueInfo& input, PixelRange range) {
  scale(pixels, input.dtype, range);
  const Tensor tensor =
      Tensor::from_doubles(input.dtype, {pixels.height, pixels.width, pixels.channels}, pixels.values);
  if (auto image = fit(tensor, input.shape)) return image;
  if (pixels.channels != 1) return std::nullopt;
  return fit(tensor.reshaped({pixels.height, pixels.width}), input.shape);
}

}  // namespace

Tensor image_tensor(const Array& image, const runtime::ValueInfo& input, PixelRange range) {
  if (!ir::is_numeric(input.dtype)) {
    fail_invalid(fmt::format("input \"{}\" takes {}, not pictures", input.name, ir::dtype_name(input.dtype)));
  }
  const Pixels pixels = read_pixels(image);
  for (const int64_t channels : {pixels.channels, int64_t{pixels.channels == 1 ? 3 : 1}}) {
    if (auto tensor = fitted(with_channels(pixels, channels), input, range)) return *std::move(tensor);
  }
  fail_invalid(fmt::format("a picture of {} x {} pixels (width x height) with {} does not fit input \"{}\" of shape {}",
                           pixels.width, pixels.height, pixels.channels == 1 ? "one channel" : "three channels",
                           input.name, ir::shape_text(input.shape)),
               "resize the picture to what the input wants");
}

namespace {

// `planar`: channels come first.
struct ImageShape {
  int64_t height;
  int64_t width;
  int64_t channels;
  bool planar;
};

std::optional<ImageShape> image_shape(ir::Dims dims) {
  while (dims.size() > 2 && dims.front() == 1) dims.erase(dims.begin());
  if (dims.size() == 3 && dims.back() == 1) dims.pop_back();
  if (dims.size() == 2) return ImageShape{dims[0], dims[1], 1, false};
  if (dims.size() == 3 && dims[2] == 3) return ImageShape{dims[0], dims[1], 3, false};
  if (dims.size() == 3 && dims[0] == 3) return ImageShape{dims[1], dims[2], 3, true};
  return std::nullopt;
}

std::byte to_pixel(double value, DType dtype) {
  if (ir::is_floating(dtype) || dtype == DType::kBool) value *= 255;
  return static_cast<std::byte>(std::isnan(value) ? 0 : std::lround(std::clamp(value, 0.0, 255.0)));
}

}  // namespace

Array tensor_image(const Tensor& tensor, std::string_view name) {
  const auto shape = image_shape(tensor.dims());
  if (!shape || tensor.dtype() == DType::kString) {
    fail_invalid(fmt::format("\"{}\" of {} {} is no picture", name, ir::dtype_name(tensor.dtype()),
                             ir::shape_text(ir::to_shape(tensor.dims()))),
                 "write it as .npy or .npz");
  }
  const std::vector<double> values = tensor.doubles();
  std::vector<std::byte> pixels(values.size());
  const auto area = static_cast<size_t>(shape->height * shape->width);
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t to = shape->planar ? i % area * 3 + i / area : i;
    pixels[to] = to_pixel(values[i], tensor.dtype());
  }
  return {"uint8", {shape->height, shape->width, shape->channels}, Bytes::from_vector(std::move(pixels)), {}};
}

}  // namespace onward::serving
