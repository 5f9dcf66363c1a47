// Conditions and loops that only the model's run can decide, as If and Loop nodes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "import/torch/script/interpreter.h"

namespace onward::importer::script {

bool contains_return(const std::vector<torchscript::Stmt>& body);

// An Aside that also puts the interpreter back to its place in the program.
class Trial {
 public:
  Trial(Interpreter& interpreter, ir::Builder& builder);
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();

 private:
  Aside aside_;
  Interpreter& interpreter_;
  const Frame* place_;
  uint32_t offset_;
  int depth_;
};

// Runs both branches of a condition and joins what they leave behind: names, changed tensors, lists, dicts, attributes
// and the function's result. A branch that surely raises is dropped, and with it the condition.
class Branches {
 public:
  using Run = std::function<void(Frame&)>;
  Branches(Interpreter& interpreter, Frame& frame, ir::Value* condition)
      : interpreter_(interpreter), frame_(frame), condition_(condition) {}
  void run(const Run& then_branch, const Run& else_branch);

 private:
  Interpreter& interpreter_;
  Frame& frame_;
  ir::Value* condition_;
};

// A loop whose length or condition only the run will know.
class DynamicLoop {
 public:
  DynamicLoop(Interpreter& interpreter, Frame& frame, const torchscript::Stmt& stmt)
      : interpreter_(interpreter), frame_(frame), stmt_(stmt) {}
  void run_while(ir::Value* condition);
  void run_range(const Py& start, const Py& end, const Py& step);

 private:
  // One thing that outlives an iteration.
  struct Slot {
    enum class Kind { kName, kTensor, kList, kDict, kAttribute };
    Kind kind = Kind::kName;
    std::string name;  // kName, kAttribute
    TensorPtr tensor;
    std::shared_ptr<List> list;
    std::shared_ptr<Dict> dict;
    std::shared_ptr<Object> object;
    Py state;              // what the next iteration sees; carried numbers are Symbolic
    Py initial;            // the same before the loop
    bool ready = false;    // `state` and `initial` are set
    bool appends = false;  // a list that only grows: its new elements become scan outputs
    size_t appended = 0;   // how many an iteration
  };

  void run();
  void prepare();
  void build();
  // Runs the body once on the side. True where something new turned out to outlive an iteration.
  bool discover();
  // The names of the outer function that the loop's body gives new values to.
  std::vector<std::string> carried_names() const;
  bool add_slots(const Frame& after, const Heap::Changes& changes);
  void enter(Frame& frame, ir::Value* iteration, const ir::Values& carried);
  Py read(const Slot& slot, const Frame& frame) const;
  void put(const Slot& slot, const Py& value, Frame& frame);
  bool settle(Slot& slot, const Py& after);
  Py settled(const Py& state, const Py& after, Py& initial, bool& changed);
  void collect_initial(const Py& state, const Py& initial, ir::Values& values);
  void collect_result(const Py& state, const Py& after, ir::Values& values);
  Py filled(const Py& state, const ir::Values& values, size_t& next) const;
  void append_scans(const Slot& slot, const ir::Values& scans, size_t& next);

  Interpreter& interpreter_;
  Frame& frame_;
  const torchscript::Stmt& stmt_;
  ir::Value* trips_ = nullptr;
  ir::Value* condition_ = nullptr;
  ir::Value* start_ = nullptr;
  ir::Value* step_ = nullptr;
  std::vector<Slot> slots_;
};

}  // namespace onward::importer::script
