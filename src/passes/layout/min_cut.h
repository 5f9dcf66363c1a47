// The cheapest way to cut a network in two (Dinic's algorithm).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace onward::passes::layout {

class Network {
 public:
  static constexpr int64_t kUnbounded = int64_t{1} << 60;
  static constexpr size_t kSource = 0;
  static constexpr size_t kSink = 1;

  size_t add_node();
  void add_edge(size_t from, size_t to, int64_t capacity);
  // For every node, whether a cheapest cut leaves it on the source's side. Of several cheapest cuts the one nearest to
  // the sink; nodes that no edge connects with the source are on the sink's side.
  std::vector<bool> source_side();

 private:
  struct Edge {
    size_t to;
    int64_t capacity;
  };

  bool find_levels();
  bool push_one_path();
  std::vector<bool> connected_with_source() const;

  std::vector<Edge> edges_;  // each followed by its reverse
  std::vector<std::vector<size_t>> out_ = std::vector<std::vector<size_t>>(2);
  std::vector<int> level_;
  std::vector<size_t> next_;
};

}  // namespace onward::passes::layout
