// Finds the tensors in an object graph and names them, without recursion: hostile graphs are deep, cyclic and shared.
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "formats/torch/checkpoint.h"
#include "formats/torch/globals.h"

namespace onward::torchfile {
namespace {

using pickle::Entries;
using pickle::Items;
using pickle::Kind;
using pickle::Value;

constexpr size_t kMaxTensors = 1'000'000;
constexpr size_t kMaxSteps = 50'000'000;
constexpr size_t kMaxPath = 4096;

struct Child {
  std::string name;
  const Value* value = nullptr;
};

std::string key_text(const Value& key) {
  switch (key.kind) {
    case Kind::kString:
    case Kind::kBytes:
    case Kind::kGlobal:
    case Kind::kBigInt:
      return key.text();
    case Kind::kInt:
      return std::to_string(key.as_int());
    case Kind::kBool:
      return key.as_bool() ? "True" : "False";
    case Kind::kNone:
      return "None";
    case Kind::kFloat:
      return std::to_string(key.as_float());
    case Kind::kTuple: {
      std::string text = "(";
      for (const Value* item : key.items()) {
        if (text.size() > 1) text += ", ";
        text += item->kind == Kind::kTuple ? "(…)" : key_text(*item);
      }
      return text + ")";
    }
    default:
      return std::string(pickle::kind_name(key.kind));
  }
}

void add_items(std::vector<Child>& out, const Items& items) {
  for (size_t i = 0; i < items.size(); ++i) out.push_back({std::to_string(i), items[i]});
}

// As in Python, a later value for the same key replaces the earlier one but keeps its place.
void add_entries(std::vector<Child>& out, const Entries& entries) {
  std::unordered_map<std::string_view, size_t> places;
  for (const auto& [key, value] : entries) {
    if (key->is_string()) {
      const auto [place, fresh] = places.emplace(key->text(), out.size());
      if (!fresh) {
        out[place->second].value = value;
        continue;
      }
    }
    out.push_back({key_text(*key), value});
  }
}

// OrderedDict([[key, value], …]) of Python 2.
void add_pairs(std::vector<Child>& out, const Items& pairs) {
  for (const Value* pair : pairs) {
    if (!pair->is_sequence() || pair->items().size() != 2) return;
    out.push_back({key_text(*pair->items()[0]), pair->items()[1]});
  }
}

void add_mapping(std::vector<Child>& out, const Value* mapping) {
  if (mapping == nullptr) return;
  if (mapping->kind == Kind::kObject && class_name(mapping->object()) == "collections.OrderedDict") {
    const Value* args = mapping->object().args;
    if (args != nullptr && args->is_sequence() && args->items().size() == 1 && args->items()[0]->is_sequence()) {
      add_pairs(out, args->items()[0]->items());
    }
  }
  if (const Entries* entries = pickle::mapping_entries(*mapping)) add_entries(out, *entries);
}

// The attributes of an object: BUILD's dict, or the (dict, slots) pair.
const Value* attributes(const pickle::Object& object) {
  const Value* state = object.state;
  if (state != nullptr && state->kind == Kind::kTuple && !state->items().empty()) state = state->items()[0];
  return state != nullptr && pickle::mapping_entries(*state) != nullptr ? state : nullptr;
}

bool listed_as_not_persistent(const Value* set, const std::string& name) {
  if (set == nullptr) return false;
  const Value* list = set;
  if (set->kind == Kind::kObject) {
    const Value* args = set->object().args;
    if (args == nullptr || !args->is_sequence() || args->items().empty()) return false;
    list = args->items()[0];
  }
  if (!std::holds_alternative<Items>(list->data)) return false;
  for (const Value* item : list->items()) {
    if (item->is_string() && item->text() == name) return true;
  }
  return false;
}

// A torch.nn.Module lists what its state dict would: parameters, persistent buffers, sub-modules.
bool add_module(std::vector<Child>& out, const Value& state) {
  const Value* parameters = state.find("_parameters");
  const Value* modules = state.find("_modules");
  if (parameters == nullptr || modules == nullptr) return false;
  add_mapping(out, parameters);
  std::vector<Child> buffers;
  add_mapping(buffers, state.find("_buffers"));
  const Value* hidden = state.find("_non_persistent_buffers_set");
  for (Child& buffer : buffers) {
    if (!listed_as_not_persistent(hidden, buffer.name)) out.push_back(std::move(buffer));
  }
  add_mapping(out, modules);
  return true;
}

std::vector<Child> children(const Value& value) {
  std::vector<Child> out;
  switch (value.kind) {
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kSet:
    case Kind::kFrozenSet:
      add_items(out, value.items());
      break;
    case Kind::kDict:
      add_entries(out, value.entries());
      break;
    case Kind::kObject: {
      const pickle::Object& object = value.object();
      const std::string_view name = class_name(object);
      const Value* state = attributes(object);
      if (state != nullptr && add_module(out, *state)) break;
      if (const Value* inner = TensorReader::subclass_state(object)) {
        add_mapping(out, inner);
        break;
      }
      add_mapping(out, &value);
      add_items(out, object.items);
      if (state != nullptr && name != "collections.OrderedDict") add_mapping(out, state);
      const bool wraps = name.starts_with("torch.jit._pickle.") || object.created || name == "builtins.list" ||
                         name == "builtins.tuple" || name == "builtins.set" || name == "__builtin__.set" ||
                         name == "collections.deque";
      if (wraps && object.args != nullptr && object.args->is_sequence()) {
        const Items& args = object.args->items();
        if (!object.created && !args.empty()) {
          out.push_back({"", args[0]});
        } else if (state == nullptr) {
          add_items(out, args);  // a named tuple
        }
      }
      break;
    }
    default:
      break;
  }
  return out;
}

class Walker {
 public:
  Walker(const TensorReader& reader, std::string_view what) : reader_(reader), what_(what) {}

  std::vector<NamedTensor> run(const Value& root) {
    enter(root, "");
    while (!frames_.empty()) {
      Frame& frame = frames_.back();
      if (frame.next == frame.children.size()) {
        leave();
        continue;
      }
      const Child child = std::move(frame.children[frame.next++]);
      if (++steps_ > kMaxSteps) exhausted("references");
      std::string path = frame.path;
      if (!path.empty() && !child.name.empty()) path += '.';
      path += child.name;
      if (path.size() > kMaxPath) exhausted("nested names");
      enter(*child.value, std::move(path));
    }
    return std::move(tensors_);
  }

 private:
  struct Frame {
    const Value* value = nullptr;
    std::string path;
    std::vector<Child> children;
    size_t next = 0;
    size_t before = 0;  // tensors found before this frame
  };

  [[noreturn]] void exhausted(const std::string& of) const {
    throw Error(Code::kResourceExhausted, std::string(what_) + ": the object graph has too many " + of);
  }

  void enter(const Value& value, std::string path) {
    if (reader_.is_tensor(value)) {
      add(value, std::move(path));
      return;
    }
    if (barren_.contains(&value) || on_path_.contains(&value)) return;
    std::vector<Child> found = children(value);
    if (found.empty()) return;
    on_path_.insert(&value);
    frames_.push_back({&value, std::move(path), std::move(found), 0, tensors_.size()});
  }

  void leave() {
    const Frame& frame = frames_.back();
    if (tensors_.size() == frame.before) barren_.insert(frame.value);
    on_path_.erase(frame.value);
    frames_.pop_back();
  }

  void add(const Value& value, std::string path) {
    if (tensors_.size() >= kMaxTensors) exhausted("tensors");
    try {
      std::optional<StridedTensor> tensor = reader_.tensor(value);
      if (tensor) tensors_.push_back({std::move(path), std::move(*tensor)});
    } catch (const Error& error) {
      if (path.empty()) throw;
      throw error.within("tensor \"" + path.substr(0, 200) + "\"");
    }
  }

  const TensorReader& reader_;
  std::string_view what_;
  std::vector<Frame> frames_;
  std::unordered_set<const Value*> on_path_;
  std::unordered_set<const Value*> barren_;
  std::vector<NamedTensor> tensors_;
  size_t steps_ = 0;
};

}  // namespace

std::vector<NamedTensor> named_tensors(const Value& root, const TensorReader& reader, std::string_view what) {
  return Walker(reader, what).run(root);
}

}  // namespace onward::torchfile
