// The table of lowerings: each family of operators adds its own.
#pragma once

#include <limits>
#include <string_view>
#include <vector>

#include "passes/rewrite.h"

namespace onward::passes::opset {

constexpr int kNewest = std::numeric_limits<int>::max();

struct Lowering {
  std::string_view op_type;
  // The targets that need it.
  int least;
  int most;
  // What the target has instead, or why there is no such thing.
  Outcome (*apply)(ir::Node& node, Rewrite& rewrite);
  // Which nodes need it; null: all of them.
  bool (*needed)(const ir::Node& node) = nullptr;
};

using Table = std::vector<Lowering>;

// For operators, attributes or forms that came with opset `since`.
inline void below(Table& table, int since, std::string_view op_type, Outcome (*apply)(ir::Node&, Rewrite&),
                  bool (*needed)(const ir::Node&) = nullptr) {
  table.push_back({op_type, 0, since - 1, apply, needed});
}
// For what changed with opset `since`.
inline void from(Table& table, int since, std::string_view op_type, Outcome (*apply)(ir::Node&, Rewrite&),
                 bool (*needed)(const ir::Node&) = nullptr) {
  table.push_back({op_type, since, kNewest, apply, needed});
}

void add_activations(Table& table);
void add_bitwise(Table& table);
void add_normalizations(Table& table);
void add_forms(Table& table);
void add_resizing(Table& table);
void add_indexing(Table& table);
void add_signals(Table& table);
void add_small_numbers(Table& table);
void add_strings(Table& table);

// Replaces the only output.
inline Outcome becomes(ir::Node& node, Rewrite& rewrite, ir::Value* value) {
  rewrite.replace(node.output(), value);
  return Outcome::done();
}

}  // namespace onward::passes::opset
