#include "import/common/blockers.h"

#include <algorithm>

namespace onward::importer {

void Blockers::add(const ir::Origin& origin, const Error& error) {
  for (Blocker& known : blockers_) {
    if (known.origin.op == origin.op && known.message == error.message()) {
      // What is translated again (a loop's body, a function) is the same blocker.
      if (known.origin.path != origin.path || known.origin.source != origin.source) ++known.further;
      return;
    }
  }
  blockers_.push_back({origin, error.message(), error.hint()});
}

void Blockers::throw_if_any(const std::string& file) const {
  if (blockers_.empty()) return;
  std::string text = file + ": ";
  text += blockers_.size() == 1 ? "this cannot be converted:"
                                : std::to_string(blockers_.size()) + " things cannot be converted:";
  std::string hints;
  for (const Blocker& blocker : blockers_) {
    text += "\n  - " + blocker.origin.op;
    if (!blocker.origin.path.empty()) text += " \"" + blocker.origin.path + "\"";
    text += ": " + blocker.message;
    if (!blocker.origin.source.empty()) text += "\n    at " + blocker.origin.source;
    if (blocker.further > 0) text += "\n    and " + std::to_string(blocker.further) + " more like it";
    if (!blocker.hint.empty() && hints.find(blocker.hint) == std::string::npos) {
      if (!hints.empty()) hints += '\n';
      hints += blocker.hint;
    }
  }
  throw Error(Code::kUnimplemented, text, hints);
}

bool is_untranslated(const ir::Value* value) {
  if (value == nullptr || value->producer() == nullptr) return false;
  const std::string& domain = value->producer()->domain;
  return domain == "tf" || domain == "keras" || domain == "torch";
}

bool depends_on_untranslated(const ir::Values& inputs) {
  return std::any_of(inputs.begin(), inputs.end(), is_untranslated);
}

}  // namespace onward::importer
