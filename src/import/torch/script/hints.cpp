#include "import/torch/script/hints.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/error.h"
#include "import/common/complex.h"

namespace onward::importer::script {
namespace {

struct RankHint {
  std::string_view name;
  int64_t rank;
};

// The number of dimensions of the first tensor, batched.
constexpr std::array kRanks = std::to_array<RankHint>({
    {"aten::conv1d", 3},
    {"aten::conv2d", 4},
    {"aten::conv3d", 5},
    {"aten::conv_transpose1d", 3},
    {"aten::conv_transpose2d", 4},
    {"aten::conv_transpose3d", 5},
    {"aten::max_pool1d", 3},
    {"aten::max_pool2d", 4},
    {"aten::max_pool3d", 5},
    {"aten::max_pool1d_with_indices", 3},
    {"aten::max_pool2d_with_indices", 4},
    {"aten::max_pool3d_with_indices", 5},
    {"aten::avg_pool1d", 3},
    {"aten::avg_pool2d", 4},
    {"aten::avg_pool3d", 5},
    {"aten::lp_pool1d", 3},
    {"aten::lp_pool2d", 4},
    {"aten::adaptive_avg_pool1d", 3},
    {"aten::adaptive_avg_pool2d", 4},
    {"aten::adaptive_avg_pool3d", 5},
    {"aten::adaptive_max_pool1d", 3},
    {"aten::adaptive_max_pool2d", 4},
    {"aten::adaptive_max_pool3d", 5},
    {"aten::fractional_max_pool2d", 4},
    {"aten::fractional_max_pool3d", 5},
    {"aten::upsample_nearest1d", 3},
    {"aten::upsample_nearest2d", 4},
    {"aten::upsample_nearest3d", 5},
    {"aten::_upsample_nearest_exact1d", 3},
    {"aten::_upsample_nearest_exact2d", 4},
    {"aten::_upsample_nearest_exact3d", 5},
    {"aten::upsample_linear1d", 3},
    {"aten::upsample_bilinear2d", 4},
    {"aten::upsample_bicubic2d", 4},
    {"aten::upsample_trilinear3d", 5},
    {"aten::reflection_pad1d", 3},
    {"aten::reflection_pad2d", 4},
    {"aten::reflection_pad3d", 5},
    {"aten::replication_pad1d", 3},
    {"aten::replication_pad2d", 4},
    {"aten::replication_pad3d", 5},
    {"aten::pixel_shuffle", 4},
    {"aten::pixel_unshuffle", 4},
    {"aten::channel_shuffle", 4},
    {"aten::grid_sampler", 4},
    {"aten::grid_sampler_2d", 4},
    {"aten::grid_sampler_3d", 5},
    {"aten::affine_grid_generator", 3},
    {"aten::im2col", 4},
    {"aten::col2im", 3},
    {"aten::lstm", 3},
    {"aten::gru", 3},
    {"aten::rnn_tanh", 3},
    {"aten::rnn_relu", 3},
    {"aten::lstm_cell", 2},
    {"aten::gru_cell", 2},
    {"aten::rnn_tanh_cell", 2},
    {"aten::rnn_relu_cell", 2},
    {"aten::_pack_padded_sequence", 3},
    {"aten::bmm", 3},
    {"aten::mm", 2},
    {"aten::mv", 2},
    {"aten::dot", 1},
    {"aten::t", 2},
    {"aten::scaled_dot_product_attention", 4},
    {"aten::group_norm", 4},
});

// An argument that can't hold floating-point numbers, and what it holds.
struct TypeHint {
  std::string_view name;
  size_t argument;
  ir::DType dtype = ir::DType::kInt64;
};
constexpr std::array kTypes = std::to_array<TypeHint>({
    {"aten::embedding", 1},
    {"aten::embedding_bag", 1},
    {"aten::embedding_bag", 2},
    {"aten::index_select", 2},
    {"aten::gather", 2},
    {"aten::scatter", 2},
    {"aten::scatter_add", 2},
    {"aten::scatter_reduce", 2},
    {"aten::index_add", 2},
    {"aten::index_copy", 2},
    {"aten::index_fill", 2},
    {"aten::one_hot", 0},
    {"aten::take", 1},
    {"aten::take_along_dim", 1},
    {"aten::bincount", 0},
    {"aten::repeat_interleave", 1},
    {"aten::_pack_padded_sequence", 1},
    {"aten::where", 0, ir::DType::kBool},
    {"aten::masked_fill", 1, ir::DType::kBool},
    {"aten::masked_scatter", 1, ir::DType::kBool},
    {"aten::masked_select", 1, ir::DType::kBool},
    {"aten::bitwise_not", 0, ir::DType::kBool},
    {"aten::bitwise_and", 0, ir::DType::kBool},
    {"aten::bitwise_and", 1, ir::DType::kBool},
    {"aten::bitwise_or", 0, ir::DType::kBool},
    {"aten::bitwise_or", 1, ir::DType::kBool},
    {"aten::__and__", 0, ir::DType::kBool},
    {"aten::__and__", 1, ir::DType::kBool},
    {"aten::__or__", 0, ir::DType::kBool},
    {"aten::__or__", 1, ir::DType::kBool},
});

// Operators whose first tensor has the type of its weight, where that is none of float32.
struct WeightHint {
  std::string_view name;
  size_t input;
  size_t weight;
};
constexpr std::array kWeights = std::to_array<WeightHint>({
    {"aten::linear", 0, 1},
    {"aten::matmul", 0, 1},
    {"aten::matmul", 1, 0},
    {"aten::mm", 0, 1},
    {"aten::mm", 1, 0},
    {"aten::bmm", 0, 1},
    {"aten::addmm", 1, 2},
    {"aten::conv1d", 0, 1},
    {"aten::conv2d", 0, 1},
    {"aten::conv3d", 0, 1},
    {"aten::_convolution", 0, 1},
    {"aten::conv_transpose1d", 0, 1},
    {"aten::conv_transpose2d", 0, 1},
    {"aten::conv_transpose3d", 0, 1},
    {"aten::layer_norm", 0, 2},
    {"aten::batch_norm", 0, 1},
    {"aten::group_norm", 0, 2},
    {"aten::instance_norm", 0, 1},
    {"aten::prelu", 0, 1},
});

// The graph input that a value is, through steps that keep its shape and type.
const ir::Value* plain_input(const ir::Value* value) {
  for (int i = 0; i < 1000 && value != nullptr; ++i) {
    if (value->is_input()) return value;
    const ir::Node* node = value->producer();
    if (node == nullptr || node->inputs().empty()) return nullptr;
    static const std::set<std::string> kKeeping = {"Identity", "Cast", "Relu",    "Sigmoid", "Tanh", "Neg",
                                                   "Abs",      "Clip", "Gelu",    "Elu",     "Exp",  "Log",
                                                   "Sqrt",     "Erf",  "Softmax", "Dropout"};
    const bool with_scalar =
        (node->op_type == "Mul" || node->op_type == "Add" || node->op_type == "Sub" || node->op_type == "Div") &&
        node->input(1) != nullptr && node->input(1)->shape && node->input(1)->shape->empty();
    const bool picking = node->op_type == "Gather" && node->input(1)->shape && node->input(1)->rank() == 1;
    if (!kKeeping.contains(node->op_type) && !with_scalar && !picking) return nullptr;
    value = node->input(0);
  }
  return nullptr;
}

// The graph input some of whose elements, as they are or cast, a tensor holds.
const ir::Value* input_of_elements(const ir::Value* value) {
  static const std::set<std::string> kMoving = {"Cast",    "TopK",      "Gather",  "Reshape", "Transpose",
                                                "Squeeze", "Unsqueeze", "Flatten", "Slice",   "Identity"};
  for (int i = 0; i < 1000 && value != nullptr; ++i) {
    if (value->is_input()) return value;
    const ir::Node* node = value->producer();
    if (node == nullptr || !kMoving.contains(node->op_type)) return nullptr;
    value = node->input(0);
  }
  return nullptr;
}

void require_type_of_weight(Machine& in, std::string_view name, const Items& args) {
  for (const WeightHint& hint : kWeights) {
    if (hint.name != name || args.size() <= std::max(hint.input, hint.weight)) continue;
    if (!args[hint.input].is_tensor() || !args[hint.weight].is_tensor()) continue;
    const ir::Value* weight = in.value(args[hint.weight]);
    if (!weight->is_constant() || !ir::is_floating(weight->dtype) || weight->dtype == ir::DType::kFloat) continue;
    const ir::Value* value = in.value(args[hint.input]);
    if (value->dtype != ir::DType::kFloat) continue;
    const ir::Value* input = plain_input(value);
    if (input == nullptr || input->dtype != ir::DType::kFloat || !in.assumes_dtype(input)) continue;
    throw NeedsType{input, std::nullopt, weight->dtype};
  }
}

}  // namespace

void require_known_types(Machine& in, const std::string& called, const Items& args) {
  std::string_view name = called;
  if (name.ends_with('_') && !name.ends_with("__")) name.remove_suffix(1);  // in place
  for (const TypeHint& hint : kTypes) {
    if (hint.name != name || args.size() <= hint.argument || !args[hint.argument].is_tensor()) continue;
    const ir::Value* value = in.value(args[hint.argument]);
    const ir::Value* input = input_of_elements(value);
    if (input == nullptr && ir::is_floating(value->dtype)) input = plain_input(value);
    if (input == nullptr || !ir::is_floating(input->dtype)) continue;
    // Floats made integers are indices from the start; what becomes boolean may have been any number.
    const bool made = hint.dtype != ir::DType::kBool && in.assumes_dtype(input);
    if (ir::is_floating(value->dtype) || made) {
      throw NeedsType{input, std::nullopt, hint.dtype};
    }
  }
  require_type_of_weight(in, name, args);
  if (args.empty() || !args[0].is_tensor()) return;
  ir::Value* first = in.value(args[0]);
  if (first->has_rank()) return;
  for (const RankHint& hint : kRanks) {
    if (hint.name != name) continue;
    if (const ir::Value* input = plain_input(first)) throw NeedsType{input, hint.rank};
  }
}

void require_rank_of_inputs(Machine& in, const Items& args) {
  for (const Py& arg : args) {
    if (arg.has_items()) require_rank_of_inputs(in, arg.items());
    if (arg.is_tensor() && !in.value(arg)->has_rank() && !is_untranslated(in.value(arg))) {
      try {
        (void)in.rank(in.value(arg));
      } catch (const Error&) {
      }
    }
  }
}

}  // namespace onward::importer::script
