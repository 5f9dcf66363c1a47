#include "formats/tensorflow/bundle.h"
#include "formats/tensorflow/crc32c.h"
#include "fuzz.h"

namespace {

// A table around one block: what a fuzzer could not get past is the checksums.
std::string table_of(std::string_view block) {
  using namespace onward;
  const auto put = [](std::string& out, uint64_t value) {
    for (; value >= 0x80; value >>= 7U) out.push_back(static_cast<char>(value | 0x80U));
    out.push_back(static_cast<char>(value));
  };
  std::string file;
  const auto add_block = [&](std::string content) {
    std::string handle;
    put(handle, file.size());
    put(handle, content.size());
    content.push_back('\0');
    const uint32_t crc = tensorflow::masked_crc(tensorflow::crc32c(as_bytes(content)));
    file += content;
    file.append(reinterpret_cast<const char*>(&crc), sizeof(crc));
    return handle;
  };
  const std::string data = add_block(std::string(block));
  std::string index;
  put(index, 0);
  put(index, 0);
  put(index, data.size());
  index += data;
  index.append(8, '\0');
  std::string footer = data + add_block(index);
  footer.resize(40);
  const uint64_t magic = 0xdb4775248b80fb57ULL;
  footer.append(reinterpret_cast<const char*>(&magic), sizeof(magic));
  return file + footer;
}

void read_all(const onward::Bytes& index) {
  using namespace onward;
  const auto bundle = tensorflow::Bundle::parse(index, {Bytes::from_string(std::string(64, 'x'))}, "fuzz");
  for (const auto& entry : bundle.entries()) {
    try {
      (void)bundle.read(entry.first);
    } catch (const Error&) {
    }
  }
}

}  // namespace

// The input is an index file as it is, and the block of one.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  fuzz_one(data, size, read_all);
  return fuzz_one(data, size, [](const Bytes& block) { read_all(Bytes::from_string(table_of(block.text()))); });
}
