#include "cli/notes.h"

#include <fmt/format.h>

#include "base/json.h"

namespace onward::cli {

std::vector<std::string> notes_on(const ir::Model& model) {
  std::vector<std::string> notes;
  const auto found = model.metadata.find("onward.fixed_sizes");
  if (found == model.metadata.end()) return notes;
  if (!found->second.starts_with('{')) return {found->second};  // a trace, which knows of no single dimension
  const Json inputs = Json::parse(found->second);
  for (const auto& [input, axes] : inputs.as_object()) {
    for (const auto& [axis, size] : axes.as_object()) {
      notes.push_back(fmt::format("input {}: dimension {} was exported as the fixed size {}, though it was to vary", input,
                                  axis, size.as_int()));
    }
  }
  notes.emplace_back(
      "torch.export fixes a size that the program computes with as a plain number (len(x), int(x.shape[1]), the steps of "
      "an LSTM); for other sizes trace the model instead: torch.jit.trace(model, inputs).save(\"model.pt\")");
  return notes;
}

}  // namespace onward::cli
