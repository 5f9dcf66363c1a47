// Both of Keras' files, HDF5 and config included.
#include "fuzz.h"
#include "import/keras/keras.h"
#include "schema/schema_inference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  static const schema::SchemaInference kInference;
  return fuzz_one(data, size, [](const Bytes& file) { (void)importer::read_keras(file, "fuzz", {}, kInference); });
}
