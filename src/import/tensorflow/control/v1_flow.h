// TF1's control flow, as it lies in a graph: Switch … Merge for conditions, Enter … Exit for loops. Finds out which
// nodes belong to which branch and which loop, so that a Merge can become an If and an Exit a Loop.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "import/tensorflow/body.h"

namespace onward::importer::tf {

class V1Flow {
 public:
  explicit V1Flow(const Body& body);

  // What a Merge chooses by. `inputs[k]`: the branch (the Switch's output) that Merge's input k comes from.
  struct Choice {
    Endpoint predicate;
    std::vector<size_t> inputs;
    size_t branches = 2;
  };
  // Throws Error(kUnimplemented) where the Merge joins no branches of one Switch predicate.
  Choice choice(size_t merge) const;

  struct LoopVariable {
    size_t merge = 0;
    Endpoint initial;  // outside the loop
    Endpoint next;     // at the end of a round
    std::vector<size_t> switches;
    std::vector<size_t> exits;
  };
  struct Loop {
    std::vector<LoopVariable> variables;
    Endpoint condition;
  };
  // The loop that an Exit leaves. Throws Error(kUnimplemented) for a malformed one.
  Loop loop(size_t exit) const;
  bool is_loop_merge(size_t node) const;
  // Whether a node lies within the loop that `exit` leaves.
  bool in_loop(size_t node, size_t exit) const;

  // The nodes outside the branches or loop that a Merge or Exit stands for, and which it needs.
  const std::vector<size_t>& prerequisites(size_t node);

 private:
  static constexpr size_t kNone = static_cast<size_t>(-1);

  std::string_view op(size_t node) const;
  bool is_switch(size_t node) const;
  std::vector<size_t> topological_order() const;
  void place(size_t node);
  void place_merge(size_t node);
  size_t context_of(const Endpoint& at);
  size_t common(size_t a, size_t b) const;
  size_t deeper_context(size_t a, size_t b) const;
  size_t deeper_frame(size_t a, size_t b) const;
  size_t frame_of_exit(size_t exit) const;
  bool in_frame(size_t node, size_t frame) const;
  bool in_context(size_t node, size_t context) const;

  struct ContextEntry {
    size_t parent = kNone;
    Endpoint predicate;
    size_t branch = 0;
    size_t depth = 0;
    size_t branches = 2;
  };
  struct FrameEntry {
    size_t parent = kNone;
    std::string name;
    size_t depth = 0;
  };

  const Body& body_;
  std::vector<ContextEntry> contexts_;  // entry 0: outside all branches
  std::map<std::vector<size_t>, size_t> context_index_;
  std::vector<FrameEntry> frames_;  // entry 0: outside all loops
  std::map<std::pair<size_t, std::string>, size_t> frame_index_;
  std::vector<size_t> context_;  // of each node
  std::vector<size_t> frame_;
  std::map<size_t, std::vector<size_t>> prerequisites_;
};

}  // namespace onward::importer::tf
