// Tensors in JSON: nested or flat lists of numbers, booleans or strings.
#pragma once

#include <string>
#include <string_view>

#include "ir/tensor.h"
#include "server/protocol/json_reader.h"

namespace onward::server {

// Reads the value at the reader as a tensor of `dtype`; its dims are the lists' nesting (a bare number is a scalar).
// Numbers that `dtype` can't hold are refused: 1.9 for an integer, 300 for uint8, 1e39 for float32 (NaN and infinities
// are fine for floating types). Lists of uneven length are refused. `what` names the value in errors.
ir::Tensor read_tensor(JsonReader& reader, ir::DType dtype, std::string_view what);

// The same, where the dims are told apart from the data, which may be nested like them or flat.
ir::Tensor read_tensor(JsonReader& reader, ir::DType dtype, const ir::Dims& dims, std::string_view what);

// Reads by what the first leaf is: strings, booleans, or numbers as doubles.
ir::Tensor read_any_tensor(JsonReader& reader, std::string_view what);

// `tensor` with its elements as `dtype`; nothing is lost silently. Throws Error(kInvalidArgument).
ir::Tensor convert_exactly(const ir::Tensor& tensor, ir::DType dtype, std::string_view what);

// Appends nested lists (a scalar as a bare value), or one flat list. Floats print shortest round-trip; NaN and
// infinities as Python's tokens; strings that are not UTF-8 as {"b64": "…"}.
void write_tensor(std::string& out, const ir::Tensor& tensor);
void write_flat(std::string& out, const ir::Tensor& tensor);
// One element of it.
void write_element(std::string& out, const ir::Tensor& tensor, size_t index);
void write_json_string(std::string& out, std::string_view text);

}  // namespace onward::server
