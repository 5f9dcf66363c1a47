#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "import/torch/script/builtins.h"

namespace onward::importer::script {
namespace {

bool is_text(const Items& args) { return !args.empty() && args[0].is<std::string>(); }

// Python's str() of known values; what only the run will know shows as "<tensor>" (it is only seen in messages).
std::string shown(const Py& value) {
  if (value.is<std::string>()) return value.text();
  if (value.is_none()) return "None";
  if (value.is<bool>()) return value.as_bool() ? "True" : "False";
  if (value.is<int64_t>()) return std::to_string(value.as_int());
  if (value.is<double>()) {
    std::string text = fmt::format("{}", value.as_double());
    if (text.find_first_of(".einf") == std::string::npos) text += ".0";
    return text;
  }
  if (const auto* device = value.get_if<Device>()) return device->name;
  if (value.is<std::shared_ptr<List>>() || value.is<std::shared_ptr<Tuple>>()) {
    const bool list = value.is<std::shared_ptr<List>>();
    std::string text(list ? "[" : "(");
    const Items& items = list ? value.list()->items : value.items();
    for (size_t i = 0; i < items.size(); ++i) text += (i == 0 ? "" : ", ") + shown(items[i]);
    return text + (list ? "]" : ")");
  }
  return "<" + std::string(value.type_name()) + ">";
}

std::optional<Py> format(Machine&, Items& args, Kwargs&) {
  if (!is_text(args)) return std::nullopt;
  const std::string& pattern = args[0].text();
  std::string out;
  size_t next = 1;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '{' && next < args.size()) {
      const size_t close = pattern.find('}', i);
      if (close != std::string::npos) {
        out += shown(args[next++]);
        i = close;
        continue;
      }
    }
    out.push_back(pattern[i]);
  }
  return out;
}

std::optional<Py> percent_format(Machine&, Items& args, Kwargs&) {
  if (!is_text(args)) return std::nullopt;
  Items values(args.begin() + 1, args.end());
  if (values.size() == 1 && values[0].is<std::shared_ptr<Tuple>>()) values = values[0].items();
  const std::string& pattern = args[0].text();
  std::string out;
  size_t next = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '%' && i + 1 < pattern.size()) {
      ++i;
      if (pattern[i] == '%') {
        out.push_back('%');
      } else if (next < values.size()) {
        out += shown(values[next++]);
      }
      continue;
    }
    out.push_back(pattern[i]);
  }
  return out;
}

std::optional<Py> to_text(Machine&, Items& args, Kwargs&) {
  if (args.size() != 1 || args[0].is_symbolic() || args[0].is_tensor()) return std::nullopt;
  return shown(args[0]);
}

std::optional<Py> concatenate(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !args[0].is<std::string>() || !args[1].is<std::string>()) return std::nullopt;
  return args[0].text() + args[1].text();
}

std::optional<Py> repeat(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !is_text(args) || !args[1].is<int64_t>()) return std::nullopt;
  std::string out;
  for (int64_t i = 0; i < std::min<int64_t>(args[1].as_int(), 10000); ++i) out += args[0].text();
  return out;
}

template <bool (*Compare)(int)>
std::optional<Py> order(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !args[0].is<std::string>() || !args[1].is<std::string>()) return std::nullopt;
  return Compare(args[0].text().compare(args[1].text()));
}

bool lt(int c) { return c < 0; }
bool gt(int c) { return c > 0; }
bool le(int c) { return c <= 0; }
bool ge(int c) { return c >= 0; }
std::optional<Py> join(Machine&, Items& args, Kwargs&) {
  if (args.size() != 2 || !is_text(args)) return std::nullopt;
  std::string out;
  for (const Py& item : args[1].items()) out += (out.empty() ? "" : args[0].text()) + item.text();
  return out;
}

std::optional<Py> split(Machine&, Items& args, Kwargs&) {
  if (!is_text(args)) return std::nullopt;
  const std::string& text = args[0].text();
  Items parts;
  if (args.size() < 2 || args[1].is_none()) {
    for (size_t at = text.find_first_not_of(" \t\n"); at != std::string::npos;) {
      const size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
      parts.push_back(text.substr(at, end - at));
      at = text.find_first_not_of(" \t\n", end);
    }
    return Py::list(std::move(parts));
  }
  const std::string& separator = args[1].text();
  if (separator.empty()) throw Raised{"empty separator"};
  size_t at = 0;
  for (size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, at)) {
    parts.push_back(text.substr(at, end - at));
    at = end + separator.size();
  }
  parts.push_back(text.substr(at));
  return Py::list(std::move(parts));
}

std::optional<Py> strip(Machine&, Items& args, Kwargs&) {
  if (!is_text(args)) return std::nullopt;
  const std::string characters = args.size() > 1 && args[1].is<std::string>() ? args[1].text() : " \t\n\r\f\v";
  const std::string& text = args[0].text();
  const size_t first = text.find_first_not_of(characters);
  if (first == std::string::npos) return std::string();
  return text.substr(first, text.find_last_not_of(characters) - first + 1);
}

template <bool Upper>
std::optional<Py> change_case(Machine&, Items& args, Kwargs&) {
  if (!is_text(args)) return std::nullopt;
  std::string text = args[0].text();
  for (char& c : text) {
    if (Upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z') c = static_cast<char>(c ^ 0x20);
  }
  return text;
}

template <bool Start>
std::optional<Py> has_end(Machine&, Items& args, Kwargs&) {
  if (args.size() < 2 || !is_text(args)) return std::nullopt;
  return Start ? args[0].text().starts_with(args[1].text()) : args[0].text().ends_with(args[1].text());
}

std::optional<Py> find(Machine&, Items& args, Kwargs&) {
  if (args.size() < 2 || !is_text(args)) return std::nullopt;
  const size_t at = args[0].text().find(args[1].text());
  return at == std::string::npos ? int64_t{-1} : static_cast<int64_t>(at);
}

std::optional<Py> replace(Machine&, Items& args, Kwargs&) {
  if (args.size() < 3 || !is_text(args) || args[1].text().empty()) return std::nullopt;
  std::string text = args[0].text();
  const std::string& from = args[1].text();
  const std::string& to = args[2].text();
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

std::optional<Py> character_code(Machine&, Items& args, Kwargs&) {
  if (!is_text(args) || args[0].text().size() != 1) return std::nullopt;
  return static_cast<int64_t>(static_cast<unsigned char>(args[0].text()[0]));
}

std::optional<Py> raise(Machine&, Items& args, Kwargs&) {
  throw Raised{args.empty() ? std::string("an exception") : shown(args[0])};
}

std::optional<Py> nothing(Machine&, Items&, Kwargs&) { return None{}; }

}  // namespace

void register_strings(BuiltinTable& table) {
  table.emplace("aten::format", format);
  table.emplace("aten::percentFormat", percent_format);
  for (const char* name : {"python::str", "aten::str", "prim::str"}) table.emplace(name, to_text);
  table.emplace("aten::add", concatenate);
  table.emplace("aten::mul", repeat);
  table.emplace("aten::lt", order<lt>);
  table.emplace("aten::gt", order<gt>);
  table.emplace("aten::le", order<le>);
  table.emplace("aten::ge", order<ge>);
  table.emplace("aten::join", join);
  table.emplace("aten::split", split);
  table.emplace("aten::strip", strip);
  table.emplace("aten::lower", change_case<false>);
  table.emplace("aten::upper", change_case<true>);
  table.emplace("aten::startswith", has_end<true>);
  table.emplace("aten::endswith", has_end<false>);
  table.emplace("aten::find", find);
  table.emplace("aten::replace", replace);
  table.emplace("aten::ord", character_code);
  for (const char* name : {"prim::RaiseException", "prim::raise"}) table.emplace(name, raise);
  for (const char* name : {"aten::warn", "prim::Print", "python::print", "aten::print"}) table.emplace(name, nothing);
}

}  // namespace onward::importer::script
