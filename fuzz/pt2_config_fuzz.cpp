#include "formats/torch/pt2_archive.h"
#include "fuzz.h"

// The input is the table of weights of an archive.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  return fuzz_one(data, size, [](const Bytes& config) {
    zip::Writer writer;
    writer.add("m/models/model.json", Bytes::from_string("{}"));
    writer.add("m/data/weights/model_weights_config.json", config);
    writer.add("m/data/weights/weight_0", Bytes::from_string(std::string(64, 'x')));
    std::string archive;
    for (const ByteView part : writer.parts()) archive += as_text(part);
    const auto read = torchfile::Pt2Archive::open(Bytes::from_string(std::move(archive)), "fuzz");
    for (const auto& weight : read.weights()) (void)weight.tensor.contiguous();
  });
}
