// An operator that ONNX has no words for: a TensorFlow op becomes a custom operator of ONNX Runtime, whose library goes
// along with the model.
//
//   custom_op MODEL OUT.onnx libscale_op.so
#include "shared.h"

namespace {

onward::GraphValues scale(onward::TranslationContext& ctx) {
  const onward::GraphValue x = ctx.input(0);
  const onward::ValueInfo same{"", ctx.dtype(x), ctx.shape(x).value_or(onward::Shape())};
  return ctx.custom_ops("mylib", "Scale", {x}, {same}, {{"by", ctx.number("by", 2.0)}});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: custom_op MODEL OUT.onnx LIBRARY\n");
    return 2;
  }
  sure(onward::register_translation(onward::Framework::kTensorFlow, "MyScale", scale));
  sure(onward::convert_file(argv[1], argv[2]));
  std::printf("answer:");
  print(first_answer(sure(onward::Model::load(argv[2], {.custom_ops = {argv[3]}}))));
  return 0;
}
