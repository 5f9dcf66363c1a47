#include "formats/torch/pt2_archive.h"
#include "fuzz.h"
#include "import/torch/pt2.h"
#include "schema/schema_inference.h"

// The input is the program's JSON, in an archive whose checksums a fuzzer could not guess, and the archive itself.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  const schema::SchemaInference inference;
  fuzz_one(data, size, [&](const Bytes& file) { (void)importer::read_pt2(file, "fuzz", {}, inference); });
  return fuzz_one(data, size, [&](const Bytes& json) {
    zip::Writer writer;
    writer.add("m/models/model.json", json);
    writer.add("m/data/weights/model_weights_config.json",
               Bytes::from_string(R"({"config": {"layer.w": {"path_name": "w", "is_param": true, "use_pickle": false,
                 "tensor_meta": {"dtype": 7, "sizes": [{"as_int": 2}], "strides": [{"as_int": 1}],
                 "storage_offset": {"as_int": 0}, "layout": 7}}}})"));
    writer.add("m/data/weights/w", Bytes::from_string(std::string(8, 'x')));
    std::string archive;
    for (const ByteView part : writer.parts()) archive += as_text(part);
    (void)importer::read_pt2(Bytes::from_string(std::move(archive)), "fuzz", {}, inference);
  });
}
