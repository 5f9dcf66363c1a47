#include "formats/image/image.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  return fuzz_one(data, size, [](const Bytes& file) { (void)image::read(file, "fuzz"); });
}
