// Graphs written as text, and sessions of them, for the tests of quantization.
#pragma once

#include <cmath>
#include <random>

#include "export/onnx_writer.h"
#include "ir/builder.h"
#include "quantize/quantize.h"
#include "schema/schema_inference.h"

namespace onward::quantize {

inline const schema::SchemaInference& inference() {
  static const schema::SchemaInference kInference;
  return kInference;
}

inline Host host() {
  return {inference(),
          [](ir::Model& model, const runtime::Watch& watch) {
            return runtime::Session::from_bytes(exporter::serialize(model, {.opset = 18}).joined(), "test",
                                                {.watch = watch});
          },
          [](ir::Model& model) { return exporter::serialize(model, {.opset = 18}).size(); }};
}

inline ir::Tensor random_tensor(ir::Dims dims, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> distribution(0, scale);
  std::vector<float> values(static_cast<size_t>(ir::element_count(dims)));
  for (float& value : values) value = distribution(random);
  return ir::Tensor::of(std::move(dims), values);
}

inline ir::Tensor random_weight(ir::Dims dims, unsigned seed) {
  double fan_in = 1;
  for (size_t i = 1; i < dims.size(); ++i) fan_in *= static_cast<double>(dims[i]);
  return random_tensor(std::move(dims), seed, static_cast<float>(1 / std::sqrt(fan_in)));
}

// A convolutional net as images go through: residual sum, pooling, concatenation, transposed convolution, head.
inline ir::Model conv_net() {
  ir::Model model;
  ir::Builder b(*model.graph, inference());
  const auto conv = [&](ir::Value* x, int64_t from, int64_t to, unsigned seed, int64_t size = 3) {
    return b.op("Conv",
                {x, b.constant(random_weight({to, from, size, size}, seed)), b.constant(random_tensor({to}, seed))},
                {{"pads", ir::Attr::Ints{size / 2, size / 2, size / 2, size / 2}}});
  };
  ir::Value* x = model.graph->add_input("x", ir::DType::kFloat, ir::Shape{1, 3, 16, 16});
  ir::Value* first = b.Relu(conv(x, 3, 8, 1));
  ir::Value* sum = b.Relu(b.Add(first, conv(first, 8, 8, 2)));
  ir::Value* small =
      b.op("MaxPool", {sum}, {{"kernel_shape", ir::Attr::Ints{2, 2}}, {"strides", ir::Attr::Ints{2, 2}}});
  ir::Value* deep = b.Relu(conv(small, 8, 16, 3));
  ir::Value* up =
      b.op("ConvTranspose", {deep, b.constant(random_weight({16, 8, 2, 2}, 4))}, {{"strides", ir::Attr::Ints{2, 2}}});
  ir::Value* merged = b.Relu(conv(b.Concat({sum, up}, 1), 16, 8, 5));
  model.graph->add_output(b.Sigmoid(conv(merged, 8, 1, 6, 1)), "y");
  return model;
}

// Matrix products as in a transformer's block, with an input of variable length.
inline ir::Model product_net() {
  ir::Model model;
  ir::Builder b(*model.graph, inference());
  const auto product = [&](ir::Value* x, int64_t from, int64_t to, unsigned seed) {
    return b.Add(b.MatMul(x, b.constant(random_weight({to, from}, seed).reshaped({from, to}))),
                 b.constant(random_tensor({to}, seed)));
  };
  ir::Value* x = model.graph->add_input("x", ir::DType::kFloat, ir::Shape{ir::Dim("n"), 7, 40});
  ir::Value* hidden = b.Relu(product(x, 40, 64, 1));
  model.graph->add_output(b.Add(x, product(hidden, 64, 40, 2)), "y");
  return model;
}

inline Samples samples_of(const ir::Dims& dims, size_t count) {
  Samples samples;
  samples.count = count;
  samples.name = [](size_t index) { return "sample " + std::to_string(index); };
  samples.inputs = [dims](size_t index) {
    return std::vector<ir::Tensor>{random_tensor(dims, static_cast<unsigned>(index) + 100)};
  };
  return samples;
}

}  // namespace onward::quantize
