// What can be said about a file that is read, and what is told about its inputs and outputs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onward/export.h"
#include "onward/tensor.h"

namespace onward {

// One dimension: a number, or one that varies from call to call.
struct Dim {
  int64_t size = -1;   // -1: varies
  std::string symbol;  // of one that varies, where it has a name: "batch"

  bool operator==(const Dim&) const = default;
};
using Shape = std::vector<Dim>;

// "[batch,3,224,224]"
ONWARD_API std::string shape_text(const Shape& shape);

struct ValueInfo {
  std::string name;
  DType dtype = DType::kUndefined;
  Shape shape;
};

// How a source file is read; what a format has no use for is ignored.
struct ImportOptions {
  // Shapes of inputs where the file leaves them open, by the input's name.
  std::map<std::string, Shape> input_shapes;
  // Of a SavedModel; empty: "serving_default" and "serve".
  std::string signature;
  std::string tag;
  // Graph tensors that are the inputs and outputs, where the file has no signature (a frozen GraphDef).
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
};

enum class Layout {
  kSource,  // as the file has it
  kNchw,    // image inputs and outputs that are NHWC become NCHW
};

struct ConvertOptions {
  ImportOptions import;
  // Of the result; none: 18, or the oldest later one that can express the model.
  std::optional<int> opset;
  Layout layout = Layout::kSource;
};

}  // namespace onward
