#include "fuzz.h"
#include "import/onnx/onnx_reader.h"

// The input is a ModelProto; external data may lie only in a folder that does not exist.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  return fuzz_one(data, size, [](const Bytes& file) { (void)importer::read_onnx(file, "/nonexistent/onward"); });
}
