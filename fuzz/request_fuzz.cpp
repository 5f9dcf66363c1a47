// Bodies of requests: /predict, Open Inference Protocol, generate, TensorFlow Serving, compressed ones, and trace
// headers. The first byte chooses the reader.
#include "fuzz.h"
#include "server/http/compression.h"
#include "server/protocol/fanout.h"
#include "server/protocol/generate.h"
#include "server/protocol/oip.h"
#include "server/protocol/tfs.h"
#include "server/trace.h"

namespace {

using namespace onward;

const serving::ModelPtr& model() {
  static const auto loaded = std::make_shared<const serving::Model>(
      "fuzz", 1, runtime::Session::load(ONWARD_SOURCE_DIR "/tests/fixtures/models/pair.onnx"), serving::ModelConfig());
  return loaded;
}

void read_fanout(const Bytes& body) {
  server::http::Request request;
  request.body = body;
  const server::fanout::Request read = server::fanout::read(request, {model()});
  (void)server::fanout::inputs_for(*model(), read);
}

void read_binary(const Bytes& body) {
  // The first two bytes are the JSON's length, as a client would tell it.
  ByteReader reader(body.view());
  const auto length = reader.read<uint16_t>();
  (void)server::oip::read_infer(*model(), body.slice(2, body.size() - 2), std::to_string(length));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  constexpr size_t kLimit = 1 << 20;
  return fuzz_one(data + 1, size - 1, [which = data[0] % 8](const Bytes& body) {
    bool sampled = false;
    switch (which) {
      case 0:
        return read_fanout(body);
      case 1:
        return (void)server::oip::read_infer(*model(), body, "");
      case 2:
        return read_binary(body);
      case 3:
        return (void)server::tfs::read_predict(*model(), body.text());
      case 4:
        return (void)server::tfs::read_examples(*model(), body.text());
      case 5:
        return (void)server::http::decompress(body, "gzip", kLimit);
      case 6:
        return (void)server::read_traceparent(body.text(), sampled);
      default:
        return (void)server::generate::read(*model(), body.text());
    }
  });
}
