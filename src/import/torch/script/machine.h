// What builtins and operators see of the program that calls them: the graph being built, the tensors' present values,
// and other operators to call. TorchScript's interpreter and the reader of exported graphs are machines.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "import/common/blockers.h"
#include "import/torch/script/heap.h"
#include "import/torch/script/value.h"
#include "ir/builder.h"

namespace onward::importer::script {

using Kwargs = std::vector<std::pair<std::string, Py>>;

// A `raise` that the program surely comes to.
struct Raised {
  std::string message;
};

// The import can't go on without the rank or element type of a graph input that the file does not tell; the driver
// tries again with it.
struct NeedsType {
  const ir::Value* input = nullptr;
  std::optional<int64_t> rank;
  ir::DType dtype = ir::DType::kUndefined;
  std::optional<int64_t> likely = {};  // the first rank to try
};

class Machine {
 public:
  // Operators on tensors: (name such as "aten::add", arguments) → result. Throws Error(kUnimplemented) where it can't.
  using Operators = std::function<Py(Machine&, const std::string& name, Items& args, Kwargs& kwargs)>;

  Machine(ir::Builder& builder, Operators operators)
      : root_builder_(builder), builder_(&builder), operators_(std::move(operators)) {}
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  virtual ~Machine() = default;

  // A builtin or operator by its full name; `overload` where the program names one ("Tensor").
  Py call_operator(const std::string& name, Items args, Kwargs kwargs = {}, const std::string& overload = {});
  // The overload of the operator that is being called; "" where it is to be told by the arguments.
  const std::string& overload() const { return overload_; }
  // A method of an object of the program.
  virtual Py call_method(const Py& object, const std::string& name, Items args) = 0;

  ir::Builder& b() { return *builder_; }
  Heap& heap() { return heap_; }
  // The tensor's present value.
  ir::Value* value(const Py& tensor) { return heap_.value(tensor.box()); }
  // A number, known or not, as a rank 0 value: int64, float64 or bool.
  ir::Value* scalar(const Py& number);
  // Whether `value` is true as far as that is known; else `condition` gets the boolean that the run will give.
  std::optional<bool> truth(const Py& value, ir::Value*& condition);
  // Throws NeedsType where the rank hangs on a graph input's that is not known.
  int64_t rank(ir::Value* value);
  // A constant of a trace that was a Python float where the model was traced: it must not widen what it meets.
  bool was_number(const ir::Value* value) const { return numbers_.contains(value); }
  // A graph input whose element type the file does not tell.
  void assume_dtype(const ir::Value* input) { assumed_.insert(input); }
  bool assumes_dtype(const ir::Value* input) const { return assumed_.contains(input); }
  // Where the operator that is being called stands in the program.
  virtual std::shared_ptr<const ir::Origin> origin() const = 0;

 protected:
  friend class Aside;

  // What the place in the program tells of a tensor's rank.
  virtual std::optional<int64_t> likely_rank() const { return std::nullopt; }

  ir::Builder& root_builder_;
  ir::Builder* builder_;
  Operators operators_;
  Heap heap_;
  std::set<const ir::Value*> numbers_;
  std::set<const ir::Value*> assumed_;
  std::string op_;
  std::string overload_;
};

// Lets the machine build into another graph and takes back, at its end, whatever changed meanwhile.
class Aside {
 public:
  Aside(Machine& machine, ir::Builder& builder);
  Aside(const Aside&) = delete;
  Aside& operator=(const Aside&) = delete;
  ~Aside();

 private:
  Machine& machine_;
  ir::Builder* builder_;
};

}  // namespace onward::importer::script
