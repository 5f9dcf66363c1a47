// Neural network functions: activations, normalization, attention, image resizing, convolution and pooling.
#include <limits>

#include "import/common/axes.h"
#include "import/common/resize.h"
#include "import/keras/operations.h"
#include "import/keras/ops/aspect.h"
#include "import/keras/ops/layout.h"
#include "import/keras/ops/window.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

// keras.ops' activation functions carry their parameters in the operator's config.
ir::Values activation(const Arguments& a) {
  Json config = a.config();
  Value* x = floating(a.b, a.value("x"));
  return {activate(a.b, Json::object({{"class_name", snake_case(a.name())}, {"config", config}}), x)};
}

// TensorFlow's get them as arguments.
ir::Values tf_activation(const Arguments& a) {
  const std::string name = a.name().substr(a.name().rfind('.') + 1);
  Json config = Json::object();
  if (name == "leaky_relu") config.set("negative_slope", a.number("alpha", 0.2));
  if (name == "gelu") config.set("approximate", a.flag("approximate", false));
  if (name == "softmax" || name == "log_softmax") config.set("axis", a.integer("axis", -1));
  a.require(a.number("beta", 1) == 1, "beta other than 1 is not supported");
  return {activate(a.b, Json::object({{"class_name", name}, {"config", config}}), a.value("x"))};
}

// softmax(x, axis=-1): over everything where the axis is None
ir::Values softmax(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const bool log = a.name() == "LogSoftmax";
  const auto apply = [&](Value* v, int64_t axis) { return log ? b.LogSoftmax(v, axis) : b.Softmax(v, axis); };
  if (a.json("axis").is_array()) {
    Value* y = b.Sub(x, b.ReduceLogSumExp(x, a.axes("axis", x)));
    return {log ? y : b.Exp(y)};
  }
  if (!a.has("axis")) return {b.Reshape(apply(b.Reshape(x, {-1}), 0), b.Shape(x))};
  return {apply(x, a.axis("axis", x, -1))};
}

// normalize(x, axis=-1, order=2, epsilon=None)
ir::Values normalize(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const int64_t order = a.integer("order", 2);
  const double epsilon = a.number("epsilon", 1e-7);
  const std::vector<int64_t> axes = a.axes("axis", x);
  if (order == 2) return {b.Div(x, b.Max(b.ReduceL2(x, axes), epsilon))};
  Value* norm = order == 1 ? b.ReduceL1(x, axes)
                           : b.Pow(b.ReduceSum(b.Pow(b.Abs(x), static_cast<double>(order)), axes),
                                   1.0 / static_cast<double>(order));
  return {b.Div(x, b.Max(norm, epsilon))};
}

// l2_normalize(x, axis=None, epsilon=1e-12)
ir::Values l2_normalize(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* square = b.ReduceSumSquare(x, a.axes("axis", x));
  return {b.Div(x, b.Sqrt(b.Max(square, a.number("epsilon", 1e-12))))};
}

// layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None), rms_normalization(x, scale=None, axis=-1)
ir::Values layer_norm(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  std::vector<int64_t> axes =
      a.has("axis") ? a.axes("axis", x) : std::vector<int64_t>{static_cast<int64_t>(x->rank()) - 1};
  const bool rms = a.name() == "RMSNorm";
  const double epsilon = a.number("epsilon", 1e-7);
  Value* centred = rms ? x : b.Sub(x, b.ReduceMean(x, axes));
  Value* y = b.Div(centred, b.Sqrt(b.Add(b.ReduceMean(b.Mul(centred, centred), axes), epsilon)));
  const auto shaped = [&](Value* weight) {
    if (weight->rank() == x->rank()) return weight;
    std::vector<int64_t> shape(x->rank(), 1);
    for (size_t i = 0; i < axes.size() && i < weight->rank(); ++i) {
      a.require(weight->dim(i).is_known(), "with weights of unknown size is not supported");
      shape[static_cast<size_t>(axes[i])] = weight->dim(i).value();
    }
    return b.Reshape(weight, shape);
  };
  if (a.has("gamma")) y = b.Mul(y, shaped(a.value("gamma")));
  return {a.has("beta") ? b.Add(y, shaped(a.value("beta"))) : y};
}

// dot_product_attention(query, key, value, bias=None, mask=None, scale=None): tensors are [batch, steps, heads, size]
ir::Values dot_product_attention(const Arguments& a) {
  Builder& b = a.b;
  const std::vector<int64_t> heads_first{0, 2, 1, 3};
  Value* q = b.Transpose(a.value("query"), heads_first);
  Value* k = b.Transpose(a.value("key"), {0, 2, 3, 1});
  Value* v = b.Transpose(a.value("value"), heads_first);
  a.require(!a.has("attn_logits_soft_cap"), "attn_logits_soft_cap is not supported");
  Value* scores = b.MatMul(q, k);
  if (a.has("scale")) {
    scores = b.Mul(scores, a.number("scale", 1));
  } else {
    scores = b.Div(scores, b.Sqrt(b.Cast(b.dim(q, 3), q->dtype)));
  }
  if (a.has("bias")) scores = b.Add(scores, a.value("bias"));
  Value* low = b.number_like(q->dtype == DType::kFloat16 ? -32752.0 : -1.7014117e38, q);
  if (a.has("mask")) scores = b.Where(b.Cast(a.value("mask"), DType::kBool), scores, low);
  if (a.flag("is_causal", false)) {
    const auto range = [&](Value* count) { return b.Range(b.i64(0), b.Squeeze(count, {0}), b.i64(1)); };
    Value* reached = b.GreaterOrEqual(b.Unsqueeze(range(b.dim(q, 2)), {1}), range(b.dim(k, 3)));
    scores = b.Where(reached, scores, low);
  }
  return {b.Transpose(b.MatMul(b.Softmax(scores, -1), v), heads_first)};
}

// resize(images, size, interpolation="bilinear", antialias=False, data_format)
ir::Values resize(const Arguments& a) {
  Value* x = a.value("x");
  const std::string method = a.text("interpolation", "bilinear");
  a.require(!a.flag("preserve_aspect_ratio", false), "preserve_aspect_ratio is not supported");
  const auto rank = static_cast<int64_t>(x->rank());
  const int64_t height = a.channels_first() ? rank - 2 : rank - 3;
  const DType dtype = x->dtype;
  if (method != "nearest") x = floating(a.b, x);
  const std::vector<int64_t> size = a.json("size").is_array() ? a.ints("size") : std::vector<int64_t>();
  for (const char* option : {"crop_to_aspect_ratio", "pad_to_aspect_ratio"}) {
    if (!a.flag(option, false)) continue;
    a.require(size.size() == 2, "needs the size when the model is made");
    x = option[0] == 'c' ? cropped_to_aspect(a.b, x, height, size[0], size[1])
                         : padded_to_aspect(a.b, x, height, size[0], size[1], a.number("fill_value", 0));
  }
  Value* y = resize_image(a.b, x, height, height + 1, a.sizes("size"), method, a.flag("antialias", false));
  if (a.tensorflow() || y->dtype == dtype) return {y};
  return {saturated(a.b, a.b.Round(y), dtype)};
}

// conv(inputs, kernel, strides=1, padding="valid", data_format, dilation_rate=1); the kernel is [spatial…, in, out]
ir::Values conv(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  Value* kernel = a.value("kernel");
  const size_t rank = x->rank() - 2;
  const bool depthwise = a.name().find("epthwise") != std::string::npos;
  std::string layout = a.text("data_format", "channels_last");
  const bool first = layout == "channels_first" || layout == "NCHW" || layout == "NCW" || layout == "NCDHW";
  const auto spatial = [&](const char* name) { return spatial_list(a.ints(name), rank, first); };
  const Window window{spatial("strides"), spatial("dilations"), a.padding()};
  Value* weights = depthwise ? depthwise_kernel(b, kernel) : conv_kernel(b, kernel);
  const ir::Dim channels = x->dim(first ? 1 : rank + 1);
  const ir::Dim taken = kernel->dim(kernel->rank() - 2);
  a.require(taken.is_known(), "a kernel of unknown size is not supported");
  const int64_t groups = depthwise ? taken.value() : channels.is_known() ? channels.value() / taken.value() : 1;
  return {in_nchw(b, x, first, [&](Value* v) {
    return b.op("Conv", {v, weights}, conv_attrs(window, *weights, groups));
  })};
}

// max_pool(inputs, pool_size, strides=None, padding="valid", data_format)
ir::Values pool(const Arguments& a) {
  Value* x = a.value("x");
  const size_t rank = x->rank() - 2;
  const std::string layout = a.text("data_format", "channels_last");
  const bool first = layout == "channels_first" || layout == "NCHW";
  const std::vector<int64_t> size = spatial_list(a.ints("size"), rank, first);
  const std::vector<int64_t> strides = a.has("strides") ? spatial_list(a.ints("strides"), rank, first) : size;
  const bool max = a.name().find("ax") != std::string::npos;
  ir::Attrs attrs{{"kernel_shape", size}, {"strides", strides}};
  if (a.padding() == "same") attrs.set("auto_pad", "SAME_UPPER");
  return {in_nchw(a.b, x, first, [&](Value* v) { return a.b.op(max ? "MaxPool" : "AveragePool", {v}, attrs); })};
}

ir::Values bias_add(const Arguments& a) {
  Value* bias = a.value("bias");
  const std::string layout = a.text("data_format", "NHWC");
  if (layout.rfind("NC", 0) == 0) {
    std::vector<int64_t> axes;
    for (size_t i = 2; i < a.value("x")->rank(); ++i) axes.push_back(static_cast<int64_t>(i) - 1);
    bias = a.b.Unsqueeze(bias, axes);
  }
  return {a.b.Add(a.value("x"), bias)};
}

ir::Values identity(const Arguments& a) { return {a.value("x")}; }

// multi_hot(inputs, num_classes, axis=-1): 1 where a class is among the numbers of the second axis
ir::Values multi_hot(const Arguments& a) {
  Builder& b = a.b;
  Value* x = b.Cast(a.value("x"), DType::kInt64);
  const int64_t classes = a.integer("num_classes", 0);
  a.require(classes > 0 && classes <= (1 << 22), "num_classes is out of range");
  const DType dtype = a.dtype("dtype").value_or(DType::kFloat);
  const auto rank = static_cast<int64_t>(x->rank()) + 1;
  int64_t axis = a.integer("axis", -1);
  axis += axis < 0 ? rank : 0;
  a.require(axis >= 0 && axis < rank, "axis is out of range");
  Value* numbers = along(b, counting(b, b.i64(classes)), axis, static_cast<size_t>(rank));
  Value* hits = b.Cast(b.Equal(b.Unsqueeze(x, {axis}), numbers), dtype);
  return {b.ReduceMax(hits, {x->rank() > 1 ? 1 : 0}, false)};
}

// rgb_to_grayscale(images, data_format)
ir::Values grayscale(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  const bool first = a.channels_first();
  Value* weights = b.constant(ir::Tensor::from_doubles(x->dtype, {3}, {0.2989, 0.5870, 0.1140}));
  if (first) weights = b.Reshape(weights, {3, 1, 1});
  return {b.Cast(b.ReduceSum(b.Mul(x, weights), {first ? -3 : -1}), a.value("x")->dtype)};
}

// batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3)
ir::Values batch_norm(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  const int64_t axis = a.axis("axis", x, -1);
  std::vector<int64_t> shape(x->rank(), 1);
  shape[static_cast<size_t>(axis)] = -1;
  const auto shaped = [&](const char* name) { return b.Reshape(b.Cast(a.value(name), x->dtype), shape); };
  Value* y = b.Div(b.Sub(x, shaped("mean")), b.Sqrt(b.Add(shaped("variance"), a.number("epsilon", 1e-3))));
  if (a.has("scale")) y = b.Mul(y, shaped("scale"));
  return {a.has("offset") ? b.Add(y, shaped("offset")) : y};
}

// depth_to_space(x, block_size, data_format), space_to_depth likewise
ir::Values blocks(const Arguments& a, const char* op) {
  Value* x = a.value("x");
  const std::string layout = a.text("data_format", "channels_last");
  ir::Attrs attrs{{"blocksize", a.integer("block_size", 1)}};
  return {in_nchw(a.b, x, layout == "channels_first" || layout == "NCHW",
                  [&](Value* v) { return a.b.op(op, {v}, attrs); })};
}
ir::Values depth_to_space(const Arguments& a) { return blocks(a, "DepthToSpace"); }
ir::Values space_to_depth(const Arguments& a) { return blocks(a, "SpaceToDepth"); }

}  // namespace

void register_nn_operations(OperationTable& table) {
  for (const char* name :
       {"Relu", "Relu6",      "Sigmoid",    "SparseSigmoid", "Softplus",    "Softsign",   "SoftShrink", "SparsePlus",
        "Silu", "Squareplus", "LogSigmoid", "LeakyRelu",     "HardSigmoid", "HardSilu",   "Elu",        "Selu",
        "Gelu", "Celu",       "Glu",        "TanhShrink",    "HardTanh",    "HardShrink", "Threshold",  "Sparsemax"}) {
    table.add(name, {"x", activation});
  }
  for (const char* name : {"relu", "relu6", "elu", "selu", "softsign"}) {
    table.add(std::string("tf.nn.") + name, {"x:features", tf_activation});
  }
  for (const char* name : {"silu", "swish"})
    table.add(std::string("tf.nn.") + name, {"x:features beta", tf_activation});
  table.add("tf.nn.leaky_relu", {"x:features alpha", tf_activation});
  table.add("tf.nn.gelu", {"x:features approximate", tf_activation});
  table.add("tf.nn.softmax", {"x:logits axis", tf_activation});
  table.add("tf.nn.log_softmax", {"x:logits axis", tf_activation});
  table.add("Softmax", {"x axis", softmax});
  table.add("LogSoftmax", {"x axis", softmax});
  table.add("Normalize", {"x axis order epsilon", normalize});
  for (const char* name : {"tf.math.l2_normalize", "tf.nn.l2_normalize", "tf.linalg.l2_normalize"}) {
    table.add(name, {"x axis epsilon", l2_normalize});
  }
  table.add("LayerNorm", {"x gamma beta", layer_norm});
  table.add("RMSNorm", {"x gamma:scale", layer_norm});
  table.add("DotProductAttention", {"query key value bias mask scale", dot_product_attention});
  table.add("Resize", {"x size interpolation antialias", resize});
  table.add("tf.image.resize", {"x:images size interpolation:method preserve_aspect_ratio antialias", resize});
  table.add("Conv", {"x kernel strides padding data_format dilations:dilation_rate", conv});
  table.add("DepthwiseConv", {"x kernel strides padding data_format dilations:dilation_rate", conv});
  for (const char* name : {"tf.nn.conv1d", "tf.nn.conv2d", "tf.nn.conv3d", "tf.nn.depthwise_conv2d"}) {
    table.add(name, {"x:input kernel:filters strides padding data_format dilations", conv});
  }
  table.add("MaxPool", {"x size:pool_size strides padding data_format", pool});
  table.add("AveragePool", {"x size:pool_size strides padding data_format", pool});
  for (const char* name : {"tf.nn.max_pool2d", "tf.nn.avg_pool2d", "tf.nn.max_pool", "tf.nn.avg_pool"}) {
    table.add(name, {"x:input size:ksize strides padding data_format", pool});
  }
  table.add("tf.nn.bias_add", {"x:value bias data_format", bias_add});
  table.add("tf.nn.dropout", {"x rate", identity});
  table.add("MultiHot", {"x", multi_hot});
  table.add("RGBToGrayscale", {"x data_format", grayscale});
  table.add("BatchNorm", {"x mean variance offset scale", batch_norm});
  table.add("DepthToSpace", {"x block_size data_format", depth_to_space});
  table.add("SpaceToDepth", {"x block_size data_format", space_to_depth});
  table.add("tf.nn.depth_to_space", {"x:input block_size data_format", depth_to_space});
  table.add("tf.nn.space_to_depth", {"x:input block_size data_format", space_to_depth});
}

}  // namespace onward::importer::keras
