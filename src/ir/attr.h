// Attributes of a node: numbers, strings, tensors, subgraphs and lists of them, kept sorted by name.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/tensor.h"

namespace onward::ir {

class Graph;

class Attr {
 public:
  using Ints = std::vector<int64_t>;
  using Floats = std::vector<float>;
  using Strings = std::vector<std::string>;

  Attr(int value) : value_(int64_t{value}) {}                       // NOLINT(google-explicit-constructor)
  Attr(int64_t value) : value_(value) {}                            // NOLINT(google-explicit-constructor)
  Attr(bool value) : value_(int64_t{value}) {}                      // NOLINT(google-explicit-constructor)
  Attr(float value) : value_(value) {}                              // NOLINT(google-explicit-constructor)
  Attr(double value) : value_(static_cast<float>(value)) {}         // NOLINT(google-explicit-constructor)
  Attr(const char* value) : value_(std::string(value)) {}           // NOLINT(google-explicit-constructor)
  Attr(std::string value) : value_(std::move(value)) {}             // NOLINT(google-explicit-constructor)
  Attr(DType value) : value_(static_cast<int64_t>(value)) {}        // NOLINT(google-explicit-constructor)
  Attr(Ints value) : value_(std::move(value)) {}                    // NOLINT(google-explicit-constructor)
  Attr(Floats value) : value_(std::move(value)) {}                  // NOLINT(google-explicit-constructor)
  Attr(Strings value) : value_(std::move(value)) {}                 // NOLINT(google-explicit-constructor)
  Attr(Tensor value) : value_(std::move(value)) {}                  // NOLINT(google-explicit-constructor)
  Attr(std::shared_ptr<Graph> value) : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)

  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value_);
  }
  // Throws Error(kInternal) when the attribute has another kind.
  int64_t as_int() const;
  float as_float() const;
  const std::string& as_string() const;
  const Ints& as_ints() const;
  const Floats& as_floats() const;
  const Strings& as_strings() const;
  const Tensor& as_tensor() const;
  const std::shared_ptr<Graph>& as_graph() const;

  const auto& variant() const { return value_; }

 private:
  std::variant<int64_t, float, std::string, Ints, Floats, Strings, Tensor, std::shared_ptr<Graph>> value_;
};

class Attrs {
 public:
  using Entry = std::pair<std::string, Attr>;

  Attrs() = default;
  Attrs(std::initializer_list<Entry> entries);

  const Attr* find(std::string_view name) const;
  // Throws Error(kInternal) naming the attribute when it is missing.
  const Attr& at(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string name, Attr value);
  void erase(std::string_view name);

  int64_t get(std::string_view name, int64_t fallback) const;
  float get(std::string_view name, float fallback) const;
  std::string get(std::string_view name, const char* fallback) const;
  Attr::Ints get(std::string_view name, const Attr::Ints& fallback) const;

  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }

 private:
  std::vector<Entry> entries_;  // sorted by name
};

}  // namespace onward::ir
