// StringLookup, IntegerLookup, Hashing, HashedCrossing.
#include "import/keras/ops/lookup.h"

#include <limits>
#include <numeric>

#include "import/common/strings.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/categories.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

std::string term_text(const Json& json) { return json.is_string() ? json.as_string() : std::to_string(json.as_int()); }

std::vector<int64_t> indices_of(const Vocabulary& vocabulary) {
  std::vector<int64_t> indices(vocabulary.terms.size());
  std::iota(indices.begin(), indices.end(), vocabulary.start());
  return indices;
}

std::vector<int64_t> integer_terms(const Context& ctx, const Vocabulary& vocabulary) {
  std::vector<int64_t> terms;
  for (const std::string& term : vocabulary.terms) {
    char* end = nullptr;
    terms.push_back(std::strtoll(term.c_str(), &end, 10));
    ctx.require(end != term.c_str() && *end == '\0', "the term \"" + term + "\" is no integer");
  }
  return terms;
}

// A hash of each element, in [0, buckets).
Value* hashed(const Context& ctx, Value* x, int64_t buckets) {
  Builder& b = ctx.b;
  Value* flat = b.Reshape(x, {-1});
  const Text text = x->dtype == DType::kString ? utf8_text(b, flat) : decimal_text(b, b.Cast(flat, DType::kInt64));
  const Json& salt = ctx.config["salt"];
  Value* hash = nullptr;
  if (salt.is_null()) {
    hash = fingerprint64(b, text);
  } else {
    const std::vector<int64_t> key = salt.is_array() ? salt.as_ints() : std::vector<int64_t>(2, salt.as_int());
    ctx.require(key.size() == 2, "a salt is a number or a pair of them");
    hash = siphash(b, text, static_cast<uint64_t>(key[0]), static_cast<uint64_t>(key[1]));
  }
  return b.Reshape(unsigned_mod(b, hash, buckets), b.Shape(x));
}

// Unknown terms (-1) by hash or, integers, by remainder.
Value* spread_unknown(const Context& ctx, const Vocabulary& vocabulary, Value* x, Value* indices) {
  Builder& b = ctx.b;
  if (vocabulary.oov < 2) return indices;
  const bool remainder = x->dtype != DType::kString && ctx.config.get("oov_method", "floormod") != "farmhash";
  Value* bucket = remainder ? b.Mod(b.Cast(x, DType::kInt64), b.i64(vocabulary.oov)) : hashed(ctx, x, vocabulary.oov);
  Value* unknown = b.Equal(indices, b.i64(-1));
  return b.Where(unknown, b.Add(bucket, b.i64(vocabulary.oov_start())), indices);
}

Value* inverted(const Context& ctx, const Vocabulary& vocabulary, Value* x) {
  Builder& b = ctx.b;
  std::vector<int64_t> keys = indices_of(vocabulary);
  const Json& mask = ctx.config["mask_token"];
  const Json& oov = ctx.config["oov_token"];
  if (ctx.layer.class_name == "IntegerLookup") {
    std::vector<int64_t> values = integer_terms(ctx, vocabulary);
    if (!mask.is_null()) {
      keys.push_back(0);
      values.push_back(mask.as_int());
    }
    return lookup(b, x, keys, values, oov.is_null() ? -1 : oov.as_int());
  }
  std::vector<std::string> values = vocabulary.terms;
  if (!mask.is_null()) {
    keys.push_back(0);
    values.push_back(mask.as_string());
  }
  return lookup(b, x, keys, values, oov.is_null() ? "[UNK]" : oov.as_string());
}

// StringLookup(vocabulary, num_oov_indices=1, mask_token=None, oov_token, invert=False, output_mode="int");
// IntegerLookup likewise
ir::Values index_lookup(Context& ctx) {
  Builder& b = ctx.b;
  const Json& mask = ctx.config["mask_token"];
  const Vocabulary vocabulary = read_vocabulary(ctx, ctx.config.get("num_oov_indices", 1), !mask.is_null());
  Value* x = ctx.x();
  if (ctx.config.get("invert", false)) return {inverted(ctx, vocabulary, x)};
  const int64_t fallback = vocabulary.oov == 1 ? vocabulary.oov_start() : -1;
  // Masked terms are 0, and count for nothing where categories are encoded.
  const int64_t masked = vocabulary.mode == "int" ? 0 : std::numeric_limits<int64_t>::max();
  std::vector<int64_t> values = indices_of(vocabulary);
  Value* indices = nullptr;
  if (ctx.layer.class_name == "IntegerLookup") {
    std::vector<int64_t> keys = integer_terms(ctx, vocabulary);
    if (!mask.is_null()) {
      keys.push_back(mask.as_int());
      values.push_back(masked);
    }
    indices = lookup(b, x, keys, values, fallback);
  } else {
    ctx.require(x->dtype == DType::kString, "needs strings");
    std::vector<std::string> keys = vocabulary.terms;
    if (!mask.is_null()) {
      keys.push_back(mask.as_string());
      values.push_back(masked);
    }
    indices = lookup(b, x, keys, values, fallback);
  }
  return {encode_indices(ctx, vocabulary, spread_unknown(ctx, vocabulary, x, indices))};
}

// Hashing(num_bins, mask_value=None, salt=None, output_mode="int")
ir::Values hashing(Context& ctx) {
  Builder& b = ctx.b;
  Value* x = ctx.x();
  const int64_t bins = ctx.config.at("num_bins").as_int();
  const Json& mask = ctx.config["mask_value"];
  const bool masked = !mask.is_null() && bins > 1;
  ctx.require(bins > 0, "num_bins must be positive");
  Value* found = hashed(ctx, x, masked ? bins - 1 : bins);
  if (masked) {
    // Strings have no Equal before opset 19.
    Value* hit = mask.is_string() ? b.Equal(lookup(b, x, std::vector<std::string>{mask.as_string()}, {1}, 0), b.i64(1))
                                  : b.Equal(x, b.number_like(mask.as_double(), x));
    found = b.Where(hit, b.i64(0), b.Add(found, b.i64(1)));
  }
  const std::string mode = ctx.config.get("output_mode", "int");
  return {encode_categories(ctx, found, mode, bins, encoded_dtype(ctx, mode == "int" ? DType::kInt64 : DType::kFloat))};
}

// HashedCrossing(num_bins, output_mode="int"): one hash of the features of a row
ir::Values hashed_crossing(Context& ctx) {
  constexpr int64_t kKey = 0xDECAFCAFFE;
  Builder& b = ctx.b;
  const ir::Values inputs = ctx.inputs();
  ctx.require(inputs.size() > 1, "needs at least two inputs");
  const int64_t bins = ctx.config.at("num_bins").as_int();
  ctx.require(bins > 0, "num_bins must be positive");
  Value* hash = nullptr;
  for (Value* x : inputs) {
    Value* flat = b.Reshape(x, {-1});
    Value* own = x->dtype == DType::kString ? fingerprint64(b, utf8_text(b, flat)) : b.Cast(flat, DType::kInt64);
    if (hash == nullptr) hash = b.Expand(b.i64(kKey), b.Shape(own));
    hash = fingerprint_cat64(b, hash, own);
  }
  Value* found = b.Reshape(unsigned_mod(b, hash, bins), b.Shape(inputs.front()));
  const std::string mode = ctx.config.get("output_mode", "int");
  return {encode_categories(ctx, found, mode, bins, encoded_dtype(ctx, mode == "int" ? DType::kInt64 : DType::kFloat))};
}

}  // namespace

Vocabulary read_vocabulary(const Context& ctx, int64_t oov, bool masked) {
  Vocabulary vocabulary{{}, oov, masked, ctx.config.get("output_mode", "int")};
  const Json& given = ctx.config["vocabulary"];
  if (given.is_array()) {
    for (const Json& term : given.as_array()) vocabulary.terms.push_back(term_text(term));
    return vocabulary;
  }
  // Learned by adapt(): a file with one term a line, the special ones first.
  const std::optional<std::string> file = ctx.asset("vocabulary.txt");
  ctx.require(file.has_value(), "has no vocabulary in the file",
              "save as .keras, which keeps what adapt() has learned, or give the layer its vocabulary");
  size_t start = 0;
  while (start <= file->size()) {
    const size_t end = std::min(file->find('\n', start), file->size());
    vocabulary.terms.push_back(file->substr(start, end - start));
    start = end + 1;
  }
  const auto special = std::min<size_t>(static_cast<size_t>(vocabulary.start()), vocabulary.terms.size());
  vocabulary.terms.erase(vocabulary.terms.begin(), vocabulary.terms.begin() + static_cast<int64_t>(special));
  return vocabulary;
}

Value* encode_indices(const Context& ctx, const Vocabulary& vocabulary, Value* x) {
  Builder& b = ctx.b;
  if (vocabulary.mode == "int") return x;
  const int64_t depth =
      ctx.config.get("pad_to_max_tokens", false) ? ctx.config.get("max_tokens", vocabulary.size()) : vocabulary.size();
  const DType plain = ctx.session.legacy ? DType::kFloat : DType::kInt64;
  if (vocabulary.mode != "tf_idf" && vocabulary.mode != "tf-idf") {
    return encode_categories(ctx, x, vocabulary.mode, depth, plain);
  }
  const Json& given = ctx.config["idf_weights"];
  const Json& list = given.is_object() && given.contains("config") ? given["config"]["value"] : given;
  ctx.require(list.is_array(), "has no idf_weights in the file");
  // The unknown weigh as much as a term does on average.
  std::vector<double> weights;
  for (const Json& item : list.as_array()) weights.push_back(item.as_double());
  const double mean =
      std::accumulate(weights.begin(), weights.end(), 0.0) / std::max<double>(1, static_cast<double>(weights.size()));
  weights.insert(weights.begin(), static_cast<size_t>(vocabulary.oov), mean);
  weights.resize(static_cast<size_t>(depth), 0);
  Value* factors = b.constant(ir::Tensor::from_doubles(DType::kFloat, {depth}, weights));
  return b.Mul(encode_categories(ctx, x, "count", depth, DType::kFloat), factors);
}

void register_lookup(OpTable& table) {
  table.add("StringLookup", {index_lookup});
  table.add("IntegerLookup", {index_lookup});
  table.add("Hashing", {hashing});
  table.add("HashedCrossing", {hashed_crossing});
}

}  // namespace onward::importer::keras
