// Strings in the graph, for all who import models that read text: tables, characters, hashes. ONNX has few operators on
// strings; these use ai.onnx.ml's LabelEncoder and ONNX Runtime's Tokenizer.
#pragma once

#include <string>
#include <vector>

#include "ir/builder.h"

namespace onward::importer {

// The value at a key, element by element; `fallback` for unknown ones.
ir::Value* lookup(ir::Builder& b, ir::Value* x, const std::vector<std::string>& keys,
                  const std::vector<int64_t>& values, int64_t fallback);
ir::Value* lookup(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& keys, const std::vector<int64_t>& values,
                  int64_t fallback);
ir::Value* lookup(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& keys,
                  const std::vector<std::string>& values, const std::string& fallback);

// `x` [n] → its parts [n, most], padded with "": words between white space, or single characters.
ir::Value* split_words(ir::Builder& b, ir::Value* x);
ir::Value* split_characters(ir::Builder& b, ir::Value* x);

// The code points of single characters, int64; -1 for "". Of what split_characters() gives; see utf8_text() for what is
// known.
ir::Value* code_points(ir::Builder& b, ir::Value* characters);

// Decimal digits of int64 numbers `x` [n] as the bytes of their text, [n, 20], with the lengths [n] int64.
struct Text {
  ir::Value* bytes;    // [n, width] int64, 0 behind the end
  ir::Value* lengths;  // [n] int64
};
Text decimal_text(ir::Builder& b, ir::Value* x);
// The UTF-8 bytes of strings `x` [n]. Known are the Basic Multilingual Plane and the usual emoji; any other character
// stands as U+FFFD.
Text utf8_text(ir::Builder& b, ir::Value* x);

// FarmHash's Fingerprint64 of texts, as the bits of an int64 [n].
ir::Value* fingerprint64(ir::Builder& b, const Text& text);
// TensorFlow's FingerprintCat64 of two such hashes.
ir::Value* fingerprint_cat64(ir::Builder& b, ir::Value* first, ir::Value* second);
// SipHash-2-4 of texts with a key, as the bits of an int64 [n].
ir::Value* siphash(ir::Builder& b, const Text& text, uint64_t key0, uint64_t key1);
// `hash` as an unsigned number modulo `buckets`, int64.
ir::Value* unsigned_mod(ir::Builder& b, ir::Value* hash, int64_t buckets);

}  // namespace onward::importer
