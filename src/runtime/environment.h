// What all sessions share: one pair of thread pools, one memory arena, ONNX's operator schemas.
#pragma once

namespace onward::runtime {

// Makes it now, so that the first session does not pay for it in memory and time.
void prepare_environment();

}  // namespace onward::runtime
