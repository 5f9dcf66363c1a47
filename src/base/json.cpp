#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <cmath>
#include <limits>

#include "base/error.h"

namespace onward {
namespace {

constexpr size_t kMaxDepth = 512;
// Stands for Python's bare NaN and Infinity tokens while simdjson parses the text.
constexpr std::string_view kNanMark = "\"\\u0000nan\"";
constexpr std::string_view kInfinityMark = "\"\\u0000inf\"";
constexpr std::string_view kMinusInfinityMark = "\"\\u0000-inf\"";

// Replaces the bare tokens outside strings; returns false when there is none.
bool mark_special_numbers(std::string_view text, std::string& marked) {
  bool in_string = false;
  bool found = false;
  for (size_t i = 0; i < text.size();) {
    const char c = text[i];
    if (in_string) {
      const size_t step = c == '\\' && i + 1 < text.size() ? 2 : 1;
      in_string = c != '"';
      marked.append(text.substr(i, step));
      i += step;
      continue;
    }
    const auto starts = [&](std::string_view token) { return text.substr(i, token.size()) == token; };
    const auto replace = [&](std::string_view token, std::string_view mark) {
      marked.append(mark);
      i += token.size();
      found = true;
    };
    if (starts("NaN")) {
      replace("NaN", kNanMark);
    } else if (starts("Infinity")) {
      replace("Infinity", kInfinityMark);
    } else if (starts("-Infinity")) {
      replace("-Infinity", kMinusInfinityMark);
    } else {
      in_string = c == '"';
      marked.push_back(c);
      ++i;
    }
  }
  return found;
}

Json from_text(std::string_view text) {
  if (!text.empty() && text.front() == '\0') {
    if (text == std::string_view("\0nan", 4)) return Json(std::numeric_limits<double>::quiet_NaN());
    if (text == std::string_view("\0inf", 4)) return Json(std::numeric_limits<double>::infinity());
    if (text == std::string_view("\0-inf", 5)) return Json(-std::numeric_limits<double>::infinity());
  }
  return Json(text);
}

Json convert(simdjson::dom::element element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::ARRAY: {
      Json::Array items;
      const simdjson::dom::array array = element.get_array();
      items.reserve(array.size());
      for (const simdjson::dom::element item : array) items.push_back(convert(item));
      return Json(std::move(items));
    }
    case element_type::OBJECT: {
      Json::Object members;
      const simdjson::dom::object object = element.get_object();
      members.reserve(object.size());
      for (const auto field : object) members.emplace_back(std::string(field.key), convert(field.value));
      return Json::object(std::move(members));
    }
    case element_type::INT64:
      return Json(element.get_int64().value_unsafe());
    case element_type::UINT64:  // only numbers past int64's range arrive here
      return Json(static_cast<double>(element.get_uint64().value_unsafe()));
    case element_type::DOUBLE:
      return Json(element.get_double().value_unsafe());
    case element_type::STRING:
      return from_text(element.get_string().value_unsafe());
    case element_type::BOOL:
      return Json(element.get_bool().value_unsafe());
    case element_type::NULL_VALUE:
      break;
  }
  return Json();
}

void print_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

void print_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    out += fmt::format("{}", value);
  }
}

class Printer {
 public:
  explicit Printer(int indent) : indent_(indent) {}

  std::string text;

  void print(const Json& value, int depth) {
    if (value.is_object()) {
      print_items(value.as_object(), '{', '}', depth, [&](const Json::Member& member) {
        print_string(text, member.first);
        text += indent_ > 0 ? ": " : ":";
        print(member.second, depth + 1);
      });
    } else if (value.is_array()) {
      print_items(value.as_array(), '[', ']', depth, [&](const Json& item) { print(item, depth + 1); });
    } else if (value.is_string()) {
      print_string(text, value.as_string());
    } else if (value.is_bool()) {
      text += value.as_bool() ? "true" : "false";
    } else if (value.is_int()) {
      text += std::to_string(value.as_int());
    } else if (value.is_double()) {
      print_double(text, value.as_double());
    } else {
      text += "null";
    }
  }

 private:
  template <class Items, class Print>
  void print_items(const Items& items, char open, char close, int depth, const Print& print_item) {
    text.push_back(open);
    bool first = true;
    for (const auto& item : items) {
      if (!first) text.push_back(',');
      first = false;
      new_line(depth + 1);
      print_item(item);
    }
    if (!first) new_line(depth);
    text.push_back(close);
  }

  void new_line(int depth) {
    if (indent_ > 0) text.append("\n").append(static_cast<size_t>(indent_) * static_cast<size_t>(depth), ' ');
  }

  int indent_;
};

[[noreturn]] void wrong_type(std::string_view wanted, const Json& found) {
  fail_invalid(fmt::format("expected {}, found {}", wanted, found.type_name()));
}

}  // namespace

Json Json::object(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

Json Json::parse(std::string_view text) {
  if (text.empty()) fail_invalid("not valid JSON: it is empty");
  simdjson::dom::parser parser;
  if (parser.allocate(text.size() + 64, kMaxDepth) != simdjson::SUCCESS) {
    throw Error(Code::kResourceExhausted, "JSON text is too large");
  }
  simdjson::dom::element root;
  auto error = parser.parse(text.data(), text.size(), true).get(root);
  if (error != simdjson::SUCCESS) {
    std::string marked;
    if (mark_special_numbers(text, marked)) error = parser.parse(marked).get(root);
  }
  if (error != simdjson::SUCCESS) fail_invalid(fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  return convert(root);
}

std::string Json::dump(int indent) const {
  Printer printer(indent);
  printer.print(*this, 0);
  return std::move(printer.text);
}

bool Json::as_bool() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  wrong_type("a boolean", *this);
}

int64_t Json::as_int() const {
  if (const auto* value = std::get_if<int64_t>(&value_)) return *value;
  if (const auto* value = std::get_if<double>(&value_)) {
    if (*value >= -9.2e18 && *value <= 9.2e18 && std::trunc(*value) == *value) return static_cast<int64_t>(*value);
  }
  wrong_type("an integer", *this);
}

double Json::as_double() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  wrong_type("a number", *this);
}

const std::string& Json::as_string() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  wrong_type("a string", *this);
}

const Json::Array& Json::as_array() const {
  if (const auto* value = std::get_if<Array>(&value_)) return *value;
  wrong_type("an array", *this);
}

const Json::Object& Json::as_object() const {
  if (const auto* value = std::get_if<Object>(&value_)) return *value;
  wrong_type("an object", *this);
}

Json::Array& Json::as_array() {
  if (auto* value = std::get_if<Array>(&value_)) return *value;
  wrong_type("an array", *this);
}

Json::Object& Json::as_object() {
  if (auto* value = std::get_if<Object>(&value_)) return *value;
  wrong_type("an object", *this);
}

std::vector<int64_t> Json::as_ints() const {
  std::vector<int64_t> values;
  for (const Json& item : as_array()) values.push_back(item.as_int());
  return values;
}

const Json& Json::at(std::string_view key) const {
  if (const Json* member = find(key)) return *member;
  fail_invalid(fmt::format("missing key \"{}\"", key));
}

const Json& Json::at(size_t index) const {
  const Array& items = as_array();
  if (index >= items.size())
    fail_invalid(fmt::format("index {} is past the end of an array of {}", index, items.size()));
  return items[index];
}

const Json* Json::find(std::string_view key) const {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  for (const Member& member : *members) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* member = find(key);
  return member != nullptr ? *member : kNull;
}

size_t Json::size() const {
  if (const auto* items = std::get_if<Array>(&value_)) return items->size();
  if (const auto* members = std::get_if<Object>(&value_)) return members->size();
  return 0;
}

bool Json::get(std::string_view key, bool fallback) const {
  const Json& member = (*this)[key];
  return member.is_null() ? fallback : member.as_bool();
}

int64_t Json::get(std::string_view key, int64_t fallback) const {
  const Json& member = (*this)[key];
  return member.is_null() ? fallback : member.as_int();
}

double Json::get(std::string_view key, double fallback) const {
  const Json& member = (*this)[key];
  return member.is_null() ? fallback : member.as_double();
}

std::string Json::get(std::string_view key, const char* fallback) const {
  const Json& member = (*this)[key];
  return member.is_null() ? fallback : member.as_string();
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  Object& members = as_object();
  for (Member& member : members) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  members.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  as_array().push_back(std::move(value));
  return *this;
}

std::string_view Json::type_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "a boolean";
  if (is_int()) return "an integer";
  if (is_double()) return "a number";
  if (is_string()) return "a string";
  return is_array() ? "an array" : "an object";
}

}  // namespace onward
