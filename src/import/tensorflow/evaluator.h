// Walks a program from what is wanted back to what it needs, translating each node once for each activation of its
// function. What the wanted tensors don't depend on is never looked at.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <unordered_map>

#include "formats/tensorflow/bundle.h"
#include "import/common/blockers.h"
#include "import/tensorflow/control/v1_flow.h"
#include "import/tensorflow/item.h"
#include "import/tensorflow/program.h"

namespace onward::importer::tf {

// What a table holds, once something filled it.
struct TableContent {
  ir::Tensor keys;
  ir::Tensor values;
};

// What variables and tables hold at a point of the program.
struct State {
  std::map<const Resource*, Item> variables;
  std::map<const Resource*, std::shared_ptr<const TableContent>> tables;
};

// One activation of a body. `outer` is another activation of the same body that this one is part of (a branch or loop
// of v1 control flow): what is known there holds here too.
struct Scope {
  const Body& body;
  Items arguments;
  ir::Builder& b;
  State& state;
  size_t depth = 0;
  const Scope* outer = nullptr;
  std::unordered_map<size_t, Items> results = {};

  const Items* find(size_t node) const;
};

class Evaluator {
 public:
  // `root`: the model's main graph, where weights go. The bundle may be null.
  Evaluator(Program& program, ir::Builder& root, Blockers& blockers, const tensorflow::Bundle* bundle)
      : program_(program), root_(root), blockers_(blockers), bundle_(bundle) {}

  Program& program() const { return program_; }
  ir::Builder& root() const { return root_; }
  const tensorflow::Bundle* bundle() const { return bundle_; }
  Blockers& blockers() const { return blockers_; }

  // Untranslated where something on the way could not be translated (see the blockers). Throws Error for damaged files
  // and programs beyond the limits.
  Item evaluate(Scope& scope, const Endpoint& wanted);
  // Runs a node for what it does.
  void run(Scope& scope, size_t node);
  // A function's results, with what it does to `state` done.
  Items call(const std::string& function, Items arguments, ir::Builder& b, State& state, size_t depth);

  // The v1 control flow of a body.
  V1Flow& flow(const Body& body);

  // A stored tensor as a constant of the main graph, once for all its uses.
  ir::Value* load(const Stored& stored);
  // A constant of the main graph: where large ones belong, also those of subgraphs.
  ir::Value* weight(ir::Tensor tensor, std::string name);

 private:
  void settle(Scope& scope, size_t root);
  size_t dependency_count(const Body& body, size_t node);
  std::optional<size_t> dependency(const Body& body, size_t node, size_t index);
  Items translate(Scope& scope, size_t index);
  Item result(const Scope& scope, const Endpoint& wanted);

  Program& program_;
  ir::Builder& root_;
  Blockers& blockers_;
  const tensorflow::Bundle* bundle_;
  std::map<const Body*, std::unique_ptr<V1Flow>> flows_;
  std::map<std::string, ir::Value*> loaded_;
  std::set<const tensorflow::Node*> wanted_ignored_;  // reported
  size_t steps_ = 0;
};

}  // namespace onward::importer::tf
