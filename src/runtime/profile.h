// What ONNX Runtime's profiler writes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace onward::runtime {

// Milliseconds of each run of a node by its name in the model; what ONNX Runtime fused into one node has the name of
// its main one. Throws Error(kDataLoss) for another text.
std::map<std::string, std::vector<double>> read_profile(std::string_view json);

}  // namespace onward::runtime
