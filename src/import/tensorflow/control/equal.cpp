#include "import/tensorflow/control/equal.h"

#include <algorithm>

namespace onward::importer::tf {
namespace {

constexpr size_t kMaxDepth = 8;

const ir::Value* behind_views(const ir::Value* value) {
  static constexpr std::string_view kViews[] = {"Cast", "Reshape", "Squeeze", "Unsqueeze", "Identity"};
  while (const ir::Node* node = value->producer()) {
    const bool view =
        node->domain.empty() && std::find(std::begin(kViews), std::end(kViews), node->op_type) != std::end(kViews);
    if (!view || !ir::is_integer(node->input(0)->dtype)) break;
    value = node->input(0);
  }
  return value;
}

bool same_numbers(const ir::Value* a, const ir::Value* b) {
  if (a->is_constant() && b->is_constant()) {
    const bool numbers = a->dtype != ir::DType::kString && b->dtype != ir::DType::kString;
    return numbers && a->constant()->count() <= 64 && a->constant()->doubles() == b->constant()->doubles();
  }
  return a->content && b->content && a->content->size() == 1 && b->content->size() == 1 &&
         a->content->front().same(b->content->front());
}

bool same_attrs(const ir::Node& a, const ir::Node& b) {
  return std::equal(a.attrs.begin(), a.attrs.end(), b.attrs.begin(), b.attrs.end(), [](const auto& x, const auto& y) {
    const auto* left = x.second.template get_if<int64_t>();
    const auto* right = y.second.template get_if<int64_t>();
    return x.first == y.first && left != nullptr && right != nullptr && *left == *right;
  });
}

bool same(const ir::Value* a, const ir::Value* b, size_t depth) {
  if (a == nullptr || b == nullptr) return a == b;
  if (same_numbers(a, b)) return true;
  a = behind_views(a);
  b = behind_views(b);
  if (a == b || same_numbers(a, b)) return true;
  const ir::Node* left = a->producer();
  const ir::Node* right = b->producer();
  if (left == nullptr || right == nullptr || depth > kMaxDepth || a->index() != b->index()) return false;
  if (left->op_type != right->op_type || !left->domain.empty() || !right->domain.empty()) return false;
  return same_attrs(*left, *right) && left->inputs().size() == right->inputs().size() &&
         std::equal(left->inputs().begin(), left->inputs().end(), right->inputs().begin(),
                    [&](const ir::Value* x, const ir::Value* y) { return same(x, y, depth + 1); });
}

}  // namespace

bool surely_equal(const ir::Value* a, const ir::Value* b) { return same(a, b, 0); }

}  // namespace onward::importer::tf
