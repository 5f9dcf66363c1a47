#include <algorithm>

#include "base/error.h"
#include "import/torch/script/builtins.h"

namespace onward::importer::script {
namespace {

using ListPtr = std::shared_ptr<List>;
using DictPtr = std::shared_ptr<Dict>;

bool is_list(const Items& args) { return !args.empty() && args[0].is<ListPtr>(); }
bool is_dict(const Items& args) { return !args.empty() && args[0].is<DictPtr>(); }

// The items of a list about to change; open lists only know what was added in this iteration.
Items own_items(const ListPtr& list) { return list->items; }

std::optional<Py> append(Machine& in, Items& args, Kwargs&) {
  if (!is_list(args) || args.size() != 2) return std::nullopt;
  const ListPtr list = args[0].list();
  if (list->stacked != nullptr) {
    ir::Value* last = args[1].is_tensor() ? in.value(args[1]) : in.scalar(args[1]);
    List contents = *list;
    contents.stacked = in.b().Concat({list->stacked, in.b().Unsqueeze(last, {0})}, 0);
    in.heap().set_list(list, std::move(contents));
    return args[0];
  }
  Items items = own_items(list);
  items.push_back(args[1]);
  in.heap().set_items(list, std::move(items));
  return args[0];
}

std::optional<Py> extend(Machine& in, Items& args, Kwargs&) {
  if (!is_list(args) || args.size() != 2 || !args[1].has_items()) return std::nullopt;
  Items items = own_items(args[0].list());
  for (const Py& item : args[1].items()) items.push_back(item);
  in.heap().set_items(args[0].list(), std::move(items));
  return args[0];
}

std::optional<Py> insert(Machine& in, Items& args, Kwargs&) {
  if (!is_list(args) || args.size() != 3) return std::nullopt;
  Items items = args[0].items();
  const int64_t size = static_cast<int64_t>(items.size());
  int64_t at = args[1].as_int();
  if (at < 0) at += size;
  items.insert(items.begin() + std::clamp<int64_t>(at, 0, size), args[2]);
  in.heap().set_items(args[0].list(), std::move(items));
  return None{};
}

std::optional<Py> pop(Machine& in, Items& args, Kwargs&) {
  if (is_dict(args) && args.size() >= 2) {
    std::vector<std::pair<Py, Py>> entries = args[0].dict()->entries;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!known_equal(entries[i].first, args[1]).value_or(false)) continue;
      Py value = entries[i].second;
      entries.erase(entries.begin() + static_cast<std::ptrdiff_t>(i));
      in.heap().set_entries(args[0].dict(), std::move(entries));
      return value;
    }
    if (args.size() > 2) return args[2];
    throw Raised{"KeyError"};
  }
  if (!is_list(args)) return std::nullopt;
  Items items = args[0].items();
  const size_t at = checked_index(args.size() > 1 ? args[1].as_int() : -1, items.size());
  Py value = items[at];
  items.erase(items.begin() + static_cast<std::ptrdiff_t>(at));
  in.heap().set_items(args[0].list(), std::move(items));
  return value;
}

std::optional<Py> clear(Machine& in, Items& args, Kwargs&) {
  if (is_list(args)) {
    in.heap().set_list(args[0].list(), List{});
    return None{};
  }
  if (!is_dict(args)) return std::nullopt;
  in.heap().set_entries(args[0].dict(), {});
  return None{};
}

std::optional<Py> reverse(Machine& in, Items& args, Kwargs&) {
  if (!is_list(args)) return std::nullopt;
  Items items = args[0].items();
  std::reverse(items.begin(), items.end());
  in.heap().set_items(args[0].list(), std::move(items));
  return None{};
}

bool less(const Py& a, const Py& b) {
  if (a.is<std::string>() && b.is<std::string>()) return a.text() < b.text();
  if (a.has_items() && b.has_items()) {
    return std::lexicographical_compare(a.items().begin(), a.items().end(), b.items().begin(), b.items().end(), less);
  }
  return a.as_double() < b.as_double();
}

Items sorted_items(const Items& args, const Kwargs& kwargs) {
  Items items = args[0].items();
  bool descending = args.size() > 1 && args[1].as_bool();
  for (const auto& [name, value] : kwargs) {
    if (name == "reverse") descending = value.as_bool();
  }
  std::stable_sort(items.begin(), items.end(),
                   [&](const Py& a, const Py& b) { return descending ? less(b, a) : less(a, b); });
  return items;
}

std::optional<Py> sort(Machine& in, Items& args, Kwargs& kwargs) {
  if (!is_list(args)) return std::nullopt;
  in.heap().set_items(args[0].list(), sorted_items(args, kwargs));
  return None{};
}
std::optional<Py> sorted(Machine&, Items& args, Kwargs& kwargs) {
  if (!is_list(args)) return std::nullopt;
  return Py::list(sorted_items(args, kwargs));
}

std::optional<Py> copy(Machine&, Items& args, Kwargs&) {
  if (is_dict(args)) return Py::dict(args[0].dict()->entries);
  if (args.size() == 1 && args[0].is<std::string>()) {
    Items characters;
    for (const char c : args[0].text()) characters.push_back(std::string(1, c));
    return Py::list(std::move(characters));
  }
  if (args.size() != 1 || !args[0].has_items()) return std::nullopt;
  if (is_list(args) && args[0].list()->stacked != nullptr) {
    auto list = std::make_shared<List>(*args[0].list());
    list->born = next_birth();
    return list;
  }
  return Py::list(args[0].items());
}

std::optional<Py> length(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1) return std::nullopt;
  if (is_dict(args)) return static_cast<int64_t>(args[0].dict()->entries.size());
  if (args[0].is<std::string>()) return static_cast<int64_t>(args[0].text().size());
  if (args[0].is_tensor()) return Py::number(in.b().dim_scalar(in.value(args[0]), 0), Symbolic::Kind::kInt);
  if (is_list(args) && args[0].list()->stacked != nullptr) {
    ir::Value* more = in.b().dim_scalar(args[0].list()->stacked, 0);
    const auto known = static_cast<int64_t>(args[0].list()->items.size());
    return Py::number(known == 0 ? more : in.b().Add(more, in.b().i64(known)), Symbolic::Kind::kInt);
  }
  if (args[0].is<std::shared_ptr<Object>>()) {
    return in.call_method(args[0], "__len__", {});
  }
  return args[0].has_items() ? std::optional<Py>(static_cast<int64_t>(args[0].items().size())) : std::nullopt;
}

Py element(const Py& sample, ir::Value* value) {
  if (sample.is<None>() || sample.is_tensor()) return Py::tensor(value);
  return Py::number(value, sample.is_float() ? Symbolic::Kind::kFloat : Symbolic::Kind::kInt);
}

// list[index], where the list or the index is only known at run time: a Gather from the stacked elements.
Py gather_element(Machine& in, const ListPtr& list, const Py& index) {
  ir::Builder& b = in.b();
  ir::Values parts;
  for (const Py& item : list->items) {
    parts.push_back(b.Unsqueeze(item.is_tensor() ? in.value(item) : in.scalar(item), {0}));
  }
  if (list->stacked != nullptr) parts.push_back(list->stacked);
  if (parts.empty()) throw Raised{"list index out of range"};
  ir::Value* all = b.Concat(parts, 0);
  return element(list->items.empty() ? Py() : list->items[0], b.Gather(all, in.scalar(index), 0));
}

std::optional<Py> get_item(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 2) return std::nullopt;
  if (is_dict(args)) {
    for (const auto& [key, value] : args[0].dict()->entries) {
      if (known_equal(key, args[1]).value_or(false)) return value;
    }
    throw Raised{"KeyError"};
  }
  if (args[0].is<std::string>()) {
    return std::string(1, args[0].text()[checked_index(args[1].as_int(), args[0].text().size())]);
  }
  if (is_list(args) && (args[0].list()->stacked != nullptr || args[1].is_symbolic())) {
    if (args[0].list()->open) fail_unsupported("a list that a loop of unknown length fills is read inside the loop");
    const ListPtr list = args[0].list();
    const bool front =
        args[1].is<int64_t>() && args[1].as_int() >= 0 && args[1].as_int() < static_cast<int64_t>(list->items.size());
    return front ? list->items[static_cast<size_t>(args[1].as_int())] : gather_element(in, list, args[1]);
  }
  if (args[0].has_items()) {
    if (args[1].is_symbolic()) return gather_element(in, Py::list(args[0].items()).list(), args[1]);
    return args[0].items()[checked_index(args[1].as_int(), args[0].items().size())];
  }
  if (args[0].is<std::shared_ptr<Object>>()) {
    return in.call_method(args[0], "__getitem__", {args[1]});
  }
  return std::nullopt;
}

std::optional<Py> set_item(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 3) return std::nullopt;
  if (is_dict(args)) {
    std::vector<std::pair<Py, Py>> entries = args[0].dict()->entries;
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
      return known_equal(entry.first, args[1]).value_or(false);
    });
    if (found != entries.end()) {
      found->second = args[2];
    } else {
      entries.emplace_back(args[1], args[2]);
    }
    in.heap().set_entries(args[0].dict(), std::move(entries));
    return args[0];
  }
  if (!is_list(args)) return std::nullopt;
  Items items = args[0].items();
  items[checked_index(args[1].as_int(), items.size())] = args[2];
  in.heap().set_items(args[0].list(), std::move(items));
  return args[0];
}

std::optional<Py> delete_item(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.size() != 2 || (!is_list(args) && !is_dict(args))) return std::nullopt;
  (void)pop(in, args, kwargs);
  return None{};
}

// Python's list[start:end:step] with known bounds.
std::optional<Py> slice(Machine&, Items& args, Kwargs&) {
  const bool text = !args.empty() && args[0].is<std::string>();
  if (args.empty() || (!args[0].has_items() && !text)) return std::nullopt;
  const int64_t size =
      text ? static_cast<int64_t>(args[0].text().size()) : static_cast<int64_t>(args[0].items().size());
  const auto bound = [&](size_t i, int64_t fallback) {
    return args.size() > i && !args[i].is_none() ? args[i].as_int() : fallback;
  };
  const int64_t step = bound(3, 1);
  if (step == 0) throw Raised{"slice step cannot be zero"};
  const auto clamped = [&](int64_t at) {
    if (at < 0) at += size;
    return std::clamp<int64_t>(at, step > 0 ? 0 : -1, step > 0 ? size : size - 1);
  };
  const int64_t start = args.size() > 1 && !args[1].is_none() ? clamped(bound(1, 0)) : step > 0 ? 0 : size - 1;
  const int64_t end = args.size() > 2 && !args[2].is_none() ? clamped(bound(2, size)) : step > 0 ? size : -1;
  Items items;
  std::string characters;
  for (int64_t i = start; step > 0 ? i < end : i > end; i += step) {
    if (text) {
      characters.push_back(args[0].text()[static_cast<size_t>(i)]);
    } else {
      items.push_back(args[0].items()[static_cast<size_t>(i)]);
    }
  }
  if (text) return characters;
  return args[0].is<ListPtr>() ? Py::list(std::move(items)) : Py::tuple(std::move(items));
}

std::optional<Py> concatenate(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !args[0].has_items() || !args[1].has_items()) return std::nullopt;
  Items items = args[0].items();
  items.insert(items.end(), args[1].items().begin(), args[1].items().end());
  return args[0].is<ListPtr>() ? Py::list(std::move(items)) : Py::tuple(std::move(items));
}

std::optional<Py> add_in_place(Machine& in, Items& args, Kwargs& kwargs) {
  return is_list(args) ? extend(in, args, kwargs) : std::nullopt;
}

std::optional<Py> repeat(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !is_list(args) || !args[1].is<int64_t>()) return std::nullopt;
  if (args[1].as_int() * static_cast<int64_t>(args[0].items().size()) > 1'000'000)
    fail_unsupported("a list of over a million elements");
  Items items;
  for (int64_t i = 0; i < args[1].as_int(); ++i) {
    items.insert(items.end(), args[0].items().begin(), args[0].items().end());
  }
  return Py::list(std::move(items));
}

std::optional<Py> contains(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2) return std::nullopt;
  if (args[0].is<std::string>()) return args[0].text().find(args[1].text()) != std::string::npos;
  if (is_dict(args)) {
    for (const auto& entry : args[0].dict()->entries) {
      if (known_equal(entry.first, args[1]).value_or(false)) return true;
    }
    return false;
  }
  if (!args[0].has_items()) return std::nullopt;
  for (const Py& item : args[0].items()) {
    const std::optional<bool> equal = known_equal(item, args[1]);
    if (!equal) fail_unsupported("whether a list holds a value that only the run will know");
    if (*equal) return true;
  }
  return false;
}

std::optional<Py> index_of(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !is_list(args)) return std::nullopt;
  for (size_t i = 0; i < args[0].items().size(); ++i) {
    if (known_equal(args[0].items()[i], args[1]).value_or(false)) return static_cast<int64_t>(i);
  }
  throw Raised{"the value is not in the list"};
}

std::optional<Py> count(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !is_list(args)) return std::nullopt;
  int64_t count = 0;
  for (const Py& item : args[0].items()) count += known_equal(item, args[1]).value_or(false) ? 1 : 0;
  return count;
}

template <int Which>
std::optional<Py> dict_view(Machine&, Items& args, Kwargs&) {
  if (!is_dict(args)) return std::nullopt;
  Items items;
  for (const auto& [key, value] : args[0].dict()->entries) {
    items.push_back(Which == 0 ? key : Which == 1 ? value : Py::tuple({key, value}));
  }
  return Py::list(std::move(items));
}

std::optional<Py> dict_get(Machine&, Items& args, Kwargs&) {
  if (!is_dict(args) || args.size() < 2) return std::nullopt;
  for (const auto& [key, value] : args[0].dict()->entries) {
    if (known_equal(key, args[1]).value_or(false)) return value;
  }
  return args.size() > 2 ? args[2] : Py();
}

std::optional<Py> dict_update(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.size() != 2 || !is_dict(args) || !args[1].is<DictPtr>()) return std::nullopt;
  for (const auto& [key, value] : std::vector(args[1].dict()->entries)) {
    Items one{args[0], key, value};
    (void)set_item(in, one, kwargs);
  }
  return None{};
}

std::optional<Py> make_dict(Machine& in, Items& args, Kwargs& kwargs) {
  Py dict = Py::dict({});
  if (args.empty()) return dict;
  if (is_dict(args)) return Py::dict(args[0].dict()->entries);
  if (!args[0].has_items()) return std::nullopt;
  for (const Py& pair : args[0].items()) {
    Items one{dict, pair.items().at(0), pair.items().at(1)};
    (void)set_item(in, one, kwargs);
  }
  return dict;
}

std::optional<Py> range_length(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 3) return std::nullopt;
  const int64_t step = args[2].as_int();
  if (step == 0) throw Raised{"range() arg 3 must not be zero"};
  if (args[0].is_symbolic() || args[1].is_symbolic()) {
    if (step != 1) fail_unsupported("a range with a step and bounds that only the run will know");
    ir::Value* span = in.b().Sub(in.scalar(args[1]), in.scalar(args[0]));
    return Py::number(in.b().Max(span, in.b().i64(0)), Symbolic::Kind::kInt);
  }
  const int64_t span = args[1].as_int() - args[0].as_int();
  return std::max<int64_t>(0, step > 0 ? (span + step - 1) / step : (span + step + 1) / step);
}

std::optional<Py> derive_index(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 3) return std::nullopt;
  return in.call_operator("aten::add", {args[1], in.call_operator("aten::mul", {args[0], args[2]})});
}

}  // namespace

void register_containers(BuiltinTable& table) {
  table.emplace("aten::append", append);
  table.emplace("aten::extend", extend);
  table.emplace("aten::insert", insert);
  table.emplace("aten::pop", pop);
  table.emplace("aten::popitem", pop);
  table.emplace("aten::clear", clear);
  table.emplace("aten::reverse", reverse);
  table.emplace("aten::sort", sort);
  table.emplace("aten::sorted", sorted);
  table.emplace("aten::copy", copy);
  for (const char* name : {"aten::list", "python::list", "prim::list"}) table.emplace(name, copy);
  for (const char* name : {"aten::len", "python::len", "prim::len"}) table.emplace(name, length);
  table.emplace("aten::__getitem__", get_item);
  table.emplace("aten::_set_item", set_item);
  table.emplace("aten::Delete", delete_item);
  table.emplace("aten::slice", slice);
  table.emplace("aten::add", concatenate);
  table.emplace("aten::add_", add_in_place);
  table.emplace("aten::mul", repeat);
  table.emplace("aten::__contains__", contains);
  table.emplace("aten::index", index_of);
  table.emplace("aten::count", count);
  table.emplace("aten::keys", dict_view<0>);
  table.emplace("aten::values", dict_view<1>);
  table.emplace("aten::items", dict_view<2>);
  table.emplace("aten::get", dict_get);
  table.emplace("aten::update", dict_update);
  for (const char* name : {"aten::dict", "python::dict"}) table.emplace(name, make_dict);
  table.emplace("aten::__range_length", range_length);
  table.emplace("aten::__derive_index", derive_index);
}

}  // namespace onward::importer::script
