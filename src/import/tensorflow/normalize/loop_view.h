// What recognising loops looks at: a Loop node with its body, and how values in it came about.
#pragma once

#include <optional>
#include <string_view>

#include "ir/builder.h"

namespace onward::importer::tf {

// The node that makes `value` if it is an ONNX `op`, else null.
const ir::Node* made_by(const ir::Value* value, std::string_view op);
// `value` without the Identity nodes in front of it.
ir::Value* behind(ir::Value* value);

// The operands of a commutative node, as they are and swapped.
template <class Try>
bool either_way(const ir::Value* value, std::string_view op, const Try& attempt) {
  const ir::Node* node = made_by(value, op);
  if (node == nullptr || node->inputs().size() != 2) return false;
  ir::Value* a = behind(node->input(0));
  ir::Value* b = behind(node->input(1));
  return attempt(a, b) || attempt(b, a);
}

// A Loop over the leading axis of tensors outside it. Refers to the node, which must outlive it.
//
// Where Keras runs a layer with a mask, each state is Where(mask[round], fresh, before); these are looked through.
class LoopView {
 public:
  explicit LoopView(const ir::Node& loop);

  const ir::Node& node() const { return loop_; }
  size_t carried() const { return loop_.inputs().size() - 2; }
  size_t scans() const { return loop_.outputs().size() - carried(); }
  ir::Value* initial(size_t i) const { return loop_.input(i + 2); }
  ir::Value* before(size_t i) const { return body_.inputs()[i + 2]; }
  ir::Value* after(size_t i) const { return behind(body_.outputs()[i + 1]); }
  ir::Value* scan(size_t i) const { return behind(body_.outputs()[1 + carried() + i]); }
  bool is_outside(const ir::Value* value) const { return value->graph() != &body_ || value->is_constant(); }

  // [steps, batch, 1] bool, or null: which steps count.
  ir::Value* mask() const { return mask_; }
  // What the state would be without the mask.
  ir::Value* fresh(size_t i) const;
  // A masked step gives what the last valid one gave, or zeros. Nothing where `value` is neither of `fresh`.
  enum class Masked { kHeld, kZero };
  std::optional<Masked> masked_output(ir::Value* value, const ir::Value* fresh) const;

  std::optional<size_t> carried_index(const ir::Value* value) const;
  // Counts rounds from 0.
  bool is_round(const ir::Value* value) const;
  // state + 1
  bool is_next(size_t index) const;
  // x[round] → x
  ir::Value* sliced(const ir::Value* value) const;

 private:
  // Where(mask[round], x, …) → the node, else null; `mask` is the one of this loop, or any that fits.
  const ir::Node* choice(const ir::Value* value) const;

  const ir::Node& loop_;
  const ir::Graph& body_;
  ir::Value* mask_ = nullptr;
};

// Whether every element is surely zero.
bool is_all_zero(const ir::Value* value);

}  // namespace onward::importer::tf
