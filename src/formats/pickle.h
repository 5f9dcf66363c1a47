// Python pickles (protocols 0 to 5) read as data: a tree of plain values. Nothing is imported, called or built; what a
// pickle would call is kept as an Object that names the callable and holds its arguments.
//
// Throws Error(kDataLoss) for a damaged pickle (unknown opcode, empty stack, missing memo entry, no STOP, …),
// Error(kResourceExhausted) over the limits and Error(kUnimplemented) for extension codes and out-of-band buffers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/bytes.h"

namespace onward::pickle {

struct Value;
using Items = std::vector<const Value*>;
using Entries = std::vector<std::pair<const Value*, const Value*>>;

enum class Kind {
  kNone,
  kBool,
  kInt,
  kBigInt,  // decimal text
  kFloat,
  kString,
  kBytes,
  kList,
  kTuple,
  kSet,
  kFrozenSet,
  kDict,
  kGlobal,  // a name: "module.name"
  kObject,
  kPersistent,  // what the file calls by a persistent id
};

// What REDUCE, NEWOBJ, OBJ, INST and BUILD would have made.
struct Object {
  const Value* callable = nullptr;
  const Value* args = nullptr;    // a tuple, or what stood in its place
  const Value* kwargs = nullptr;  // NEWOBJ_EX only
  const Value* state = nullptr;   // of the last BUILD
  bool created = false;           // by NEWOBJ: no constructor would have run
  Items items;                    // appended or added afterwards
  Entries entries;                // set afterwards
};

struct Value {
  Kind kind = Kind::kNone;
  std::variant<std::monostate, bool, int64_t, double, std::string, Items, Entries, const Value*,
               std::unique_ptr<Object>>
      data;

  bool is_none() const { return kind == Kind::kNone; }
  bool is_string() const { return kind == Kind::kString; }
  bool is_int() const { return kind == Kind::kInt; }
  bool is_sequence() const { return kind == Kind::kList || kind == Kind::kTuple; }
  bool is_global(std::string_view name) const;

  // Each throws Error(kDataLoss, "expected …, found …") for another kind.
  bool as_bool() const;
  int64_t as_int() const;                         // also takes a bool
  double as_float() const;                        // also takes an integer
  const std::string& text() const;                // of a string, bytes, big integer or global
  const Items& items() const;                     // of a list, tuple, set or frozen set
  const Entries& entries() const;                 // of a dict
  const Object& object() const;                   // of an object
  const Value& persistent_id() const;             // of a persistent reference
  const Value* find(std::string_view key) const;  // in a dict, or in an object's entries; nullptr where missing
};

std::string_view kind_name(Kind kind);
// The callable's name of an object ("" where it is no global).
std::string_view callable_name(const Object& object);
// The entries of a dict or of an object that had items set; nullptr for anything else.
const Entries* mapping_entries(const Value& value);

struct Limits {
  size_t values = 20'000'000;
  size_t stack = 4'000'000;
};

// A tree and everything in it. References inside may be shared and may form cycles: walk it with care and without
// recursion. Copies share the tree; immutable, safe to read from several threads.
class Document {
 public:
  // Reads one pickle from the start of `bytes`; `what` names it in messages. Where `end` is given it receives the
  // offset behind the STOP opcode, else bytes behind it are allowed and ignored. `allow` is asked for each global
  // before anything else happens and may throw.
  static Document read(ByteView bytes, std::string_view what, size_t* end = nullptr,
                       const std::function<void(const std::string&)>& allow = {}, const Limits& limits = {});

  const Value& root() const { return *root_; }
  // Every value of the document, in the order of creation.
  const std::deque<Value>& values() const { return *values_; }

 private:
  std::shared_ptr<const std::deque<Value>> values_;
  const Value* root_ = nullptr;
};

}  // namespace onward::pickle
