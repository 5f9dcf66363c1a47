#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/verbs.h"
#include "import/keras/op_table.h"
#include "import/torch/op_table.h"

namespace onward::cli {
namespace {

void print_names(const char* title, const std::vector<std::string>& names, bool markdown) {
  if (markdown) {
    fmt::print("\n## {} ({})\n\n", title, names.size());
    for (const std::string& name : names) fmt::print("- `{}`\n", name);
  } else {
    for (const std::string& name : names) fmt::print("{}\t{}\n", title, name);
  }
}

template <class Table>
std::vector<std::string> names_of(const Table& table) {
  std::vector<std::string> names;
  for (const auto& entry : table) names.push_back(entry.first);
  return names;
}

void run(bool markdown) {
  if (markdown) {
    fmt::print("# What Onward translates\n\nGenerated from the operator tables by `scripts/generate_docs.sh`.\n");
  }
  print_names("Keras layers", names_of(importer::keras::op_table().entries()), markdown);
  print_names("PyTorch operators", names_of(importer::torch::op_table().entries()), markdown);
}

}  // namespace

void add_list_ops(CLI::App& app) {
  auto markdown = std::make_shared<bool>(false);
  CLI::App& verb = *app.add_subcommand("list-ops", "List the layers and operators that convert");
  verb.footer("Example:\n  onward list-ops | grep -i conv");
  verb.add_flag("--markdown", *markdown, "As docs/supported_ops.md");
  verb.callback([markdown] { run(*markdown); });
}

}  // namespace onward::cli
