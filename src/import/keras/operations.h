// Operators on symbolic tensors: keras.ops functions (Keras 3) and TensorFlow functions (TFOpLambda and
// SlicingOpLambda of Keras 2).
//
// A new one: an entry in its family's file under operations/, with the function's parameters in order. An entry may
// rename a parameter ("x:input_tensor": the file says input_tensor, the translator x).
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "import/keras/context.h"
#include "import/keras/session.h"

namespace onward::importer::keras {

bool is_operator(const Layer& layer);

// Throws Error(kUnimplemented) for an operator that is not known.
ir::Values translate_operator(Session& session, const Layer& layer, const Call& call, const Resolve& resolve);

// The arguments of one call.
class Arguments {
 public:
  Arguments(Session& session, const Layer& layer, const Call& call, std::string_view signature, Resolve resolve);

  ir::Builder& b;

  // What was given for a parameter by position, by name or in the operator's config; null where nothing or None was.
  const Json& json(std::string_view name) const;
  bool has(std::string_view name) const { return !json(name).is_null(); }
  bool flag(std::string_view name, bool fallback) const;
  int64_t integer(std::string_view name, int64_t fallback) const;
  double number(std::string_view name, double fallback) const;
  std::string text(std::string_view name, const char* fallback) const;
  bool channels_first() const { return text("data_format", "channels_last") == "channels_first"; }
  // An integer or a list of them; empty where absent.
  std::vector<int64_t> ints(std::string_view name) const;
  std::optional<ir::DType> dtype(std::string_view name) const;

  // A tensor; numbers and lists of them as constants in the dtype that Keras gives them.
  ir::Value* value(std::string_view name) const;
  ir::Value* maybe(std::string_view name) const { return has(name) ? value(name) : nullptr; }
  // The members of a list argument (or the one tensor it is).
  ir::Values values(std::string_view name) const;
  // The tensors given by position from the one at `first` on.
  ir::Values rest(size_t first) const;
  const Json& config() const { return config_; }
  // Two operands brought to their common dtype; bare numbers take the other's.
  std::pair<ir::Value*, ir::Value*> operands(std::string_view a, std::string_view c) const;
  // Sizes, as a vector of int64: numbers and scalar tensors in any mixture, or one tensor.
  ir::Value* sizes(std::string_view name) const;
  // `name` as an axis of `x` in [0, rank); the axes that a reduction names (all where None).
  int64_t axis(std::string_view name, const ir::Value* x, int64_t fallback) const;
  std::vector<int64_t> axes(std::string_view name, const ir::Value* x) const;

  ir::Value* from_json(const Json& json, ir::DType like = ir::DType::kUndefined) const;
  // "same" or "valid" in small letters, whoever wrote it.
  std::string padding() const;
  bool tensorflow() const { return tensorflow_; }
  const std::string& name() const { return name_; }
  void require(bool condition, const std::string& message) const;

 private:
  const Json& config_;
  const Call& call_;
  Resolve resolve_;
  std::string name_;
  bool tensorflow_;
  std::map<std::string, size_t, std::less<>> positions_;
  std::map<std::string, std::string, std::less<>> given_names_;
};

struct Operation {
  const char* signature;
  ir::Values (*translate)(const Arguments&);
};

class OperationTable {
 public:
  void add(std::string name, Operation operation);
  const Operation* find(std::string_view name) const;
  const std::map<std::string, Operation, std::less<>>& entries() const { return entries_; }

 private:
  std::map<std::string, Operation, std::less<>> entries_;
};

// By class name for keras.ops ("Einsum"), by "tf." and the function for TensorFlow ("tf.math.reduce_mean").
const OperationTable& operation_table();

// The dtype Keras gives an operator on both; floating where one is.
ir::DType common_dtype(ir::DType a, ir::DType c);
// `x` mirrored outwards, its edge repeated. `pads`: all begins, then all ends.
ir::Value* symmetric_pad(ir::Builder& b, ir::Value* x, const std::vector<int64_t>& pads);
// Cast; what does not fit becomes the nearest that does.
ir::Value* saturated(ir::Builder& b, ir::Value* x, ir::DType dtype);
// `x` in a floating dtype: integers and booleans become float32.
ir::Value* floating(ir::Builder& b, ir::Value* x);

// Calls `visit(std::string)` for every word of `words`, which single spaces separate.
template <class Visit>
void for_each_word(std::string_view words, const Visit& visit) {
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    visit(std::string(words.substr(0, end)));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

void register_arithmetic(OperationTable& table);
void register_indexing_operations(OperationTable& table);
void register_layout_operations(OperationTable& table);
void register_linear_algebra_operations(OperationTable& table);
void register_loss_operations(OperationTable& table);
void register_matrix_operations(OperationTable& table);
void register_nan_operations(OperationTable& table);
void register_nn_operations(OperationTable& table);
void register_pairwise_operations(OperationTable& table);
void register_quantile_operations(OperationTable& table);
void register_reduction_operations(OperationTable& table);
void register_unary_operations(OperationTable& table);
void register_fourier_operations(OperationTable& table);
void register_image_operations(OperationTable& table);
void register_range_operations(OperationTable& table);
void register_rearrange_operations(OperationTable& table);
void register_set_operations(OperationTable& table);
void register_window_operations(OperationTable& table);

}  // namespace onward::importer::keras
