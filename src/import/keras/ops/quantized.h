// Layers that Keras has quantized (model.quantize("int8")).
#pragma once

#include "import/keras/context.h"

namespace onward::importer::keras {

// For what is not read here: a SavedModel has the arithmetic in it.
inline constexpr const char* kQuantizedHint =
    "export the model (model.export(FOLDER)) and convert the folder; or save it before quantizing, convert that, and "
    "quantize the result with onward quantize";

// Whether the layer's policy is a quantized one. Its weights are int8 with a scale to divide by.
bool is_quantized(const Layer& layer);
// The variable in floating numbers: as it is, or, int8, without its scale taken off yet. Throws Error(kUnimplemented)
// for other kinds (int4, float8, GPTQ, AWQ).
ir::Value* quantized_weight(const Context& ctx, const std::string& name);
// The scale that quantized_weight has left in, or null.
ir::Value* weight_scale(const Context& ctx, const std::string& name);

// What Keras' int8 layers do to their input: integers from -127 to 127 (in `x`'s dtype) over the last `axes` axes, and
// the scale they were multiplied by, those axes left out.
struct Rounded {
  ir::Value* x;
  ir::Value* scale;
};
Rounded rounded_input(ir::Builder& b, ir::Value* x, size_t axes);
// Whether the layer rounds its input at all.
bool rounds_input(const Layer& layer);

}  // namespace onward::importer::keras
