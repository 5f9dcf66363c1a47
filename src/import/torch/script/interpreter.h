// Reads a TorchScript program by running it on values that are partly known: calls are inlined, what Python knows is
// computed at once, static conditions and loops disappear, and what depends on data becomes nodes, Ifs and Loops.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "formats/torchscript/archive.h"
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

struct Frame {
  std::map<std::string, Py, std::less<>> names;
  const torchscript::CodeFile* file = nullptr;
  const torchscript::Function* function = nullptr;
  std::string path;  // of the module whose method runs
  std::optional<Py> result;
};

class Interpreter {
 public:
  // Operators on tensors: (name such as "aten::add", arguments) → result. Throws Error(kUnimplemented) where it can't.
  using Operators = std::function<Py(Interpreter&, const std::string& name, Items& args, Kwargs& kwargs)>;

  Interpreter(const torchscript::Archive& archive, ir::Builder& builder, Blockers& blockers, Operators operators)
      : archive_(archive),
        root_builder_(builder),
        builder_(&builder),
        blockers_(blockers),
        operators_(std::move(operators)) {}

  // The module object of the archive with its tensors as constants, named by their path.
  Py load_root();
  // Throws Raised, NeedsType or Error.
  Py call(const Callable& callable, Items args, Kwargs kwargs = {});
  // A builtin or operator by its full name.
  Py call_operator(const std::string& name, Items args, Kwargs kwargs = {});
  Py attribute_of(const Py& object, const std::string& name) { return attribute(object, name); }

  // --- for builtins and operators ------------------------------------------------------------------------------------
  ir::Builder& b() { return *builder_; }
  Heap& heap() { return heap_; }
  const torchscript::Archive& archive() const { return archive_; }
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
  std::shared_ptr<const ir::Origin> origin() const;
  // Where the error that ended the program arose.
  std::shared_ptr<const ir::Origin> failure() const { return failure_ ? failure_ : origin(); }

 private:
  friend class Branches;
  friend class DynamicLoop;
  friend class Trial;

  class Called;
  using Body = std::vector<torchscript::Stmt>;

  // --- statements ----------------------------------------------------------------------------------------------------
  void run(const Body& body, size_t from, Frame& frame);
  // True where the rest of the block is done too.
  bool run_one(const Body& body, size_t at, Frame& frame);
  void assign(const torchscript::Stmt& stmt, Frame& frame);
  void assign_to(const torchscript::Expr& target, Py value, Frame& frame);
  void unpack(const torchscript::Stmt& stmt, const Py& value, Frame& frame);
  // True where the rest of the block has been run too (as part of the branches).
  bool run_if(const Body& body, size_t at, Frame& frame);
  void run_while(const torchscript::Stmt& stmt, Frame& frame);
  void run_for(const torchscript::Stmt& stmt, Frame& frame);

  // --- expressions ---------------------------------------------------------------------------------------------------
  Py eval(const torchscript::Expr& expr, Frame& frame);
  Py eval_call(const torchscript::Expr& expr, Frame& frame);
  Py eval_special(const std::string& name, const torchscript::Expr& expr, Frame& frame, bool& handled);
  Py eval_attribute(const torchscript::Expr& expr, Frame& frame);
  Py eval_subscript(const torchscript::Expr& expr, Frame& frame);
  Py constant(size_t index);
  Py global(const std::string& qualified);
  Py attribute(const Py& base, const std::string& name);
  Py construct(const Callable& type, Items args, Kwargs kwargs);
  void bind(const torchscript::Function& function, Items args, Kwargs kwargs, Frame& frame);
  Py load(const pickle::Value& value, const torchfile::TensorReader& reader, const std::string& path);
  Py load_tensor(const torchfile::StridedTensor& tensor, const std::string& name);

  std::optional<int64_t> likely_rank() const;
  void set_place(const Frame& frame, uint32_t offset, std::string op);

  const torchscript::Archive& archive_;
  ir::Builder& root_builder_;
  ir::Builder* builder_;
  Blockers& blockers_;
  Operators operators_;
  Heap heap_;
  std::map<const pickle::Value*, Py> loaded_;
  std::map<std::string, ir::Value*> tied_;  // by storage and view
  std::map<size_t, Py> constants_;
  std::set<const ir::Value*> numbers_;
  std::string op_;
  const Frame* place_ = nullptr;
  uint32_t place_offset_ = 0;
  std::shared_ptr<const ir::Origin> failure_;
  int depth_ = 0;
  size_t steps_ = 0;
};

}  // namespace onward::importer::script
