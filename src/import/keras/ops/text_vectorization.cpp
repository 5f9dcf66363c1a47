// TextVectorization: text → tokens → indices.
//
// Words are compared by a 64-bit polynomial over their characters' codes rather than as strings: so letters can change
// case, punctuation can vanish and words can be joined to n-grams in plain arithmetic. Characters that no term has
// share one code, since a word with one is unknown anyway.
#include <limits>
#include <map>
#include <set>

#include "import/common/recurrent.h"
#include "import/common/strings.h"
#include "import/keras/op_table.h"
#include "import/keras/ops/lookup.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr uint64_t kBase = 0x9e3779b97f4a7c15ULL;
constexpr int64_t kOtherCode = 1;
constexpr int64_t kDropped = 0;
constexpr int64_t kLongest = 256;  // characters that count in a word

// The characters of a UTF-8 string.
std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> result;
  for (size_t i = 0; i < text.size();) {
    const auto head = static_cast<unsigned char>(text[i]);
    const size_t length = head < 0x80 ? 1 : head < 0xE0 ? 2 : head < 0xF0 ? 3 : 4;
    result.push_back(text.substr(i, length));
    i += length;
  }
  return result;
}

// What a character counts as: two and up for those that tell words apart.
class Codes {
 public:
  Codes(const std::vector<std::string>& terms, bool lower, bool strip) {
    for (char c = 33; c < 127; ++c) add(std::string(1, c));
    for (const std::string& term : terms) {
      for (const std::string& character : characters(term)) add(character);
    }
    if (lower) {
      for (char c = 'A'; c <= 'Z'; ++c) codes_[std::string(1, c)] = codes_[std::string(1, static_cast<char>(c + 32))];
    }
    if (strip) {
      for (const char c : std::string("!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'")) codes_[std::string(1, c)] = kDropped;
    }
    codes_[""] = kDropped;
  }

  Value* of(Builder& b, Value* single) const {
    std::vector<std::string> keys;
    std::vector<int64_t> values;
    for (const auto& [character, code] : codes_) {
      keys.push_back(character);
      values.push_back(code);
    }
    return lookup(b, single, keys, values, kOtherCode);
  }

  // The term's polynomial, or nothing where the text could never give it (it has a capital that is made small, say).
  std::optional<int64_t> term(const std::string& text) const {
    uint64_t sum = 0;
    uint64_t power = 1;
    const std::vector<std::string> all = characters(text);
    if (static_cast<int64_t>(all.size()) > kLongest) return std::nullopt;
    for (const std::string& character : all) {
      const auto code = plain_.find(character);
      if (code == plain_.end() || codes_.at(character) != code->second) return std::nullopt;
      sum += static_cast<uint64_t>(code->second) * power;
      power *= kBase;
    }
    return static_cast<int64_t>(sum);
  }
  int64_t space() const { return plain_.at(" "); }

 private:
  void add(const std::string& character) {
    if (plain_.emplace(character, next_).second) codes_[character] = next_++;
  }

  std::map<std::string, int64_t> plain_{{" ", 2}};
  std::map<std::string, int64_t> codes_{{" ", 2}};
  int64_t next_ = 3;
};

Value* power_table(Builder& b) {
  std::vector<int64_t> powers;
  uint64_t power = 1;
  for (int64_t i = 0; i <= kLongest; ++i) {
    powers.push_back(static_cast<int64_t>(power));
    power *= kBase;
  }
  return b.ints(powers);
}

// Tokens [rows, most]: their polynomials, their lengths in characters, and which places hold one.
struct Tokens {
  Value* sums;
  Value* lengths;
};

Value* positive(Builder& b, Value* x) { return b.Greater(x, b.i64(0)); }

// The polynomials of strings [rows, most].
Tokens measured(Builder& b, const Codes& codes, Value* strings) {
  Value* shape = b.Shape(strings);
  Value* code = codes.of(b, split_characters(b, b.Reshape(strings, {-1})));
  Value* kept = b.Cast(positive(b, code), DType::kInt64);
  Value* place = b.op("CumSum", {kept, b.i64(1)}, {{"exclusive", 1}});
  Value* power = b.Gather(power_table(b), b.Min(place, b.i64(kLongest)), 0);
  // Not ReduceSum, which ONNX Runtime computes in floating point.
  Value* sums = b.Squeeze(b.MatMul(b.Unsqueeze(code, {1}), b.Unsqueeze(power, {2})), {1, 2});
  Value* lengths = b.ReduceSum(kept, {1}, false);
  // A word that is too long for the table is unknown: no term has the sum 0 and a length.
  sums = b.Where(b.Greater(lengths, b.i64(kLongest)), b.i64(0), sums);
  return {b.Reshape(sums, shape), b.Reshape(lengths, shape)};
}

// Tokens that have lost all their characters go; the others move up.
Tokens compacted(Builder& b, const Tokens& tokens) {
  Value* present = positive(b, tokens.lengths);
  Value* both = b.Concat({b.Unsqueeze(tokens.sums, {2}), b.Unsqueeze(tokens.lengths, {2})}, 2);
  const PackedSteps packed = pack_steps(b, both, present);
  Value* most = b.ReduceMax(b.Cast(packed.lengths, DType::kInt64), {0});
  Value* cut = b.Slice(packed.x, b.ints({0}), most, b.ints({1}));
  return {b.Select(cut, 0, 2), b.Select(cut, 1, 2)};
}

// Every `width` tokens in a row, joined by spaces.
Tokens joined(Builder& b, const Codes& codes, const Tokens& tokens, int64_t width) {
  Value* table = power_table(b);
  const auto power = [&](Value* exponent) { return b.Gather(table, b.Min(exponent, b.i64(kLongest)), 0); };
  const auto from = [&](Value* x, int64_t start) {
    const int64_t end = start - width + 1;
    return b.Slice(x, start, end < 0 ? end : std::numeric_limits<int64_t>::max(), 1);
  };
  // Shorter texts than the width have no such gram.
  Value* sums = from(tokens.sums, 0);
  Value* lengths = from(tokens.lengths, 0);
  Value* whole = positive(b, lengths);
  for (int64_t i = 1; i < width; ++i) {
    Value* more = from(tokens.lengths, i);
    whole = b.And(whole, positive(b, more));
    sums = b.Add(sums, b.Mul(power(lengths), b.i64(codes.space())));
    lengths = b.Add(lengths, b.i64(1));
    sums = b.Add(sums, b.Mul(power(lengths), from(tokens.sums, i)));
    lengths = b.Add(lengths, more);
  }
  sums = b.Where(b.Greater(lengths, b.i64(kLongest)), b.i64(0), sums);
  return {sums, b.Where(whole, lengths, b.i64(0))};
}

std::vector<int64_t> gram_widths(const Json& given) {
  if (given.is_null()) return {};
  if (given.is_array()) return given.as_ints();
  std::vector<int64_t> widths;
  for (int64_t i = 1; i <= given.as_int(); ++i) widths.push_back(i);
  return widths;
}

Tokens with_grams(const Context& ctx, const Codes& codes, Tokens tokens) {
  const std::vector<int64_t> widths = gram_widths(ctx.config["ngrams"]);
  if (widths.empty()) return tokens;
  Builder& b = ctx.b;
  ir::Values sums;
  ir::Values lengths;
  for (const int64_t width : widths) {
    ctx.require(width > 0 && width <= 64, "ngrams is out of range");
    const Tokens grams = width == 1 ? tokens : joined(b, codes, tokens, width);
    sums.push_back(grams.sums);
    lengths.push_back(grams.lengths);
  }
  return compacted(b, {b.Concat(sums, 1), b.Concat(lengths, 1)});
}

// Rows cut or filled with 0 to `length`.
Value* fitted(Builder& b, Value* x, int64_t length) {
  Value* cut = b.Slice(x, 0, length, 1);
  Value* missing = b.Sub(b.ints({length}), b.dim(cut, 1));
  Value* y = b.op("Pad", {cut, b.Concat({b.ints({0, 0, 0}), missing}, 0)});
  return b.Reshape(y, {-1, length});
}

struct Options {
  bool lower;
  bool strip;
};

Options standardization(const Context& ctx) {
  const Json& given = ctx.config["standardize"];
  if (given.is_null()) return {false, false};
  ctx.require(given.is_string(), "a standardize function of your own is not supported");
  const std::string name = given.as_string();
  if (name == "lower") return {true, false};
  if (name == "strip_punctuation") return {false, true};
  ctx.require(name == "lower_and_strip_punctuation", "standardize \"" + name + "\" is unknown");
  return {true, true};
}

// TextVectorization(standardize, split="whitespace", ngrams=None, output_mode="int", output_sequence_length=None)
ir::Values text_vectorization(Context& ctx) {
  Builder& b = ctx.b;
  const Options options = standardization(ctx);
  const Json& split = ctx.config["split"];
  ctx.require(split.is_string() && (split.as_string() == "whitespace" || split.as_string() == "character"),
              "split must be \"whitespace\" or \"character\"");
  ctx.require(!ctx.config.get("ragged", false), "ragged results are not supported");
  const Vocabulary vocabulary = read_vocabulary(ctx, 1, true);
  const Codes codes(vocabulary.terms, options.lower, options.strip);
  Value* text = b.Reshape(ctx.x(), {-1});
  const bool words = split.as_string() == "whitespace";
  // A space between characters is a token of its own when splitting by character.
  Tokens tokens = compacted(b, measured(b, codes, words ? split_words(b, text) : split_characters(b, text)));
  tokens = with_grams(ctx, codes, tokens);
  std::vector<int64_t> keys;
  std::vector<int64_t> values;
  std::set<int64_t> seen;
  for (size_t i = 0; i < vocabulary.terms.size(); ++i) {
    const std::optional<int64_t> sum = codes.term(vocabulary.terms[i]);
    if (!sum || !seen.insert(*sum).second) continue;
    keys.push_back(*sum);
    values.push_back(vocabulary.start() + static_cast<int64_t>(i));
  }
  Value* found = lookup(b, tokens.sums, keys, values, vocabulary.oov_start());
  Value* present = positive(b, tokens.lengths);
  if (vocabulary.mode != "int") {
    Value* counted = b.Where(present, found, b.i64(std::numeric_limits<int64_t>::max()));
    return {encode_indices(ctx, vocabulary, counted)};
  }
  Value* indices = b.Where(present, found, b.i64(0));
  const Json& length = ctx.config["output_sequence_length"];
  return {length.is_null() ? indices : fitted(b, indices, length.as_int())};
}

}  // namespace

void register_text_vectorization(OpTable& table) { table.add("TextVectorization", {text_vectorization}); }

}  // namespace onward::importer::keras
