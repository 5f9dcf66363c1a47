// The table of PyTorch operators: signature → translation. Both torch importers (.pt2 and TorchScript) call operators
// through it, so that positional, keyword and default arguments are sorted out in one place.
//
// A new operator of an existing family: one `add` in its src/import/torch/ops/<family>.cpp.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/torch/call.h"
#include "import/torch/signature.h"

namespace onward::importer::torch {

using Translate = ir::Values (*)(Call&);
using TranslateOne = ir::Value* (*)(Call&);

// Arguments as a file has them.
struct Arguments {
  std::vector<Arg> positional;
  std::vector<std::pair<std::string, Arg>> keywords;
};

class OpTable {
 public:
  struct Entry {
    Signature signature;
    Translate translate = nullptr;
    TranslateOne translate_one = nullptr;
    // What to call where an argument is complex, if the operator takes complex numbers.
    Translate complex = nullptr;
    TranslateOne complex_one = nullptr;
    bool by_parts = false;             // the real and the imaginary part, each by the ordinary translation
    std::vector<std::string> factors;  // it is linear in each of these: by the parts' products
  };

  void add(std::string_view signature, Translate translate);
  void add(std::string_view signature, TranslateOne translate);
  // The entries of `name` once more as `other_name`.
  void alias(const std::string& other_name, const std::string& name);
  // How the entries of `name` (added before) take complex numbers; a translation reads them with Call::complex.
  void complex(const std::string& name, Translate translate);
  void complex(const std::string& name, TranslateOne translate);
  // Operators that only move elements, or are linear with real factors.
  void complex_by_parts(const std::string& name);
  // Operators that are linear in each of the tensors or tensor lists `factors`, and add "bias", if there is one.
  void complex_by_products(const std::string& name, const std::vector<std::string>& factors);

  bool contains(const std::string& name) const { return overloads_.contains(name); }
  // "aten::add" and "Tensor"; nullptr where it is not translated.
  const Entry* find(const std::string& name, const std::string& overload) const;
  // The overload that the arguments fit; nullptr where none does. `preferred` is the one that the file names ("default"
  // for the one without a name), "" where it names none.
  const Entry* resolve(const std::string& name, const Arguments& arguments, const std::string& preferred = {}) const;
  // Calls the translation; throws Error(kUnimplemented) where arguments are missing or don't fit.
  static ir::Values call(const Entry& entry, ir::Builder& builder, const Arguments& arguments);

  const std::map<std::string, std::vector<Entry>>& entries() const { return overloads_; }

 private:
  std::vector<Entry>& entries_of(const std::string& name);

  std::map<std::string, std::vector<Entry>> overloads_;
};

// Every operator that Onward translates.
const OpTable& op_table();

}  // namespace onward::importer::torch
