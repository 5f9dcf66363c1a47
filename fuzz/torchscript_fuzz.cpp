#include "formats/zip.h"
#include "fuzz.h"
#include "import/torch/torchscript.h"
#include "schema/schema_inference.h"

namespace {

// An archive of one module, `__torch__.M`, without attributes but `training`.
onward::Bytes archive_of(const onward::Bytes& code) {
  using namespace onward;
  using namespace std::string_view_literals;
  zip::Writer writer;
  const auto add = [&writer](const std::string& name, std::string_view content) {
    writer.add(name, Bytes::from_string(std::string(content)));
  };
  add("m/data.pkl",
      "\x80\x02"
      "c__torch__\nM\n)\x81}X\x08\x00\x00\x00training\x89sb."sv);
  add("m/constants.pkl", "\x80\x02)."sv);
  add("m/version", "3\n");
  add("m/byteorder", "little");
  writer.add("m/code/__torch__.py", code);
  std::string file;
  for (const ByteView part : writer.parts()) file += as_text(part);
  return Bytes::from_string(std::move(file));
}

}  // namespace

// The input is an archive, and the code of one whose checksums a fuzzer could not guess.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  static const schema::SchemaInference inference;
  fuzz_one(data, size, [](const Bytes& file) { (void)importer::read_torchscript(file, "fuzz", {}, inference); });
  return fuzz_one(data, size,
                  [](const Bytes& code) { (void)importer::read_torchscript(archive_of(code), "fuzz", {}, inference); });
}
