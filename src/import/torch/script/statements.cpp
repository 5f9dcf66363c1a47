#include <algorithm>

#include "base/error.h"
#include "import/torch/script/control_flow.h"
#include "import/torch/script/interpreter.h"

namespace onward::importer::script {
namespace {

using torchscript::Expr;
using torchscript::Stmt;

constexpr size_t kMaxSteps = 2'000'000;
constexpr int64_t kMaxUnrolled = 4096;

}  // namespace

void Interpreter::run(const Body& body, size_t from, Frame& frame) {
  for (size_t i = from; i < body.size() && !frame.result; ++i) {
    const Stmt& stmt = body[i];
    if (++steps_ > kMaxSteps)
      fail_unsupported("the program does not come to an end in " + std::to_string(kMaxSteps) + " steps");
    place_ = &frame;
    place_offset_ = stmt.offset;
    try {
      if (run_one(body, i, frame)) return;
    } catch (const Error&) {
      if (!failure_) failure_ = origin();
      throw;
    }
  }
}

bool Interpreter::run_one(const Body& body, size_t at, Frame& frame) {
  const Stmt& stmt = body[at];
  switch (stmt.kind) {
    case Stmt::Kind::kAssign:
      assign(stmt, frame);
      break;
    case Stmt::Kind::kExpr:
      eval(stmt.values[0], frame);
      break;
    case Stmt::Kind::kReturn:
      frame.result = stmt.values.empty() ? Py() : eval(stmt.values[0], frame);
      break;
    case Stmt::Kind::kIf:
      return run_if(body, at, frame);
    case Stmt::Kind::kWhile:
      run_while(stmt, frame);
      break;
    case Stmt::Kind::kFor:
      run_for(stmt, frame);
      break;
    case Stmt::Kind::kPass:
      break;
  }
  return false;
}

void Interpreter::assign(const Stmt& stmt, Frame& frame) {
  if (stmt.unpack) {
    const Expr& value = stmt.values[0];
    const bool unbinds = value.kind == Expr::Kind::kCall && value.items.size() >= 2 && value.keywords.empty() &&
                         torchscript::dotted(value.items[0]) == "torch.unbind";
    if (unbinds) {
      const Py tensor = eval(value.items[1], frame);
      const Py axis = value.items.size() > 2 ? eval(value.items[2], frame) : Py(0);
      place_ = &frame;
      place_offset_ = value.offset;
      unpack(stmt, unbind(tensor, axis, stmt.targets.size()), frame);
    } else {
      unpack(stmt, eval(value, frame), frame);
    }
    return;
  }
  Items values;
  for (const Expr& value : stmt.values) values.push_back(eval(value, frame));
  for (size_t i = 0; i < stmt.targets.size(); ++i) assign_to(stmt.targets[i], std::move(values[i]), frame);
}

// As many names as an input is unpacked to tell its size along the axis, where nothing else does.
Py Interpreter::unbind(const Py& tensor, const Py& axis, size_t parts) {
  ir::Value* value = tensor.is_tensor() ? this->value(tensor) : nullptr;
  if (value == nullptr || is_untranslated(value) || !value->has_rank() || !axis.is<int64_t>()) {
    return call_operator("aten::unbind", {tensor, axis});
  }
  const auto rank = static_cast<int64_t>(value->rank());
  const int64_t place = axis.as_int() < 0 ? axis.as_int() + rank : axis.as_int();
  if (place < 0 || place >= rank || value->dim(static_cast<size_t>(place)).is_known() || value->complex) {
    return call_operator("aten::unbind", {tensor, axis});
  }
  const auto& inputs = root_builder_.graph().inputs();
  if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) {
    (*value->shape)[static_cast<size_t>(place)] = ir::Dim(static_cast<int64_t>(parts));
  }
  return call_operator("aten::unbind", {tensor, axis});
}

void Interpreter::unpack(const Stmt& stmt, const Py& value, Frame& frame) {
  Items items;
  if (value.is_tensor() && is_untranslated(this->value(value))) {
    items.assign(stmt.targets.size(), value);  // its error is noted; this one would only be its echo
  } else if (value.is_tensor()) {
    items = unbind(value, Py(0), stmt.targets.size()).items();
  } else {
    items = value.items();
  }
  if (items.size() != stmt.targets.size()) {
    fail_unsupported(std::to_string(items.size()) + " values are given to " + std::to_string(stmt.targets.size()) +
                     " names");
  }
  for (size_t i = 0; i < items.size(); ++i) assign_to(stmt.targets[i], items[i], frame);
}

void Interpreter::assign_to(const Expr& target, Py value, Frame& frame) {
  if (target.kind == Expr::Kind::kName) {
    frame.names[target.text] = std::move(value);
  } else if (target.kind == Expr::Kind::kAttr) {
    heap_.set_attribute(eval(target.items[0], frame).object(), target.text, std::move(value));
  } else if (target.kind == Expr::Kind::kSubscript) {
    call_operator("aten::_set_item", {eval(target.items[0], frame), eval(target.items[1], frame), std::move(value)});
  } else {
    fail_data("something that is no name is assigned to");
  }
}

bool Interpreter::run_if(const Body& body, size_t at, Frame& frame) {
  const Stmt& stmt = body[at];
  ir::Value* condition = nullptr;
  const std::optional<bool> known = truth(eval(stmt.values[0], frame), condition);
  if (known) {
    run(*known ? stmt.body : stmt.orelse, 0, frame);
    return false;
  }
  Branches branches(*this, frame, condition);
  const bool returns = contains_return(stmt.body) || contains_return(stmt.orelse);
  const auto branch = [&](const Body& own) {
    return [this, &own, &body, at, returns](Frame& inner) {
      run(own, 0, inner);
      if (returns && !inner.result) run(body, at + 1, inner);
    };
  };
  branches.run(branch(stmt.body), branch(stmt.orelse));
  return returns;
}

void Interpreter::run_while(const Stmt& stmt, Frame& frame) {
  for (int64_t count = 0;; ++count) {
    ir::Value* condition = nullptr;
    const std::optional<bool> known = truth(eval(stmt.values[0], frame), condition);
    if (!known) {
      DynamicLoop loop(*this, frame, stmt);
      loop.run_while(condition);
      return;
    }
    if (!*known || frame.result) return;
    if (count > kMaxUnrolled) fail_unsupported("a loop of more than " + std::to_string(kMaxUnrolled) + " known steps");
    run(stmt.body, 0, frame);
  }
}

void Interpreter::run_for(const Stmt& stmt, Frame& frame) {
  const Expr& source = stmt.values[0];
  const bool is_range = source.kind == Expr::Kind::kCall && source.items[0].is_name("range");
  if (!is_range) {
    const Items items = eval(source, frame).items();
    for (const Py& item : items) {
      assign_to(stmt.targets[0], item, frame);
      run(stmt.body, 0, frame);
      if (frame.result) return;
    }
    return;
  }
  Items bounds;
  for (size_t i = 1; i < source.items.size(); ++i) bounds.push_back(eval(source.items[i], frame));
  if (bounds.empty()) fail_data("range without an end");
  const Py start = bounds.size() > 1 ? bounds[0] : Py(0);
  const Py end = bounds.size() > 1 ? bounds[1] : bounds[0];
  const Py step = bounds.size() > 2 ? bounds[2] : Py(1);
  const bool known = start.is<int64_t>() && end.is<int64_t>() && step.is<int64_t>();
  if (!known) {
    DynamicLoop loop(*this, frame, stmt);
    loop.run_range(start, end, step);
    return;
  }
  if (step.as_int() == 0) fail_data("range with a step of 0");
  int64_t count = 0;
  for (int64_t i = start.as_int(); step.as_int() > 0 ? i < end.as_int() : i > end.as_int(); i += step.as_int()) {
    if (++count > kMaxUnrolled)
      fail_unsupported("a loop of more than " + std::to_string(kMaxUnrolled) + " known steps");
    assign_to(stmt.targets[0], i, frame);
    run(stmt.body, 0, frame);
    if (frame.result) return;
  }
}

bool contains_return(const std::vector<Stmt>& body) {
  for (const Stmt& stmt : body) {
    if (stmt.kind == Stmt::Kind::kReturn || contains_return(stmt.body) || contains_return(stmt.orelse)) return true;
  }
  return false;
}

}  // namespace onward::importer::script
