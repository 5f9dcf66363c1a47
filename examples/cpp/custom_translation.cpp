// Converts models with operators of your own: here one that multiplies by a number, in all three frameworks.
//
//   custom_translation MODEL OUT.onnx
#include "shared.h"

namespace {

using onward::GraphValue;
using onward::GraphValues;
using onward::TranslationContext;

// PyTorch: mylib::scale(Tensor x, float by=2.0) -> Tensor
GraphValues torch_scale(TranslationContext& ctx) {
  const GraphValue x = ctx.input("x");
  return {ctx.op("Mul", {x, ctx.scalar(ctx.number("by", 2.0), x)})};
}

// TensorFlow: op MyScale with one input and the attribute "by".
GraphValues tensorflow_scale(TranslationContext& ctx) {
  const GraphValue x = ctx.input(0);
  return {ctx.op("Mul", {x, ctx.scalar(ctx.number("by", 2.0), x)})};
}

// Keras: class Scale(keras.layers.Layer) whose build() makes the variables "gain" and "offset".
GraphValues keras_scale(TranslationContext& ctx) {
  if (ctx.text("mode", "linear") != "linear") return {ctx.fail("only the linear mode is translated")};
  return {ctx.op("Add", {ctx.op("Mul", {ctx.input(0), ctx.weight("gain")}), ctx.weight("offset")})};
}

void register_all() {
  using onward::Framework;
  using onward::register_translation;
  sure(register_translation(Framework::kTorch, "mylib::scale(Tensor x, float by=2.0) -> Tensor", torch_scale));
  sure(register_translation(Framework::kTensorFlow, "MyScale", tensorflow_scale));
  sure(register_translation(Framework::kKeras, "my_package>Scale", keras_scale, {.weights = {"gain", "offset"}}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: custom_translation MODEL OUT.onnx\n");
    return 2;
  }
  register_all();
  const onward::Conversion done = sure(onward::convert_file(argv[1], argv[2]));
  std::printf("%s: %zu nodes\n", argv[2], done.nodes);
  std::printf("answer:");
  print(first_answer(sure(onward::Model::load(argv[2]))));
  return 0;
}
