#include "cli/notes.h"

#include <fmt/format.h>

#include "base/json.h"
#include "ir/random.h"

namespace onward::cli {
namespace {

// One for each dimension of {"x": {"1": 7}}.
void note_sizes(const std::string& text, const char* form, std::vector<std::string>& notes) {
  const Json inputs = Json::parse(text);
  for (const auto& [input, axes] : inputs.as_object()) {
    for (const auto& [axis, size] : axes.as_object()) {
      notes.push_back(fmt::format(fmt::runtime(form), input, axis, size.as_int()));
    }
  }
}

}  // namespace

std::vector<std::string> notes_on(const ir::Model& model) {
  std::vector<std::string> notes;
  if (ir::draws_random(*model.graph)) {
    notes.emplace_back(
        "the model draws random numbers, other ones in every run: seeds are not kept, and its values cannot be "
        "verified");
  }
  const auto opened = model.metadata.find("onward.opened_sizes");
  if (opened != model.metadata.end()) {
    note_sizes(opened->second,
               "input {}: dimension {} was exported as the fixed size {}, though it was to vary; as nothing in the "
               "program depends on that number, it varies here",
               notes);
  }
  const auto fixed = model.metadata.find("onward.fixed_sizes");
  if (fixed == model.metadata.end()) return notes;
  if (!fixed->second.starts_with('{')) {  // a trace, which knows of no single dimension
    notes.push_back(fixed->second);
    return notes;
  }
  note_sizes(fixed->second, "input {}: dimension {} was exported as the fixed size {}, though it was to vary", notes);
  notes.emplace_back(
      "torch.export fixes a size that the program computes with as a plain number (len(x), int(x.shape[1]), a loop "
      "over "
      "time steps); for other sizes trace the model instead: torch.jit.trace(model, inputs).save(\"model.pt\")");
  return notes;
}

}  // namespace onward::cli
