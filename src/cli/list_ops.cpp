#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/verbs.h"
#include "import/keras/op_table.h"
#include "import/keras/operations.h"
#include "import/keras/refused.h"
#include "import/tensorflow/op_table.h"
#include "import/torch/op_table.h"

namespace onward::cli {
namespace {

void print_names(const char* title, const std::vector<std::string>& names, bool markdown) {
  if (markdown) {
    fmt::print("\n## {} ({})\n\n", title, names.size());
    for (const std::string& name : names) {
      const size_t end = std::min(name.find(':'), name.size());
      fmt::print("- `{}`{}\n", name.substr(0, end), name.substr(end));
    }
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

// Layers with their notes.
std::vector<std::string> keras_layers() {
  std::vector<std::string> lines;
  for (const auto& [name, op] : importer::keras::op_table().entries()) {
    lines.push_back(*op.note != '\0' ? fmt::format("{}: {}", name, op.note) : name);
  }
  return lines;
}

std::vector<std::string> refused_keras_layers() {
  std::vector<std::string> lines;
  for (const auto& [name, reason] : importer::keras::refused_layers())
    lines.push_back(fmt::format("{}: {}", name, reason));
  return lines;
}

// keras.ops (false) or TensorFlow functions (true).
std::vector<std::string> keras_operators(bool tensorflow) {
  std::vector<std::string> names;
  for (const std::string& name : names_of(importer::keras::operation_table().entries())) {
    if ((name.rfind("tf.", 0) == 0) == tensorflow) names.push_back(name);
  }
  return names;
}

void run(bool markdown) {
  if (markdown) {
    fmt::print("# What Onward translates\n\nGenerated from the operator tables by `scripts/generate_docs.sh`.\n");
  }
  print_names("Keras layers", keras_layers(), markdown);
  print_names("Keras layers that are refused", refused_keras_layers(), markdown);
  print_names("Keras operators on symbolic tensors", keras_operators(false), markdown);
  print_names("TensorFlow functions in Keras 2 models", keras_operators(true), markdown);
  print_names("TensorFlow operators", names_of(importer::tf::op_table().entries()), markdown);
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
