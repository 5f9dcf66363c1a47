// The symbols of a program's sizes: their names in the graph, and what the user's --input says of them.
#pragma once

#include <map>
#include <string>

#include "formats/torch/exported_program.h"
#include "import/torch/export/expression.h"
#include "ir/shape.h"

namespace onward::importer::exported {

class Symbols {
 public:
  // The size as a dimension: a number, or a symbol such as "s0" or "8*s0".
  ir::Dim dim(const torchfile::SymbolicInt& size);
  ir::Shape shape(const torchfile::TensorMeta& meta);

  // Takes what the user wants for a dimension that the file gives as `size`: a number that its symbol then stands for,
  // or another name for the symbol. Throws Error(kInvalidArgument, "<place>: …") for a dimension that is fixed in the
  // file or can't have that size.
  void set(const torchfile::SymbolicInt& size, const ir::Dim& wanted, const std::string& place);
  std::optional<int64_t> value(const std::string& symbol) const;

 private:
  Expression renamed(Expression expression) const;

  std::map<std::string, int64_t> values_;
  std::map<std::string, std::string> names_;
  std::map<std::string, ir::Dim> known_;  // by the expression's text
};

}  // namespace onward::importer::exported
