#include "formats/torch/checkpoint.h"
#include "formats/zip.h"
#include "fuzz.h"

// The input is a legacy or tar file as it is, and the data.pkl of a zip (whose checksums a fuzzer could not guess).
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  fuzz_one(data, size, [](const Bytes& file) {
    for (const auto& tensor : torchfile::read_checkpoint(file, "fuzz").tensors) (void)tensor.tensor.contiguous();
  });
  return fuzz_one(data, size, [](const Bytes& file) {
    zip::Writer writer;
    writer.add("m/data.pkl", file);
    writer.add("m/data/0", Bytes::from_string(std::string(64, 'x')));
    std::string archive;
    for (const ByteView part : writer.parts()) archive += as_text(part);
    const auto read = torchfile::read_checkpoint(Bytes::from_string(std::move(archive)), "fuzz");
    for (const auto& tensor : read.tensors) (void)tensor.tensor.contiguous();
  });
}
