#include "ir/attr.h"

#include <algorithm>

#include "base/error.h"

namespace onward::ir {
namespace {

template <class T, class Variant>
const T& held(const Variant& value, const char* kind) {
  if (const T* found = std::get_if<T>(&value)) return *found;
  throw Error(Code::kInternal, std::string("an attribute is not ") + kind);
}

bool before(const Attrs::Entry& entry, std::string_view name) { return entry.first < name; }

}  // namespace

int64_t Attr::as_int() const { return held<int64_t>(value_, "an integer"); }
float Attr::as_float() const { return held<float>(value_, "a float"); }
const std::string& Attr::as_string() const { return held<std::string>(value_, "a string"); }
const Attr::Ints& Attr::as_ints() const { return held<Ints>(value_, "a list of integers"); }
const Attr::Floats& Attr::as_floats() const { return held<Floats>(value_, "a list of floats"); }
const Attr::Strings& Attr::as_strings() const { return held<Strings>(value_, "a list of strings"); }
const Tensor& Attr::as_tensor() const { return held<Tensor>(value_, "a tensor"); }
const std::shared_ptr<Graph>& Attr::as_graph() const { return held<std::shared_ptr<Graph>>(value_, "a graph"); }

Attrs::Attrs(std::initializer_list<Entry> entries) {
  for (const Entry& entry : entries) set(entry.first, entry.second);
}

const Attr* Attrs::find(std::string_view name) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  return found != entries_.end() && found->first == name ? &found->second : nullptr;
}

const Attr& Attrs::at(std::string_view name) const {
  if (const Attr* attr = find(name)) return *attr;
  throw Error(Code::kInternal, "missing attribute " + std::string(name));
}

void Attrs::set(std::string name, Attr value) {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), name, before);
  if (found != entries_.end() && found->first == name) {
    found->second = std::move(value);
  } else {
    entries_.emplace(found, std::move(name), std::move(value));
  }
}

void Attrs::erase(std::string_view name) {
  std::erase_if(entries_, [&](const Entry& entry) { return entry.first == name; });
}

int64_t Attrs::get(std::string_view name, int64_t fallback) const {
  const Attr* attr = find(name);
  return attr != nullptr ? attr->as_int() : fallback;
}

float Attrs::get(std::string_view name, float fallback) const {
  const Attr* attr = find(name);
  return attr != nullptr ? attr->as_float() : fallback;
}

std::string Attrs::get(std::string_view name, const char* fallback) const {
  const Attr* attr = find(name);
  return attr != nullptr ? attr->as_string() : fallback;
}

Attr::Ints Attrs::get(std::string_view name, const Attr::Ints& fallback) const {
  const Attr* attr = find(name);
  return attr != nullptr ? attr->as_ints() : fallback;
}

}  // namespace onward::ir
