// The key in a file's metadata that tells how it was quantized.
#pragma once

namespace onward::quantize {

constexpr const char* kQuantizedMark = "onward.quantized";

}  // namespace onward::quantize
