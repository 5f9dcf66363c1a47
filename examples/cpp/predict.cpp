// Loads any model file, tells what it takes and gives, converts it, and predicts with both.
//
//   predict Model.keras Model.onnx
#include "shared.h"

namespace {

void print(const char* what, const std::vector<onward::ValueInfo>& values) {
  for (const onward::ValueInfo& value : values) {
    std::printf("%s %s %s %s\n", what, value.name.c_str(), std::string(onward::dtype_name(value.dtype)).c_str(),
                onward::shape_text(value.shape).c_str());
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: predict MODEL OUT.onnx\n");
    return 2;
  }
  const onward::Model model = sure(onward::Model::load(argv[1]));
  print("in ", model.inputs());
  print("out", model.outputs());
  const onward::Conversion done = sure(onward::convert_file(argv[1], argv[2], {.opset = 17}));
  std::printf("%s: opset %d, %zu nodes, %zu bytes\n", argv[2], done.opset, done.nodes, done.bytes);
  const onward::Model converted = sure(onward::Model::load(argv[2]));
  std::printf("answer:");
  print(first_answer(model));
  std::printf("again: ");
  print(first_answer(converted));
  return 0;
}
