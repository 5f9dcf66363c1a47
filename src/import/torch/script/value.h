// The values of a TorchScript program while it is read: what Python knows already is plain data, what only the model's
// run will know is a value of the graph.
#pragma once

#include <complex>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "formats/torchscript/archive.h"
#include "ir/builder.h"

namespace onward::importer::script {

class Py;
struct TensorBox;
using TensorPtr = std::shared_ptr<TensorBox>;
using Items = std::vector<Py>;

// How a view is taken of its base, and how a changed view goes back into it.
struct View {
  TensorPtr base;
  std::function<ir::Value*(ir::Value* base)> take;
  std::function<ir::Value*(ir::Value* base, ir::Value* part)> put;
};

// Counts up; tells what existed before a branch began (see Heap).
uint64_t next_birth();

// A tensor object. In-place operators change `value`; views follow their base (see Heap).
struct TensorBox {
  ir::Value* value = nullptr;
  std::optional<View> view;
  uint64_t version = 0;  // counts the changes
  uint64_t seen = 0;     // the base's version that `value` was taken of
  uint64_t born = next_birth();
};

// A number that only the run will know: rank 0, int64, float64 or bool.
struct Symbolic {
  enum class Kind { kInt, kFloat, kBool };
  ir::Value* value = nullptr;
  Kind kind = Kind::kInt;
};

struct None {};
struct Uninitialized {};  // what TorchScript puts where control never comes
struct Device {
  std::string name;
};

struct List {
  Items items;
  // Further elements that a loop of unknown length appended: slices along the leading axis, after `items`.
  ir::Value* stacked = nullptr;
  // Set in the body of such a loop: elements before `items` are not known.
  bool open = false;
  uint64_t born = next_birth();
};
struct Tuple {
  Items items;
  std::vector<std::string> names;  // of a named tuple
};
struct Dict {
  std::vector<std::pair<Py, Py>> entries;
  uint64_t born = next_birth();
};
struct Object {
  torchscript::Archive::ClassRef type;
  std::string type_name;  // "__torch__.a.B"
  std::string path;       // of a module: "encoder.layers.0"
  std::map<std::string, Py> attributes;
  uint64_t born = next_birth();
};
// A function of the archive, a method bound to its object, or a class.
struct Callable {
  torchscript::Archive::FunctionRef function;
  std::shared_ptr<Object> self;
  torchscript::Archive::ClassRef type;
  std::string name;
};

class Py {
 public:
  using Data = std::variant<None, Uninitialized, bool, int64_t, double, std::complex<double>, std::string, Device,
                            TensorPtr, Symbolic, std::shared_ptr<List>, std::shared_ptr<Tuple>, std::shared_ptr<Dict>,
                            std::shared_ptr<Object>, std::shared_ptr<Callable>>;

  Py() = default;
  template <class T>
  requires std::is_constructible_v<Data, T> Py(T value)
      : data_(std::move(value)) {}                      // NOLINT(google-explicit-constructor)
  Py(int value) : data_(int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Py(const char* value) : data_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  static Py list(Items items);
  static Py tuple(Items items, std::vector<std::string> names = {});
  static Py dict(std::vector<std::pair<Py, Py>> entries);
  static Py tensor(ir::Value* value);
  // What `value` (rank 0) says where it is known already, else a Symbolic.
  static Py number(ir::Value* value, Symbolic::Kind kind);

  const Data& data() const { return data_; }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  template <class T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  bool is_none() const { return is<None>(); }
  bool is_tensor() const { return is<TensorPtr>(); }
  bool is_symbolic() const { return is<Symbolic>(); }
  // A bool, integer or float, known or not.
  bool is_number() const { return is<bool>() || is<int64_t>() || is<double>() || is_symbolic(); }
  bool is_int() const;    // known or not; not a bool
  bool is_float() const;  // known or not
  bool is_bool() const;   // known or not

  std::shared_ptr<List> list() const { return get<std::shared_ptr<List>>("a list"); }
  std::shared_ptr<Tuple> tuple() const { return get<std::shared_ptr<Tuple>>("a tuple"); }
  std::shared_ptr<Dict> dict() const { return get<std::shared_ptr<Dict>>("a dict"); }
  std::shared_ptr<Object> object() const { return get<std::shared_ptr<Object>>("an object"); }
  const TensorPtr& box() const { return get<TensorPtr>("a tensor"); }
  const std::string& text() const { return get<std::string>("a string"); }
  // Of a list without stacked elements, or of a tuple.
  const Items& items() const;
  bool has_items() const { return is<std::shared_ptr<List>>() || is<std::shared_ptr<Tuple>>(); }
  // Known numbers; throw Error(kUnimplemented) for one that only the run will know.
  int64_t as_int() const;
  double as_double() const;
  bool as_bool() const;

  std::string_view type_name() const;  // "an integer", "a tensor" …

 private:
  template <class T>
  const T& get(std::string_view wanted) const {
    const T* value = std::get_if<T>(&data_);
    if (value == nullptr) mismatch(wanted);
    return *value;
  }
  [[noreturn]] void mismatch(std::string_view wanted) const;

  Data data_;
};

// Equality of known values as Python sees it; nothing where only the run can tell.
std::optional<bool> known_equal(const Py& a, const Py& b);
// The same object or the same known value: nothing to choose between two branches.
bool same_value(const Py& a, const Py& b);

}  // namespace onward::importer::script
