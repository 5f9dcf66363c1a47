// A graph with its functions: bodies resolved on demand, and which of them change variables or tables.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "import/tensorflow/body.h"

namespace onward::importer::tf {

class Program {
 public:
  // `graph` must outlive the program.
  explicit Program(const tensorflow::Graph& graph);

  const Body& main() const { return main_; }
  // Throws Error(kUnimplemented) where the file has no such function.
  const Body& function(const std::string& name);
  const tensorflow::Function& definition(const std::string& name) const;
  bool has_effects(const std::string& function) { return !this->function(function).effects.empty(); }

 private:
  void find_effects(Body& body, size_t depth);
  bool is_effect(const tensorflow::Node& node, size_t depth);
  Body& resolved(const std::string& name, size_t depth);

  const tensorflow::Graph& graph_;
  Body main_;
  std::map<std::string, std::unique_ptr<Body>> functions_;
};

}  // namespace onward::importer::tf
