// Strings, as far as ONNX goes: joining, splitting and matching need opset 20, comparing 19.
#include "import/common/strings.h"

#include <algorithm>
#include <cctype>
#include <optional>

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::DType;
using ir::Tensor;
using ir::Value;

Value* text(Builder& b, const std::string& value) { return b.constant(Tensor::of_strings({}, {value})); }

Value* joined(Builder& b, Value* a, const std::string& separator, Value* c) {
  if (!separator.empty()) a = b.op("StringConcat", {a, text(b, separator)});
  return b.op("StringConcat", {a, c});
}

// StringJoin(inputs: N * string, separator: string = "") -> output
Value* join(Call& c) {
  Value* result = c.input(0);
  for (size_t i = 1; i < c.input_count(); ++i) result = joined(c.b, result, c.text("separator"), c.input(i));
  return result;
}

// ReduceJoin(inputs: string, reduction_indices: int32, keep_dims: bool = false, separator: string = "") -> output
Value* reduce_join(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  std::vector<int64_t> axes = c.constant_ints(1, "axis");
  for (int64_t& axis : axes) axis = c.axis(axis, x);
  if (axes.empty()) {
    for (int64_t i = static_cast<int64_t>(x->rank()) - 1; i >= 0; --i) axes.push_back(i);
  }
  for (const int64_t axis : axes) {
    const ir::Dim size = x->dim(static_cast<size_t>(axis));
    c.require(size.is_known() && size.value() > 0, "the dimension that is joined is only known when the model runs");
    const ir::Values parts = b.Split(x, std::vector<int64_t>(static_cast<size_t>(size.value()), 1), axis);
    x = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) x = joined(b, x, c.text("separator"), parts[i]);
  }
  return c.flag("keep_dims") ? x : b.Squeeze(x, axes);
}

// StringSplitV2(input: string, sep: string, maxsplit: int = -1) -> indices: int64, values: string, shape: int64
ir::Values split(Call& c) {
  Builder& b = c.b;
  const int64_t most = c.integer("maxsplit", -1);
  ir::Attrs attrs{{"delimiter", c.constant_text(1, "separator")}};
  if (most >= 0) attrs.set("maxsplit", most);
  const ir::Values pieces = b.ops("StringSplit", {c.input(0)}, 2, std::move(attrs));
  pieces[1]->dtype = DType::kInt64;
  Value* counts = pieces[1];
  Value* longest = b.dim(pieces[0], -1);
  Value* columns = b.Range(b.i64(0), b.Squeeze(longest, {0}), b.i64(1));
  Value* there = b.Less(b.Unsqueeze(columns, {0}), b.Unsqueeze(counts, {1}));
  Value* indices = b.Transpose(b.NonZero(there), {1, 0});
  return {indices, b.op("GatherND", {pieces[0], indices}), b.Concat({b.dim(counts, 0), longest}, 0)};
}

// StaticRegexFullMatch(input: string, pattern: string) -> output: bool
Value* static_match(Call& c) { return c.b.op("RegexFullMatch", {c.input(0)}, {{"pattern", c.text("pattern")}}); }
// RegexFullMatch(input: string, pattern: string) -> output: bool
Value* match(Call& c) { return c.b.op("RegexFullMatch", {c.input(0)}, {{"pattern", c.constant_text(1, "pattern")}}); }

// StringToNumber(string_tensor: string, out_type: type = float) -> output
Value* to_number(Call& c) { return c.b.Cast(c.input(0), c.dtype("out_type", tensorflow::DataType::kFloat)); }

// AsString(input: T, precision: int = -1, scientific: bool = false, shortest: bool = false, width: int = -1,
//          fill: string = "") -> output
Value* as_string(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  if (x->dtype == DType::kString) return x;
  c.require(c.integer("width", -1) < 0, "a field width is not supported");
  if (x->dtype == DType::kBool) {
    return b.Where(x, text(b, "true"), text(b, "false"));
  }
  c.require(ir::is_integer(x->dtype), "floats are written in another way than ONNX does");
  return b.Cast(x, DType::kString);
}

// --- characters ------------------------------------------------------------------------------------------------------

// StringLength(input: string, unit: string = "BYTE") -> output: int32
Value* length(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* flat = b.Reshape(x, {-1});
  Value* lengths = nullptr;
  if (c.text("unit", "BYTE") == "BYTE") {
    lengths = utf8_text(b, flat).lengths;
  } else {
    Value* there = b.Not(b.Equal(split_characters(b, flat), text(b, "")));
    lengths = b.ReduceSum(b.Cast(there, DType::kInt64), {1}, false);
  }
  return reshape(b, b.Cast(lengths, DType::kInt32), b.Shape(x));
}

// The characters [n, most] at the places `kept`, joined again.
Value* joined_characters(Builder& b, Value* characters, Value* kept) {
  Value* blank = text(b, "");
  Value* rows = b.Where(kept, characters, blank);
  Value* start = b.Expand(blank, b.dim(characters, 0));
  const auto step = [&](Builder& i, Value* column, Value*, const ir::Values& state) -> Builder::LoopResult {
    return {nullptr, {i.op("StringConcat", {state[0], i.Gather(rows, column, 1)})}, {}};
  };
  return b.Loop(b.dim_scalar(characters, 1), nullptr, {start}, step)[0];
}

struct Characters {
  Value* all;      // [n, most], "" behind the end
  Value* there;    // whether there is one
  Value* columns;  // [1, most]
};
Characters characters_of(Builder& b, Value* x) {
  Value* all = split_characters(b, b.Reshape(x, {-1}));
  Value* columns = b.Unsqueeze(counting(b, b.dim_scalar(all, 1)), {0});
  return {all, b.Not(b.Equal(all, text(b, ""))), columns};
}

// Letters and their counterparts: those of ASCII, and with `all` those of the Latin, Greek and Cyrillic blocks that
// have one at a fixed distance.
struct Letters {
  std::vector<std::string> capital;
  std::vector<std::string> small;
};
std::string utf8(int64_t code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 63))};
}
Letters letters(bool all) {
  Letters letters;
  const auto add = [&](int64_t first, int64_t last, int64_t distance, int64_t step = 1) {
    for (int64_t code = first; code <= last; code += step) {
      letters.capital.push_back(utf8(code));
      letters.small.push_back(utf8(code + distance));
    }
  };
  add('A', 'Z', 32);
  if (!all) return letters;
  add(0xC0, 0xD6, 32);
  add(0xD8, 0xDE, 32);
  add(0x100, 0x12E, 1, 2);
  add(0x132, 0x136, 1, 2);
  add(0x139, 0x147, 1, 2);
  add(0x14A, 0x176, 1, 2);
  add(0x391, 0x3A1, 32);
  add(0x3A3, 0x3AB, 32);
  add(0x400, 0x40F, 80);
  add(0x410, 0x42F, 32);
  return letters;
}

// StringLower(input: string, encoding: string = "") -> output: without an encoding only the letters of ASCII
Value* with_case(Call& c, bool to_small) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const Letters pairs = letters(!c.text("encoding").empty());
  const std::vector<std::string>& from = to_small ? pairs.capital : pairs.small;
  const std::vector<std::string>& to = to_small ? pairs.small : pairs.capital;
  const auto [all, there, columns] = characters_of(b, x);
  std::vector<int64_t> numbers(from.size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i);
  Value* number = lookup(b, all, from, numbers, -1);
  Value* table = b.constant(Tensor::of_strings({static_cast<int64_t>(to.size())}, to));
  Value* other = b.Gather(table, b.Max(number, b.i64(0)), 0);
  Value* changed = b.Where(b.GreaterOrEqual(number, b.i64(0)), other, all);
  return reshape(b, joined_characters(b, changed, there), b.Shape(x));
}
Value* lower(Call& c) { return with_case(c, true); }
Value* upper(Call& c) { return with_case(c, false); }

// StringStrip(input: string) -> output
Value* strip(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const auto [all, there, columns] = characters_of(b, x);
  Value* solid = there;
  for (const char* space : {" ", "\t", "\n", "\r", "\v", "\f"})
    solid = b.And(solid, b.Not(b.Equal(all, text(b, space))));
  // Between the first and the last that is no space.
  Value* first = b.ReduceMin(b.Where(solid, columns, b.i64(kToEnd)), {1});
  Value* last = b.ReduceMax(b.Where(solid, columns, b.i64(-1)), {1});
  Value* kept = b.And(b.GreaterOrEqual(columns, first), b.LessOrEqual(columns, last));
  return reshape(b, joined_characters(b, all, kept), b.Shape(x));
}

// Substr(input: string, pos: T, len: T, unit: string = "BYTE") -> output; bytes are taken for characters
Value* substring(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* shape = b.Shape(x);
  const auto [all, there, columns] = characters_of(b, x);
  const auto column = [&](size_t index) {
    return b.Reshape(b.Expand(b.Cast(c.input(index), DType::kInt64), shape), {-1, 1});
  };
  Value* position = column(1);
  Value* length = b.ReduceSum(b.Cast(there, DType::kInt64), {1});
  Value* from = b.Max(b.Where(b.Less(position, b.i64(0)), b.Add(position, length), position), b.i64(0));
  Value* kept = b.And(b.GreaterOrEqual(columns, from), b.Less(columns, b.Add(from, column(2))));
  return reshape(b, joined_characters(b, all, kept), shape);
}

// --- replacing by patterns -------------------------------------------------------------------------------------------

// A pattern that goes without backtracking: characters in a row, or one character out of a class (once, or as often as
// it comes).
struct Pattern {
  std::vector<std::string> literal;  // empty: a class
  std::vector<std::string> members;  // of ASCII
  bool negated = false;
  bool repeated = false;
};

class PatternReader {
 public:
  explicit PatternReader(const std::string& text) : text_(text) {}

  std::optional<Pattern> read() {
    Pattern pattern;
    while (place_ < text_.size()) {
      const char next = text_[place_];
      if (next == '[' || is_shorthand()) {
        if (!pattern.literal.empty() || place_ != 0) return std::nullopt;
        const bool known = next == '[' ? read_class(pattern) : read_shorthand(pattern);
        if (!known) return std::nullopt;
        pattern.repeated = place_ < text_.size() && text_[place_] == '+';
        place_ += pattern.repeated ? 1 : 0;
        return place_ == text_.size() ? std::optional(pattern) : std::nullopt;
      }
      if (std::string_view("^$.|?*+(){}]").find(next) != std::string_view::npos) return std::nullopt;
      if (!read_character()) return std::nullopt;
      pattern.literal.push_back(character_);
    }
    if (pattern.literal.empty()) return std::nullopt;
    return pattern;
  }

 private:
  bool is_shorthand() const {
    return text_[place_] == '\\' && place_ + 1 < text_.size() &&
           std::string_view("dDsSwW").find(text_[place_ + 1]) != std::string_view::npos;
  }
  // One character, perhaps escaped, into character_.
  bool read_character() {
    if (text_[place_] == '\\') {
      if (++place_ >= text_.size()) return false;
      const char escaped = text_[place_++];
      if (escaped == 'n' || escaped == 't' || escaped == 'r') {
        character_ = escaped == 'n' ? "\n" : escaped == 't' ? "\t" : "\r";
        return true;
      }
      character_ = std::string(1, escaped);
      return std::isalnum(static_cast<unsigned char>(escaped)) == 0;
    }
    size_t end = place_ + 1;
    while (end < text_.size() && (text_[end] & 0xC0) == 0x80) ++end;
    character_ = text_.substr(place_, end - place_);
    place_ = end;
    return true;
  }
  static void add_range(Pattern& pattern, int first, int last) {
    for (int c = first; c <= last; ++c) pattern.members.emplace_back(1, static_cast<char>(c));
  }
  static void add_shorthand(Pattern& pattern, char kind) {
    if (kind != 's') add_range(pattern, '0', '9');
    if (kind == 'w') {
      add_range(pattern, 'A', 'Z');
      add_range(pattern, 'a', 'z');
      pattern.members.emplace_back("_");
    }
    if (kind == 's') {
      for (const char* space : {" ", "\t", "\n", "\r", "\f"}) pattern.members.emplace_back(space);
    }
  }
  bool read_shorthand(Pattern& pattern) {
    const char kind = text_[place_ + 1];
    place_ += 2;
    pattern.negated = std::isupper(static_cast<unsigned char>(kind)) != 0;
    add_shorthand(pattern, static_cast<char>(std::tolower(static_cast<unsigned char>(kind))));
    return true;
  }
  bool read_class(Pattern& pattern) {
    ++place_;
    if (place_ < text_.size() && text_[place_] == '^') {
      pattern.negated = true;
      ++place_;
    }
    for (bool first = true; place_ < text_.size() && (first || text_[place_] != ']'); first = false) {
      if (text_.compare(place_, 2, "[:") == 0) return false;
      if (is_shorthand()) {
        if (std::isupper(static_cast<unsigned char>(text_[place_ + 1])) != 0) return false;
        add_shorthand(pattern, text_[place_ + 1]);
        place_ += 2;
        continue;
      }
      if (!read_character()) return false;
      const std::string from = character_;
      if (place_ + 1 < text_.size() && text_[place_] == '-' && text_[place_ + 1] != ']') {
        ++place_;
        if (!read_character() || from.size() != 1 || character_.size() != 1 || from > character_) return false;
        add_range(pattern, from[0], character_[0]);
      } else {
        pattern.members.push_back(from);
      }
    }
    if (place_ >= text_.size()) return false;
    ++place_;
    return true;
  }

  std::string text_;
  size_t place_ = 0;
  std::string character_;
};

// `rewrite` as it stands in the result, or nothing where it names a part of the match.
std::optional<std::string> plain_rewrite(const std::string& rewrite) {
  std::string plain;
  for (size_t i = 0; i < rewrite.size(); ++i) {
    if (rewrite[i] == '\\') {
      if (i + 1 >= rewrite.size() || rewrite[i + 1] != '\\') return std::nullopt;
      ++i;
    }
    plain += rewrite[i];
  }
  return plain;
}

// Whether each character starts a match, and whether it lies in one.
struct Matches {
  Value* starts;
  Value* covered;
};

// The columns `by` further on; `blank` behind the end.
Value* ahead(Builder& b, Value* rows, int64_t by, Value* blank) {
  if (by == 0) return rows;
  Value* filler = b.Expand(blank, b.Concat({b.dim(rows, 0), b.ints({by})}, 0));
  return b.Slice(b.Concat({rows, filler}, 1), by, kToEnd, 1);
}
Value* before(Builder& b, Value* truth, int64_t by) {
  Value* filler = b.Expand(b.boolean(false), b.Concat({b.dim(truth, 0), b.ints({by})}, 0));
  return b.Slice(b.Concat({filler, truth}, 1), b.ints({0}), b.dim(truth, 1), b.ints({1}));
}

Matches literal_matches(Call& c, const Characters& x, const std::vector<std::string>& literal) {
  Builder& b = c.b;
  for (size_t shift = 1; shift < literal.size(); ++shift) {
    c.require(!std::equal(literal.begin() + static_cast<std::ptrdiff_t>(shift), literal.end(), literal.begin()),
              "a pattern that can overlap itself is not supported");
  }
  Value* starts = x.there;
  for (size_t i = 0; i < literal.size(); ++i) {
    const auto by = static_cast<int64_t>(i);
    starts = b.And(starts, b.Equal(ahead(b, x.all, by, text(b, "")), text(b, literal[i])));
  }
  Value* covered = starts;
  for (size_t i = 1; i < literal.size(); ++i) covered = b.Or(covered, before(b, starts, static_cast<int64_t>(i)));
  return {starts, covered};
}

Matches class_matches(Builder& b, const Characters& x, const Pattern& pattern) {
  const std::vector<int64_t> ones(pattern.members.size(), 1);
  Value* member = b.Equal(lookup(b, x.all, pattern.members, ones, 0), b.i64(1));
  Value* in = b.And(x.there, pattern.negated ? b.Not(member) : member);
  return {pattern.repeated ? b.And(in, b.Not(before(b, in, 1))) : in, in};
}

// StaticRegexReplace(input: string, pattern: string, rewrite: string, replace_global: bool = true) -> output
Value* replaced(Call& c, const std::string& pattern_text, const std::string& rewrite_text) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const char* remedy = "clean the text before the model";
  const std::optional<Pattern> pattern = PatternReader(pattern_text).read();
  c.require(pattern.has_value(), "the pattern \"" + pattern_text + "\" is more than a class of characters or a text",
            remedy);
  const std::optional<std::string> rewrite = plain_rewrite(rewrite_text);
  c.require(rewrite.has_value(), "a replacement with parts of the match is not supported", remedy);
  const Characters characters = characters_of(b, x);
  Matches matches = pattern->literal.empty() ? class_matches(b, characters, *pattern)
                                             : literal_matches(c, characters, pattern->literal);
  if (!c.flag("replace_global", true)) {
    Value* number = b.op("CumSum", {b.Cast(matches.starts, DType::kInt64), b.i64(1)});
    matches.starts = b.And(matches.starts, b.Equal(number, b.i64(1)));
    matches.covered = b.And(matches.covered, b.Equal(number, b.i64(1)));
  }
  Value* kept = b.Where(matches.covered, text(b, ""), characters.all);
  Value* changed = b.Where(matches.starts, text(b, *rewrite), kept);
  return reshape(b, joined_characters(b, changed, characters.there), b.Shape(x));
}
Value* static_replace(Call& c) { return replaced(c, c.text("pattern"), c.text("rewrite")); }
// RegexReplace(input: string, pattern: string, rewrite: string, replace_global: bool = true) -> output
Value* replace(Call& c) { return replaced(c, c.constant_text(1, "pattern"), c.constant_text(2, "replacement")); }

// StringToHashBucketFast(input: string, num_buckets: int) -> output: int64
Value* hash_bucket(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* hash = fingerprint64(b, utf8_text(b, b.Reshape(x, {-1})));
  return reshape(b, unsigned_mod(b, hash, c.integer("num_buckets", 1)), b.Shape(x));
}

// StringToHashBucketStrong(input: string, num_buckets: int, key: ints) -> output: int64
Value* strong_hash_bucket(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const std::vector<int64_t> key = c.integers("key");
  c.require(key.size() == 2, "its key is no pair");
  Value* hash =
      siphash(b, utf8_text(b, b.Reshape(x, {-1})), static_cast<uint64_t>(key[0]), static_cast<uint64_t>(key[1]));
  return reshape(b, unsigned_mod(b, hash, c.integer("num_buckets", 1)), b.Shape(x));
}

// UnicodeDecode(input: string, input_encoding: string, …) -> row_splits, char_values: int32: the code points of all
// strings
ir::Values decode(Call& c) {
  Builder& b = c.b;
  const std::string encoding = c.text("input_encoding", "UTF-8");
  c.require(encoding == "UTF-8" || encoding == "utf-8", "the encoding \"" + encoding + "\" is not supported");
  Value* codes = code_points(b, split_characters(b, b.Reshape(c.input(0), {-1})));
  Value* there = b.GreaterOrEqual(codes, b.i64(0));
  Value* ends = b.op("CumSum", {b.ReduceSum(b.Cast(there, DType::kInt64), {1}, false), b.i64(0)});
  Value* splits = b.Cast(b.Concat({b.ints({0}), ends}, 0), c.dtype("Tsplits", tensorflow::DataType::kInt64));
  Value* values = b.op("GatherND", {codes, b.Transpose(b.NonZero(there), {1, 0})});
  return {splits, b.Cast(values, DType::kInt32)};
}

// StringNGrams(data: string, data_splits: Tsplits, separator: string, ngram_widths: ints, …) -> ngrams, ngrams_splits:
// by row, width and place
ir::Values ngrams(Call& c) {
  Builder& b = c.b;
  c.require(c.integer("pad_width") == 0 || (c.text("left_pad").empty() && c.text("right_pad").empty()),
            "padding is not supported");
  c.require(!c.flag("preserve_short_sequences"), "preserve_short_sequences is not supported");
  Value* tokens = c.input(0);
  Value* splits = b.Cast(c.input(1), DType::kInt64);
  Value* ends = b.Slice(splits, 1, kToEnd, 0);
  Value* place = counting(b, b.dim(tokens, 0));
  Value* end =
      b.Gather(ends, b.ReduceSum(b.Cast(b.LessOrEqual(ends, b.Unsqueeze(place, {1})), DType::kInt64), {1}, false), 0);
  const std::vector<int64_t> widths = c.integers("ngram_widths");
  c.require(!widths.empty(), "has no widths");
  ir::Values texts;
  ir::Values keys;  // of the order: the row's end, the width, the place
  ir::Values counts;
  for (size_t k = 0; k < widths.size(); ++k) {
    Value* fits = b.LessOrEqual(b.Add(place, b.i64(widths[k])), end);
    Value* start = b.op("Compress", {place, fits}, {{"axis", 0}});
    Value* joined_text = b.Gather(tokens, start, 0);
    for (int64_t i = 1; i < widths[k]; ++i) {
      joined_text = joined(b, joined_text, c.text("separator"), b.Gather(tokens, b.Add(start, b.i64(i)), 0));
    }
    Value* size = b.Add(b.dim_scalar(tokens, 0), b.i64(1));
    Value* row = b.Add(b.Mul(b.Gather(end, start, 0), b.i64(static_cast<int64_t>(widths.size()))),
                       b.i64(static_cast<int64_t>(k)));
    texts.push_back(joined_text);
    keys.push_back(b.Add(b.Mul(row, size), start));
    counts.push_back(b.Max(b.Sub(b.Sub(ends, b.Slice(splits, 0, -1, 0)), b.i64(widths[k] - 1)), b.i64(0)));
  }
  Value* key = b.Concat(keys, 0);
  const ir::Values order = b.ops("TopK", {key, b.dim(key, 0)}, 2, {{"axis", 0}, {"largest", 0}, {"sorted", 1}});
  Value* total = counts[0];
  for (size_t k = 1; k < counts.size(); ++k) total = b.Add(total, counts[k]);
  Value* sums = b.Concat({b.ints({0}), b.op("CumSum", {total, b.i64(0)})}, 0);
  return {b.Gather(b.Concat(texts, 0), order[1], 0), b.Cast(sums, c.input(1)->dtype)};
}

}  // namespace

void register_strings(OpTable& t) {
  t.add("StringJoin", join);
  t.add("ReduceJoin", reduce_join);
  t.add("StringSplitV2 -> indices, values, shape", split);
  t.add("StaticRegexFullMatch", static_match);
  t.add("RegexFullMatch", match);
  t.add("StaticRegexReplace", static_replace);
  t.add("RegexReplace", replace);
  t.add("StringToNumber", to_number);
  t.add("AsString", as_string);
  t.add("StringLower", lower);
  t.add("StringUpper", upper);
  t.add("StringLength", length);
  t.add("StringStrip", strip);
  t.add("Substr", substring);
  t.add("StringToHashBucketFast", hash_bucket);
  t.add("StringToHashBucketStrong", strong_hash_bucket);
  t.add("UnicodeDecode -> row_splits, char_values", decode);
  t.add("StringNGrams -> ngrams, ngrams_splits", ngrams);
}

}  // namespace onward::importer::tf
