#include <array>

#include "base/error.h"
#include "formats/pickle.h"

namespace onward::pickle {
namespace {

[[noreturn]] void mismatch(std::string_view wanted, Kind found) {
  fail_data("expected " + std::string(wanted) + ", found " + std::string(kind_name(found)));
}

}  // namespace

std::string_view kind_name(Kind kind) {
  static constexpr std::array<std::string_view, 15> kNames = {
      "None",         "a bool", "an integer",    "a long integer", "a float",
      "a string",     "bytes",  "a list",        "a tuple",        "a set",
      "a frozen set", "a dict", "a global name", "an object",      "a persistent reference"};
  return kNames.at(static_cast<size_t>(kind));
}

bool Value::is_global(std::string_view name) const { return kind == Kind::kGlobal && text() == name; }

bool Value::as_bool() const {
  if (kind != Kind::kBool) mismatch("a bool", kind);
  return std::get<bool>(data);
}

int64_t Value::as_int() const {
  if (kind == Kind::kBool) return as_bool() ? 1 : 0;
  if (kind != Kind::kInt) mismatch("an integer", kind);
  return std::get<int64_t>(data);
}

double Value::as_float() const {
  if (kind == Kind::kFloat) return std::get<double>(data);
  if (kind != Kind::kInt && kind != Kind::kBool) mismatch("a float", kind);
  return static_cast<double>(as_int());
}

const std::string& Value::text() const {
  const auto* text = std::get_if<std::string>(&data);
  if (text == nullptr) mismatch("a string", kind);
  return *text;
}

const Items& Value::items() const {
  const auto* items = std::get_if<Items>(&data);
  if (items == nullptr) mismatch("a list or tuple", kind);
  return *items;
}

const Entries& Value::entries() const {
  const auto* entries = std::get_if<Entries>(&data);
  if (entries == nullptr) mismatch("a dict", kind);
  return *entries;
}

const Object& Value::object() const {
  if (kind != Kind::kObject) mismatch("an object", kind);
  return *std::get<std::unique_ptr<Object>>(data);
}

const Value& Value::persistent_id() const {
  if (kind != Kind::kPersistent) mismatch("a persistent reference", kind);
  return *std::get<const Value*>(data);
}

const Value* Value::find(std::string_view key) const {
  const Entries* entries = mapping_entries(*this);
  if (entries == nullptr) mismatch("a dict", kind);
  for (auto entry = entries->rbegin(); entry != entries->rend(); ++entry) {
    if (entry->first->is_string() && entry->first->text() == key) return entry->second;
  }
  return nullptr;
}

std::string_view callable_name(const Object& object) {
  if (object.callable == nullptr || object.callable->kind != Kind::kGlobal) return {};
  return object.callable->text();
}

const Entries* mapping_entries(const Value& value) {
  if (value.kind == Kind::kDict) return &value.entries();
  if (value.kind == Kind::kObject) return &value.object().entries;
  return nullptr;
}

}  // namespace onward::pickle
