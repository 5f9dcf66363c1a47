#include "formats/zip.h"
#include "fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  return fuzz_one(data, size, [](const Bytes& file) {
    const auto archive = zip::Archive::open(file);
    for (const auto& entry : archive.entries()) (void)archive.read(entry);
  });
}
