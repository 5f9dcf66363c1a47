#include "import/torch/script/value.h"

#include <array>
#include <atomic>
#include <cmath>

#include "base/error.h"

namespace onward::importer::script {
namespace {

template <class T>
bool same_pointer(const Py& a, const Py& b) {
  const auto* x = a.get_if<std::shared_ptr<T>>();
  const auto* y = b.get_if<std::shared_ptr<T>>();
  return x != nullptr && y != nullptr && *x == *y;
}

std::optional<bool> equal_items(const Items& a, const Items& b) {
  if (a.size() != b.size()) return false;
  bool all_known = true;
  for (size_t i = 0; i < a.size(); ++i) {
    const std::optional<bool> equal = known_equal(a[i], b[i]);
    if (equal && !*equal) return false;
    all_known = all_known && equal.has_value();
  }
  if (!all_known) return std::nullopt;
  return true;
}

// Two sizes that are the same symbol ("batch").
bool same_symbol(const ir::Value* a, const ir::Value* b) {
  if (a == b) return true;
  return a->content && b->content && a->content->size() == 1 && b->content->size() == 1 &&
         (*a->content)[0].same((*b->content)[0]);
}

}  // namespace

uint64_t next_birth() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

Py Py::list(Items items) {
  auto list = std::make_shared<List>();
  list->items = std::move(items);
  return list;
}

Py Py::tuple(Items items, std::vector<std::string> names) {
  auto tuple = std::make_shared<Tuple>();
  tuple->items = std::move(items);
  tuple->names = std::move(names);
  return tuple;
}

Py Py::dict(std::vector<std::pair<Py, Py>> entries) {
  auto dict = std::make_shared<Dict>();
  dict->entries = std::move(entries);
  return dict;
}

Py Py::tensor(ir::Value* value) {
  auto box = std::make_shared<TensorBox>();
  box->value = value;
  return box;
}

Py Py::number(ir::Value* value, Symbolic::Kind kind) {
  if (value->is_constant() && value->constant()->count() == 1) {
    if (kind == Symbolic::Kind::kInt) return value->constant()->as_int();
    if (kind == Symbolic::Kind::kBool) return value->constant()->as_int() != 0;
    return value->constant()->as_double();
  }
  return Symbolic{value, kind};
}

bool Py::is_int() const {
  const auto* symbolic = get_if<Symbolic>();
  return is<int64_t>() || (symbolic != nullptr && symbolic->kind == Symbolic::Kind::kInt);
}
bool Py::is_float() const {
  const auto* symbolic = get_if<Symbolic>();
  return is<double>() || (symbolic != nullptr && symbolic->kind == Symbolic::Kind::kFloat);
}
bool Py::is_bool() const {
  const auto* symbolic = get_if<Symbolic>();
  return is<bool>() || (symbolic != nullptr && symbolic->kind == Symbolic::Kind::kBool);
}

const Items& Py::items() const {
  if (const auto* tuple = get_if<std::shared_ptr<Tuple>>()) return (*tuple)->items;
  const auto* list = get_if<std::shared_ptr<List>>();
  if (list == nullptr) mismatch("a list or tuple");
  if ((*list)->stacked != nullptr || (*list)->open) {
    fail_unsupported("a list whose length only the run will know is used where its elements must be known");
  }
  return (*list)->items;
}

int64_t Py::as_int() const {
  if (const auto* value = get_if<int64_t>()) return *value;
  if (const auto* value = get_if<bool>()) return *value ? 1 : 0;
  if (is_symbolic()) fail_unsupported("an integer that only the run will know is used where it must be known");
  mismatch("an integer");
}

double Py::as_double() const {
  if (const auto* value = get_if<double>()) return *value;
  if (is_symbolic()) fail_unsupported("a number that only the run will know is used where it must be known");
  if (!is_number()) mismatch("a number");
  return static_cast<double>(as_int());
}

bool Py::as_bool() const {
  if (const auto* value = get_if<bool>()) return *value;
  if (is_symbolic()) fail_unsupported("a truth value that only the run will know is used where it must be known");
  if (const auto* value = get_if<int64_t>()) return *value != 0;
  mismatch("a bool");
}

std::string_view Py::type_name() const {
  static constexpr std::array<std::string_view, 15> kNames = {
      "None",     "nothing",  "a bool", "an integer", "a float", "a complex number", "a string",  "a device",
      "a tensor", "a number", "a list", "a tuple",    "a dict",  "an object",        "a function"};
  return kNames.at(data_.index());
}

void Py::mismatch(std::string_view wanted) const {
  fail_unsupported("expected " + std::string(wanted) + ", found " + std::string(type_name()));
}

std::optional<bool> known_equal(const Py& a, const Py& b) {
  if (a.is<Uninitialized>() || b.is<Uninitialized>()) return std::nullopt;
  if (a.is_symbolic() && b.is_symbolic()) {
    if (same_symbol(a.get_if<Symbolic>()->value, b.get_if<Symbolic>()->value)) return true;
    return std::nullopt;
  }
  if (a.is_tensor() || b.is_tensor() || a.is_symbolic() || b.is_symbolic()) {
    if (a.is_none() || b.is_none()) return false;
    return std::nullopt;
  }
  if (a.is_number() && b.is_number()) return a.as_double() == b.as_double();
  if (a.has_items() && b.has_items()) return equal_items(a.items(), b.items());
  if (a.data().index() != b.data().index()) return false;
  if (a.is_none()) return true;
  if (a.is<std::string>()) return a.text() == b.text();
  if (const auto* device = a.get_if<Device>()) return device->name == b.get_if<Device>()->name;
  if (const auto* number = a.get_if<std::complex<double>>()) return *number == *b.get_if<std::complex<double>>();
  return same_value(a, b);
}

bool same_value(const Py& a, const Py& b) {
  if (a.data().index() != b.data().index()) return false;
  if (const auto* x = a.get_if<TensorPtr>()) return *x == *b.get_if<TensorPtr>();
  if (const auto* x = a.get_if<Symbolic>()) return x->value == b.get_if<Symbolic>()->value;
  if (const auto* x = a.get_if<double>()) {
    const double y = *b.get_if<double>();
    return *x == y || (std::isnan(*x) && std::isnan(y));
  }
  if (a.is<std::shared_ptr<List>>()) return same_pointer<List>(a, b);
  if (a.is<std::shared_ptr<Tuple>>()) {
    const Items& x = a.items();
    const Items& y = b.items();
    bool same = x.size() == y.size();
    for (size_t i = 0; same && i < x.size(); ++i) same = same_value(x[i], y[i]);
    return same;
  }
  if (a.is<std::shared_ptr<Dict>>()) return same_pointer<Dict>(a, b);
  if (a.is<std::shared_ptr<Object>>()) return same_pointer<Object>(a, b);
  if (const auto* x = a.get_if<std::shared_ptr<Callable>>()) {
    return (*x)->name == (*b.get_if<std::shared_ptr<Callable>>())->name && !(*x)->self;
  }
  return known_equal(a, b).value_or(false);
}

}  // namespace onward::importer::script
