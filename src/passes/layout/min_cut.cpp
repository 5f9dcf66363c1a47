#include "passes/layout/min_cut.h"

#include <algorithm>

namespace onward::passes::layout {

size_t Network::add_node() {
  out_.emplace_back();
  return out_.size() - 1;
}

void Network::add_edge(size_t from, size_t to, int64_t capacity) {
  if (from == to) return;
  out_[from].push_back(edges_.size());
  edges_.push_back({to, capacity});
  out_[to].push_back(edges_.size());
  edges_.push_back({from, 0});
}

bool Network::find_levels() {
  level_.assign(out_.size(), -1);
  level_[kSource] = 0;
  std::vector<size_t> queue{kSource};
  for (size_t head = 0; head < queue.size(); ++head) {
    for (const size_t edge : out_[queue[head]]) {
      const size_t to = edges_[edge].to;
      if (edges_[edge].capacity == 0 || level_[to] >= 0) continue;
      level_[to] = level_[queue[head]] + 1;
      queue.push_back(to);
    }
  }
  return level_[kSink] >= 0;
}

// Along the levels, without recursion: networks are as deep as models.
bool Network::push_one_path() {
  std::vector<size_t> path;
  size_t at = kSource;
  while (at != kSink) {
    bool advanced = false;
    for (; next_[at] < out_[at].size(); ++next_[at]) {
      const size_t edge = out_[at][next_[at]];
      if (edges_[edge].capacity == 0 || level_[edges_[edge].to] != level_[at] + 1) continue;
      path.push_back(edge);
      at = edges_[edge].to;
      advanced = true;
      break;
    }
    if (advanced) continue;
    if (path.empty()) return false;
    at = edges_[path.back() ^ 1U].to;
    path.pop_back();
    ++next_[at];
  }
  int64_t amount = kUnbounded;
  for (const size_t edge : path) amount = std::min(amount, edges_[edge].capacity);
  for (const size_t edge : path) {
    edges_[edge].capacity -= amount;
    edges_[edge ^ 1U].capacity += amount;
  }
  return true;
}

std::vector<bool> Network::connected_with_source() const {
  std::vector<bool> seen(out_.size(), false);
  seen[kSource] = true;
  std::vector<size_t> queue{kSource};
  for (size_t head = 0; head < queue.size(); ++head) {
    if (queue[head] == kSink) continue;
    for (const size_t edge : out_[queue[head]]) {
      if (seen[edges_[edge].to]) continue;
      seen[edges_[edge].to] = true;
      queue.push_back(edges_[edge].to);
    }
  }
  return seen;
}

std::vector<bool> Network::source_side() {
  const std::vector<bool> connected = connected_with_source();
  while (find_levels()) {
    next_.assign(out_.size(), 0);
    while (push_one_path()) {
    }
  }
  // What can still send to the sink is on its side.
  std::vector<bool> source(out_.size(), true);
  source[kSink] = false;
  std::vector<size_t> queue{kSink};
  for (size_t head = 0; head < queue.size(); ++head) {
    for (const size_t edge : out_[queue[head]]) {
      const size_t from = edges_[edge].to;
      if (edges_[edge ^ 1U].capacity == 0 || !source[from]) continue;
      source[from] = false;
      queue.push_back(from);
    }
  }
  for (size_t i = 0; i < source.size(); ++i) source[i] = source[i] && connected[i];
  return source;
}

}  // namespace onward::passes::layout
