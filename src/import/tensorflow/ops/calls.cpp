// Function calls: inlined where they stand.
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

// PartitionedCall(args: Tin, f: func) -> output: Tout
Items call(Call& c) { return c.evaluator().call(c.function("f"), c.items(), c.b, c.state(), c.scope().depth + 1); }

}  // namespace

void register_calls(OpTable& t) {
  for (const char* name : {"PartitionedCall", "StatefulPartitionedCall"}) {
    t.add(name, call);
    t.structural(name);
  }
}

}  // namespace onward::importer::tf
