// Everything in a file that can't be translated, collected so that the user sees all of it at once.
//
// How a driver uses it: translate node by node; on an Error, `add` it and put a foreign node (domain "tf", "keras",
// "torch") in its place; skip nodes that depend on one (`depends_on_untranslated`), since their own errors would only
// be echoes; at the end `throw_if_any`.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "ir/builder.h"

namespace onward::importer {

class Blockers {
 public:
  void add(const ir::Origin& origin, const Error& error);
  bool empty() const { return blockers_.empty(); }
  // Throws one Error(kUnimplemented) that lists every blocker: operator, path, the user's source line, reason and
  // remedy. Blockers of the same operator and reason are listed once, with the other places.
  void throw_if_any(const std::string& file) const;

 private:
  struct Blocker {
    ir::Origin origin;
    std::string message;
    std::string hint;
    size_t further = 0;
  };
  std::vector<Blocker> blockers_;
};

// Whether a value comes from a node that could not be translated.
bool is_untranslated(const ir::Value* value);
bool depends_on_untranslated(const ir::Values& inputs);

}  // namespace onward::importer
