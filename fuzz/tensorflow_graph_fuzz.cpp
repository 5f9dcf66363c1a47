#include "formats/tensorflow/saved_model.h"
#include "fuzz.h"
#include "import/tensorflow/tensorflow.h"
#include "schema/schema_inference.h"

// The input is a GraphDef, a MetaGraphDef and, as text, a .pbtxt.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  static const schema::SchemaInference inference;
  fuzz_one(data, size, [](const Bytes& file) { (void)tensorflow::read_meta_graph(file, "fuzz"); });
  fuzz_one(data, size, [](const Bytes& file) {
    (void)importer::read_graphdef(file, "fuzz", true, importer::Options(), inference);
  });
  return fuzz_one(data, size, [](const Bytes& file) {
    (void)importer::read_graphdef(file, "fuzz", false, importer::Options(), inference);
  });
}
