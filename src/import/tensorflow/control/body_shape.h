// What a while loop shows before it is translated: which variables never change, which lists only collect one element a
// round, which variable counts the rounds, and how many there will be.
#pragma once

#include <functional>
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

// Where a loop's condition or body lies.
struct LoopPart {
  const Body& body;
  Endpoint result;  // of the condition
  // The variable that a tensor is at the start of a round.
  std::function<std::optional<size_t>(const Endpoint&)> variable;
  // Whether a tensor comes from outside the loop.
  std::function<bool(const Endpoint&)> outside;
};

// A variable's value before the loop, where it is a known integer.
using FirstValue = std::function<std::optional<int64_t>(size_t)>;

class LoopShape {
 public:
  // `results`: the variables after a round.
  LoopShape(LoopPart condition, LoopPart body, std::vector<Endpoint> results, FirstValue first)
      : condition_(std::move(condition)),
        body_(std::move(body)),
        results_(std::move(results)),
        first_(std::move(first)) {}

  bool is_invariant(size_t variable) const;
  // variable → variable + 1
  bool is_counter(size_t variable) const;
  std::optional<Collected> collected(size_t variable) const;
  // Whether a tensor of the body is always the integer `number`.
  bool is_constant(const Endpoint& at, int64_t number) const;
  // The variable that a tensor of the body is at the start of a round.
  std::optional<size_t> variable(const Endpoint& at) const;

  // Where the condition is `counter < limit`, or several of these: each pair. The limit never changes: it is a
  // variable, a constant, or comes from outside.
  struct Bound {
    size_t counter = 0;
    Endpoint limit;
    std::optional<size_t> limit_variable;
  };
  std::optional<std::vector<Bound>> bounds() const;

 private:
  std::optional<Bound> bound(const BodyNode& less) const;
  size_t uses(size_t variable) const;

  LoopPart condition_;
  LoopPart body_;
  std::vector<Endpoint> results_;
  FirstValue first_;
};

}  // namespace onward::importer::tf
