// Reads a TorchScript program by running it on values that are partly known: calls are inlined, what Python knows is
// computed at once, static conditions and loops disappear, and what depends on data becomes nodes, Ifs and Loops.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/torchscript/archive.h"
#include "import/torch/script/machine.h"

namespace onward::importer::script {

struct Frame {
  std::map<std::string, Py, std::less<>> names;
  const torchscript::CodeFile* file = nullptr;
  const torchscript::Function* function = nullptr;
  std::string path;  // of the module whose method runs
  const Frame* caller = nullptr;
  std::optional<Py> result;
};

class Interpreter : public Machine {
 public:
  Interpreter(const torchscript::Archive& archive, ir::Builder& builder, Blockers& blockers, Operators operators)
      : Machine(builder, std::move(operators)), archive_(archive), blockers_(blockers) {}

  // The module object of the archive with its tensors as constants, named by their path.
  Py load_root();
  // Throws Raised, NeedsType or Error.
  Py call(const Callable& callable, Items args, Kwargs kwargs = {});
  Py attribute_of(const Py& object, const std::string& name) { return attribute(object, name); }

  Py call_method(const Py& object, const std::string& name, Items args) override;
  const torchscript::Archive& archive() const { return archive_; }
  std::shared_ptr<const ir::Origin> origin() const override;
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
  Py unbind(const Py& tensor, const Py& axis, size_t parts);
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

  std::optional<int64_t> likely_rank() const override;
  void set_place(const Frame& frame, uint32_t offset, std::string op);

  const torchscript::Archive& archive_;
  Blockers& blockers_;
  std::map<const pickle::Value*, Py> loaded_;
  std::map<std::string, ir::Value*> tied_;  // by storage and view
  std::map<size_t, Py> constants_;
  const Frame* place_ = nullptr;
  uint32_t place_offset_ = 0;
  std::shared_ptr<const ir::Origin> failure_;
  int depth_ = 0;
  size_t steps_ = 0;
};

}  // namespace onward::importer::script
