// Reading large lists of numbers by several threads. Only what is even is read here; for everything else, errors
// included, there is JsonReader.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "ir/shape.h"
#include "server/protocol/beside.h"
#include "server/protocol/plain_number.h"

namespace onward::server {

template <class T>
struct LargeList {
  ir::Dims dims;
  std::vector<T> values;
  size_t length = 0;  // of its text
};

inline constexpr size_t kMostNested = 16;
inline constexpr size_t kLargeShare = 128 * 1024;  // bytes of text worth a thread

// The shape of `count` values between which `closed[i]` lists end before value i; empty where it is not even.
ir::Dims even_dims(const std::vector<uint8_t>& closed, size_t rank, size_t ends);

// A part of a list's text, from a comma (or the list's beginning) to another one.
template <class T>
class ListPart {
 public:
  std::vector<T> values;
  std::vector<uint8_t> closed;  // how many lists end (and begin) before each value
  size_t ends = 0;              // how many values have such ends before them
  size_t opened_first = 0;      // lists that begin before the first value
  size_t closed_last = 0;       // lists that end after the last one
  const char* stop = nullptr;   // behind the last value and, at the list's end, the brackets
  bool whole = false;           // it ends at the comma at `border`

  // Reads from `at`, before a comma or the first bracket, to the comma at `border` or to where the list ends. False
  // where something else than a number stands.
  template <class Other>
  bool read(const char* at, const char* border, const char* end, const Other& other) {
    const auto size = static_cast<size_t>(border - at);
    values.reserve(std::max(values.capacity(), size / 8));
    closed.reserve(std::max(closed.capacity(), size / 8));
    if (at < end && *at == ',') ++at;
    at = past_brackets('[', at, end, opened_first);
    size_t closing = 0;
    while (true) {
      PlainNumber number;
      T value;
      const char* after = number.read(at, end);
      if (after == nullptr || !number.to(value)) {
        const size_t length = other(std::string_view(at, static_cast<size_t>(end - at)), value);
        if (length == 0) return false;
        after = at + length;
      }
      at = after;
      values.push_back(value);
      closed.push_back(static_cast<uint8_t>(closing));
      ends += closing > 0 ? 1 : 0;
      stop = at;
      closing = 0;
      if (at != border && end - at > 1 && *at == ',' && (is_digit(at[1]) || at[1] == '-')) {
        ++at;
        continue;
      }
      at = past_brackets(']', at, end, closed_last);
      whole = at == border;
      if (whole || at == end || *at != ',') return true;
      size_t opening = 0;
      at = past_brackets('[', at + 1, end, opening);
      if (opening != closed_last || opening > kMostNested) return true;
      closing = opening;
    }
  }

  static const char* past_brackets(char bracket, const char* at, const char* end, size_t& count) {
    count = 0;
    while (at < end && (*at == bracket || *at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
      count += *at++ == bracket ? 1 : 0;
    }
    return at;
  }

  // What follows this part's text.
  bool append(const ListPart& next) {
    if (next.opened_first != closed_last) return false;
    const auto middle = static_cast<ptrdiff_t>(closed.size());
    values.insert(values.end(), next.values.begin(), next.values.end());
    closed.insert(closed.end(), next.closed.begin(), next.closed.end());
    closed[static_cast<size_t>(middle)] = static_cast<uint8_t>(closed_last);
    ends += next.ends + (closed_last > 0 ? 1 : 0);
    closed_last = next.closed_last;
    stop = next.stop;
    whole = next.whole;
    return true;
  }
};

// Reads the list that `text` begins with, where it is large enough for several threads and even. `other(text, value)`
// reads a number that is not plain and returns its length, 0 where there is none.
template <class T, class Other>
std::optional<LargeList<T>> read_large_list(std::string_view text, const Other& other) {
  if (text.size() < 2 * kLargeShare) return std::nullopt;
  // Numbers and brackets only: it ends before the next quote or brace.
  for (const char c : {'"', '}'}) text = text.substr(0, text.find(c));
  const size_t count = parts_of(text.size(), kLargeShare);
  if (count < 2) return std::nullopt;
  const char* const end = text.data() + text.size();
  std::vector<const char*> borders{text.data()};
  for (size_t i = 1; i < count; ++i) {
    const size_t comma = text.find(',', text.size() * i / count);
    if (comma == std::string_view::npos || text.data() + comma == borders.back()) return std::nullopt;
    borders.push_back(text.data() + comma);
  }
  borders.push_back(end);
  std::vector<std::future<std::optional<ListPart<T>>>> others;
  for (size_t i = 1; i < count; ++i) {
    others.push_back(beside([from = borders[i], to = borders[i + 1], end, &other]() -> std::optional<ListPart<T>> {
      ListPart<T> part;
      if (!part.read(from, to, end, other)) return std::nullopt;
      return part;
    }));
  }
  ListPart<T> all;
  all.values.reserve(text.size() / 8);
  all.closed.reserve(text.size() / 8);
  bool good = all.read(text.data(), borders[1], end, other);
  const size_t rank = all.opened_first;
  for (auto& each : others) {
    const auto part = each.get();
    if (!good || !all.whole) continue;
    good = part && all.append(*part);
  }
  if (!good || rank == 0 || rank > kMostNested || all.closed_last < rank) return std::nullopt;
  LargeList<T> list{even_dims(all.closed, rank, all.ends), std::move(all.values), 0};
  if (list.dims.empty()) return std::nullopt;
  const char* at = all.stop;
  for (size_t left = rank; left > 0; ++at) left -= *at == ']' ? 1 : 0;
  list.length = static_cast<size_t>(at - text.data());
  return list;
}

}  // namespace onward::server
