// JSON as a small ordered tree: parsed by simdjson, read through typed getters whose errors name the missing key.
//
// Python's `NaN`, `Infinity` and `-Infinity` tokens are read as doubles. Objects keep their order. Depth is limited to
// 512.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace onward {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}                                       // NOLINT(google-explicit-constructor)
  Json(bool value) : value_(value) {}                           // NOLINT(google-explicit-constructor)
  Json(int value) : value_(int64_t{value}) {}                   // NOLINT(google-explicit-constructor)
  Json(int64_t value) : value_(value) {}                        // NOLINT(google-explicit-constructor)
  Json(size_t value) : value_(static_cast<int64_t>(value)) {}   // NOLINT(google-explicit-constructor)
  Json(double value) : value_(value) {}                         // NOLINT(google-explicit-constructor)
  Json(std::string value) : value_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}       // NOLINT(google-explicit-constructor)
  Json(Array value) : value_(std::move(value)) {}               // NOLINT(google-explicit-constructor)
  static Json object(Object members = {});
  static Json array(Array items = {}) { return Json(std::move(items)); }

  // Throws Error(kInvalidArgument) with position and reason.
  static Json parse(std::string_view text);
  // `indent` 0: one line. Doubles print shortest round-trip; NaN and infinities as Python's tokens.
  std::string dump(int indent = 0) const;

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_number() const { return is_int() || is_double(); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Typed getters; each throws Error(kInvalidArgument, "expected an integer, found …").
  bool as_bool() const;
  int64_t as_int() const;    // also takes a double without a fraction
  double as_double() const;  // also takes an integer
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;
  Array& as_array();
  Object& as_object();
  std::vector<int64_t> as_ints() const;

  // Object access. `at` throws naming the key; `find` gives nullptr; `operator[]` gives a null value where the key is
  // missing.
  const Json& at(std::string_view key) const;
  const Json& at(size_t index) const;
  const Json* find(std::string_view key) const;
  const Json& operator[](std::string_view key) const;
  const Json& operator[](size_t index) const { return at(index); }
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  size_t size() const;  // members or items; 0 for scalars

  // With a default for a missing or null member.
  bool get(std::string_view key, bool fallback) const;
  int64_t get(std::string_view key, int64_t fallback) const;
  int64_t get(std::string_view key, int fallback) const { return get(key, int64_t{fallback}); }
  double get(std::string_view key, double fallback) const;
  std::string get(std::string_view key, const char* fallback) const;

  // Adds or replaces a member; turns null into an object.
  Json& set(std::string_view key, Json value);
  // Appends; turns null into an array.
  Json& push(Json value);

  std::string_view type_name() const;
  bool operator==(const Json&) const = default;

 private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array, Object> value_;
};

}  // namespace onward
