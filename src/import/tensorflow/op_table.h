// The table of TensorFlow operators: op type → translation.
//
// A new operator of an existing family: one function and one `add` in its src/import/tensorflow/ops/<family>.cpp. A new
// family: a file with one register_<family>(OpTable&), declared in ops/families.h and called in op_table.cpp.
//
//   // Softplus(features: T) -> activations
//   ir::Value* softplus(Call& c) { return c.b.Softplus(c.input(0)); }
//   …
//   t.add("Softplus", softplus);
//   t.add("TopKV2 -> values, indices", top_k);
//
// The names behind "->" are the op's output arguments as TensorFlow's op registry has them: functions refer to outputs
// as "node:values:0". They may be left out where there is one output argument (also where it is a list: "Split"). An
// argument that is a list among several is "indices*num_split": as many outputs as the attribute says.
//
// A translator sees its node through Call (call.h): inputs, attributes with the op's default as the fallback (a
// SavedModel may leave defaults out), constants. It handles dynamic shapes and unknown ranks where ONNX can, and fails
// with `c.require(cond, "message", "remedy")`; the driver adds node, function and operator, and goes on. What is no
// tensor (handles, lists, complex numbers) is an Item: such translators return Items and use `c.item(i)`.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "import/tensorflow/call.h"

namespace onward::importer::tf {

using Translate = ir::Values (*)(Call&);
using TranslateOne = ir::Value* (*)(Call&);
using TranslateItems = Items (*)(Call&);

struct Op {
  struct Output {
    std::string name;
    std::string count_attr;  // of a list: the attribute (a number, or a list) that tells how many
  };
  std::vector<Output> outputs;
  Translate translate = nullptr;
  TranslateOne translate_one = nullptr;
  TranslateItems translate_items = nullptr;
  TranslateItems translate_complex = nullptr;  // where an input is complex
  bool effect = false;                         // changes a variable or table
  bool ignored = false;                        // nothing in the result depends on it: assertions, summaries
  bool structural = false;  // also translated where an input could not be: calls, whose insides may hold more blockers
  bool lazy = false;        // evaluates its inputs itself: v1 control flow
};

class OpTable {
 public:
  void add(std::string_view signature, Translate translate);
  void add(std::string_view signature, TranslateOne translate);
  void add(std::string_view signature, TranslateItems translate);
  // An operator that is run for what it does to a variable or table.
  void effect(std::string_view signature, TranslateItems translate);
  void ignore(std::string_view name);
  // An operator that evaluates its inputs itself.
  void lazy(std::string_view signature, TranslateItems translate);
  // How an operator that is already in the table treats complex inputs.
  void complex(std::string_view name, TranslateItems translate) {
    ops_.at(std::string(name)).translate_complex = translate;
  }
  // Marks an operator that is already in the table.
  void structural(std::string_view name) { ops_.at(std::string(name)).structural = true; }

  const Op* find(std::string_view name) const;
  const std::map<std::string, Op, std::less<>>& entries() const { return ops_; }

 private:
  Op& entry(std::string_view signature);
  std::map<std::string, Op, std::less<>> ops_;
};

// Every operator that Onward translates.
const OpTable& op_table();

}  // namespace onward::importer::tf
