// Random graphs compute the same after the whole pipeline, and after lowering.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "base/error.h"
#include "harness.h"
#include "ir/builder.h"
#include "ir/text.h"
#include "ir/verify.h"
#include "passes/opset/lower.h"
#include "passes/pipeline.h"
#include "schema/schema_inference.h"
#include "schema/schema_rules.h"

namespace onward::passes {
namespace {

using ir::Value;

// ONWARD_PROPERTY_GRAPHS asks for more of them, or fewer.
unsigned graph_count() {
  const char* given = std::getenv("ONWARD_PROPERTY_GRAPHS");
  return given != nullptr ? static_cast<unsigned>(std::atoi(given)) : 200;
}

constexpr size_t kMaxElements = 4000;

class Generator {
 public:
  Generator(ir::Graph& graph, const ir::Inference& inference, unsigned seed) : b_(graph, inference), random_(seed) {}

  void fill() {
    static const std::vector<ir::Shape> kShapes = {
        {ir::Dim("n"), 4, 6, 3}, {ir::Dim("n"), 3, 6, 4}, {2, 5, 3}, {ir::Dim("n"), 6}, {1, 2, 2, 3, 2}};
    for (size_t i = 0; i < 2; ++i) {
      values_.push_back(
          b_.graph().add_input("x" + std::to_string(i), ir::DType::kFloat, kShapes[pick(kShapes.size())]));
    }
    for (size_t step = 0; step < 25; ++step) {
      try {
        add_step();
      } catch (const Error&) {
        continue;  // the operands do not fit together
      }
    }
    for (size_t i = 0; i < 3; ++i) {
      Value* value = values_[values_.size() - 1 - pick(std::min<size_t>(values_.size() - 1, 6))];
      if (value->producer() == nullptr || value->is_output()) continue;
      b_.graph().add_output(value, "y" + std::to_string(i));
    }
    if (b_.graph().outputs().empty()) b_.graph().add_output(b_.Relu(values_.back()), "y");
  }

 private:
  size_t pick(size_t count) { return random_() % count; }
  bool chance(size_t percent) { return pick(100) < percent; }

  Value* any() { return values_[values_.size() - 1 - pick(std::min<size_t>(values_.size(), 5))]; }

  Value* constant(const ir::Dims& dims) {
    std::vector<double> numbers;
    for (int64_t i = 0; i < ir::element_count(dims); ++i) {
      numbers.push_back(static_cast<double>(pick(17)) / 8 - (chance(50) ? 1 : 0.5));
    }
    return b_.constant(ir::Tensor::from_doubles(ir::DType::kFloat, dims, numbers));
  }

  int64_t length(const Value* value, size_t axis) { return value->dim(axis).is_known() ? value->dim(axis).value() : 1; }

  void keep(Value* value) {
    size_t count = 1;
    for (size_t i = 0; i < value->rank(); ++i) count *= static_cast<size_t>(length(value, i));
    if (count > 0 && count <= kMaxElements && value->rank() > 0 && value->rank() <= 5 && !value->is_constant() &&
        value->dtype == ir::DType::kFloat) {
      values_.push_back(value);
    }
  }

  std::vector<int64_t> some_axes(size_t rank) {
    std::vector<int64_t> axes;
    for (size_t i = 0; i < rank; ++i) {
      if (chance(40))
        axes.push_back(chance(50) ? static_cast<int64_t>(i) : static_cast<int64_t>(i) - static_cast<int64_t>(rank));
    }
    if (axes.empty()) axes.push_back(-1);
    return axes;
  }

  std::vector<int64_t> permutation(size_t rank) {
    std::vector<int64_t> perm{0};
    if (chance(45)) {
      for (size_t i = 2; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
      perm.push_back(1);
    } else if (chance(80)) {
      perm.push_back(static_cast<int64_t>(rank) - 1);
      for (size_t i = 1; i + 1 < rank; ++i) perm.push_back(static_cast<int64_t>(i));
    } else {
      perm.clear();
      for (size_t i = 0; i < rank; ++i) perm.push_back(static_cast<int64_t>(i));
      std::shuffle(perm.begin(), perm.end(), random_);
    }
    return perm;
  }

  // Something that broadcasts with `x`.
  Value* partner(Value* x) {
    if (chance(40)) return any();
    const size_t rank = x->rank();
    const size_t own = chance(30) ? 1 : chance(50) ? rank : pick(rank + 1);
    ir::Dims dims;
    for (size_t i = rank - std::min(own, rank); i < rank; ++i) dims.push_back(chance(50) ? length(x, i) : 1);
    return constant(dims);
  }

  Value* pad(Value* x) {
    std::vector<int64_t> pads;
    for (size_t i = 0; i < 2 * x->rank(); ++i) pads.push_back(chance(70) ? 0 : static_cast<int64_t>(pick(2)));
    return b_.Pad(x, pads, chance(70) ? 0 : 1);
  }

  Value* convolution(Value* x) {
    const int64_t channels = length(x, 1);
    const int64_t outputs = 1 + static_cast<int64_t>(pick(4));
    const int64_t size = chance(70) ? 1 : 2;
    ir::Dims kernel{outputs, channels};
    for (size_t i = 2; i < x->rank(); ++i) kernel.push_back(size);
    Value* bias = chance(50) ? constant({outputs}) : nullptr;
    if (chance(25)) {
      std::swap(kernel[0], kernel[1]);
      return b_.op("ConvTranspose", {x, constant(kernel), bias});
    }
    return b_.op("Conv", {x, constant(kernel), bias});
  }

  Value* normalization(Value* x) {
    const int64_t channels = length(x, 1);
    Value* variance = b_.constant(ir::Tensor::filled(ir::DType::kFloat, {channels}, 0.75));
    return b_.op("BatchNormalization", {x, constant({channels}), constant({channels}), constant({channels}), variance});
  }

  Value* reshape(Value* x) {
    const size_t rank = x->rank();
    if (rank < 2) return b_.Unsqueeze(x, {0});
    std::vector<int64_t> dims;
    for (size_t i = 0; i < rank; ++i) dims.push_back(i == 0 ? 0 : length(x, i));
    const size_t at = 1 + pick(rank - 1);
    if (chance(50) && at + 1 < rank) {
      dims[at] *= dims[at + 1];
      dims.erase(dims.begin() + static_cast<std::ptrdiff_t>(at) + 1);
    } else if (chance(50)) {
      dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(at), 1);
    } else {
      dims[at] = -1;
    }
    return b_.Reshape(x, dims);
  }

  void add_step() {
    Value* x = any();
    const auto rank = static_cast<int64_t>(x->rank());
    const auto axis = static_cast<int64_t>(pick(x->rank())) - (chance(50) ? rank : 0);
    switch (pick(22)) {
      case 0:
      case 1:
      case 2:
        if (rank > 2) keep(b_.op("Transpose", {x}, {{"perm", permutation(x->rank())}}));
        break;
      case 3:
        keep(chance(50) ? b_.Relu(x) : chance(50) ? b_.Tanh(x) : b_.op("LeakyRelu", {x}));
        break;
      case 4:
      case 5:
        keep(chance(50) ? b_.Add(x, partner(x)) : chance(50) ? b_.Mul(x, partner(x)) : b_.Sub(partner(x), x));
        break;
      case 6:
        keep(b_.Concat({x, any()}, axis));
        break;
      case 7:
        keep(pad(x));
        break;
      case 8:
      case 9:
        if (rank > 2) keep(convolution(x));
        break;
      case 10:
        if (rank > 1) keep(normalization(x));
        break;
      case 11:
        keep(b_.reduce(chance(50) ? "ReduceMean" : "ReduceMax", x, some_axes(x->rank()), chance(50)));
        break;
      case 12:
        keep(b_.Softmax(x, axis));
        break;
      case 13:
        // Of a computed length it could take nothing, which ONNX Runtime does not always notice.
        if (!x->dim(static_cast<size_t>((axis + rank) % rank)).is_known()) break;
        keep(b_.Slice(x, static_cast<int64_t>(pick(2)), chance(50) ? 3 : -1, axis, 1 + static_cast<int64_t>(pick(2))));
        break;
      case 14:
        for (Value* part : b_.ops("Split", {x}, 2, {{"axis", axis}, {"num_outputs", 2}})) keep(part);
        break;
      case 15:
      case 16:
        keep(reshape(x));
        break;
      case 17:
        keep(chance(50) ? b_.Unsqueeze(x, {axis}) : b_.Squeeze(x, {axis}));
        break;
      case 18:
        keep(b_.MatMul(x, constant({length(x, x->rank() - 1), 3})));
        break;
      case 19:
        keep(b_.op("Resize", {x, nullptr, b_.constant(ir::Tensor::of<float>({rank}, scales(x->rank())))}));
        break;
      case 20:
        keep(b_.Expand(x, b_.Shape(any())));
        break;
      default:
        if (rank > 2) keep(b_.op("AveragePool", {x}, {{"kernel_shape", std::vector<int64_t>(x->rank() - 2, 2)}}));
    }
  }

  std::vector<float> scales(size_t rank) {
    std::vector<float> factors(rank, 1);
    factors[pick(rank)] = 2;
    return factors;
  }

  ir::Builder b_;
  std::mt19937 random_;
  std::vector<Value*> values_;
};

TEST(Property, OptimizedAndLoweredGraphsComputeTheSame) {
  const schema::SchemaInference inference;
  unsigned compared = 0;
  for (unsigned seed = 0; seed < graph_count(); ++seed) {
    const int opset = 13 + static_cast<int>(seed % 7);
    ir::Model model;
    Generator(*model.graph, inference, seed).fill();
    const std::string text = ir::to_text(*model.graph, {.max_elements = kMaxElements});
    ir::Model before = ir::parse_text(text, inference);
    ir::Model after = ir::parse_text(text, inference);
    optimize(*after.graph, inference);
    lower_opset(*after.graph, inference, opset);
    const schema::SchemaRules strict(opset, false);
    ASSERT_EQ(ir::problems(*after.graph, &strict), std::vector<std::string>{}) << "seed " << seed << "\n" << text;
    const std::vector<ir::Tensor> inputs = testing::random_inputs(*before.graph, seed);
    std::vector<ir::Tensor> wanted;
    try {
      wanted = testing::run(before, inputs);
    } catch (const Error&) {
      continue;  // only run time sees that it cannot be computed
    }
    ++compared;
    try {
      ASSERT_EQ(testing::difference(testing::run(after, inputs, opset), wanted, 1e-3), "")
          << "seed " << seed << "\n"
          << text << "\nbecame\n"
          << ir::to_text(*after.graph, {.max_elements = 64});
    } catch (const Error& error) {
      FAIL() << error.message() << "\nseed " << seed << "\n" << text << "\nbecame\n" << ir::to_text(*after.graph);
    }
  }
  EXPECT_GT(compared, graph_count() / 2);
}

}  // namespace
}  // namespace onward::passes
