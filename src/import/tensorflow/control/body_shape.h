// What the functions of a While loop show before they are translated: which variables never change, which lists only
// collect one element a round, which variable counts the rounds, and how many there will be.
#pragma once

#include <optional>
#include <vector>

#include "import/tensorflow/body.h"

namespace onward::importer::tf {

// Behind Identity and its kin.
Endpoint behind_identities(const Body& body, Endpoint at);

// A list that each round writes once: the element that round gives, and the index it is written at (none: appended).
struct Collected {
  Endpoint element;
  std::optional<Endpoint> index;
};

class LoopShape {
 public:
  LoopShape(const Body& condition, const Body& body) : condition_(condition), body_(body) {}

  bool is_invariant(size_t variable) const;
  // variable → variable + 1
  bool is_counter(size_t variable) const;
  std::optional<Collected> collected(size_t variable) const;
  // The variable that a tensor of the body is at the start of a round.
  std::optional<size_t> variable(const Endpoint& at) const;

  // Where the condition is `counter < limit`, or several of these: each pair. The limit is a tensor of the condition's
  // body that depends only on invariants (as `limit_variable`) or is a constant.
  struct Bound {
    size_t counter = 0;
    Endpoint limit;
  };
  std::optional<std::vector<Bound>> bounds() const;

 private:
  bool is_one(const Endpoint& at) const;
  size_t uses(size_t variable) const;

  const Body& condition_;
  const Body& body_;
};

}  // namespace onward::importer::tf
