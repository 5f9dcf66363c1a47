// A pull reader for JSON request bodies: one pass, no tree, numbers straight into their destination.
//
// It reads what Python's json module writes, so also the bare tokens NaN, Infinity and -Infinity. Every failure is an
// Error(kInvalidArgument) that names the byte.
#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "server/protocol/plain_number.h"

namespace onward::server {

class JsonReader {
 public:
  enum class Kind { kObject, kArray, kString, kNumber, kBool, kNull, kEnd };
  static constexpr size_t kMaxDepth = 64;

  // `text` must outlive the reader.
  explicit JsonReader(std::string_view text) : begin_(text.data()), at_(text.data()), end_(at_ + text.size()) {}

  // What comes next; white space is skipped.
  Kind peek();

  // { "key": value, … }: open, then next_key until it is false, reading one value after each.
  void open_object();
  bool next_key(std::string& key);
  // The same with the key where it lies, until the next string is read.
  bool next_key(std::string_view& key);
  // [ value, … ]: open, then next_item until it is false, reading one value after each.
  void open_array();
  bool next_item();

  std::string string();
  // The same where it lies, until the next string is read.
  std::string_view string_view();
  bool boolean();
  void null();
  double number();
  // An integer literal, or a number without a fraction; fails where it does not fit.
  int64_t integer();
  uint64_t unsigned_integer();
  // Between the items of a list: appends the numbers that follow as long as they are plain ones that T holds, and
  // returns how many. What stops it is left to next_item().
  template <class T>
  size_t plain_numbers(std::vector<T>& values);
  // Passes over any value; its text.
  std::string_view skip();
  // Only white space may remain.
  void finish();

  size_t offset() const { return static_cast<size_t>(at_ - begin_); }
  // Goes back to an offset where a value begins.
  void rewind(size_t offset) { at_ = begin_ + offset; }
  std::string_view rest() const { return {at_, remaining()}; }
  size_t remaining() const { return static_cast<size_t>(end_ - at_); }
  [[noreturn]] void fail(std::string_view what) const;

 private:
  void skip_space() {
    while (at_ < end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }
  void expect(char wanted, std::string_view where);
  bool next(char close, std::string_view where);
  void enter();
  bool token(std::string_view text);
  double special_number();
  const char* number_end(bool& integral) const;
  unsigned hex4();
  void escape(std::string& out);
  bool plain_string(std::string_view& text);
  std::string any_string();

  const char* begin_;
  const char* at_;
  const char* end_;
  std::string unescaped_;  // what string_view() could not show where it lies
  size_t depth_ = 0;
  bool fresh_ = false;  // an array or object was just opened
};

template <class T>
size_t JsonReader::plain_numbers(std::vector<T>& values) {
  const auto past_space = [this](const char* p) {
    while (p < end_ && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) ++p;
    return p;
  };
  const size_t before = values.size();
  while (true) {
    const char* p = past_space(at_);
    if (!fresh_) {
      if (p == end_ || *p != ',') break;
      p = past_space(p + 1);
    }
    PlainNumber number;
    T value;
    p = number.read(p, end_);
    if (p == nullptr || !number.to(value)) break;
    values.push_back(value);
    at_ = p;
    fresh_ = false;
  }
  return values.size() - before;
}

}  // namespace onward::server
