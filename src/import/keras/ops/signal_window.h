// The windows that short-time Fourier transforms lay over a signal.
#pragma once

#include <vector>

#include "base/json.h"

namespace onward::importer::keras {

// "hann", "hamming" (periodic), a list of numbers, or null for ones: `length` of them in the middle of `size`, zeros
// around. Throws Error(kUnimplemented) for another name.
std::vector<double> signal_window(const Json& given, int64_t length, int64_t size);

}  // namespace onward::importer::keras
