// Operators and layers of your own: how they become ONNX.
//
//   // PyTorch: torch.library.custom_op("mylib::scale", …)
//   onward::register_translation(
//       onward::Framework::kTorch, "mylib::scale(Tensor x, float by=2.0) -> Tensor",
//       [](onward::TranslationContext& ctx) -> onward::GraphValues {
//         const onward::GraphValue x = ctx.input("x");
//         return {ctx.op("Mul", {x, ctx.scalar(ctx.number("by", 2.0), x)})};
//       });
//
// A translation describes one call of the operator with ONNX's operators, as opset 18 has them (later ones are lowered
// or raised as the target wants). Types and shapes of each result are known at once, and what is constant is computed
// at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "onward/export.h"
#include "onward/options.h"
#include "onward/status.h"
#include "onward/tensor.h"

namespace onward {

enum class Framework { kTorch, kKeras, kTensorFlow };

// A tensor of the graph that is being built: a handle, valid until the translation returns. An empty one stands for an
// optional input that is left out, and for the result of a step that failed.
class GraphValue {
 public:
  GraphValue() = default;
  explicit operator bool() const { return value_ != nullptr; }

 private:
  friend class TranslationContext;
  explicit GraphValue(void* value) : value_(value) {}
  void* value_ = nullptr;
};
using GraphValues = std::vector<GraphValue>;

// Of an ONNX node, or of the operator that is translated (bools as 0 and 1, element types as DType's numbers).
using Attribute = std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>,
                               std::vector<std::string>, Tensor>;
using Attributes = std::map<std::string, Attribute>;

// One call of an operator or layer: what it is given, and what builds the answer.
//
// Nothing here throws. The first step that fails is remembered: it becomes the translation's error, with the operator
// and its place in the model, and what comes after it is passed over. So a translation need not check every step.
// Not thread safe; valid until the translation returns.
class ONWARD_API TranslationContext {
 public:
  // --- the call ------------------------------------------------------------------------------------------------------
  // The tensors it is given: PyTorch's in the signature's order (empty where an optional one is left out, those of
  // lists one by one), Keras' first argument, TensorFlow's inputs.
  size_t input_count() const;
  GraphValue input(size_t index);
  // By PyTorch's name of the parameter, or Keras' keyword; empty where it is left out.
  GraphValue input(std::string_view name);

  // PyTorch's numbers, strings and lists by the parameter's name (with the signature's defaults), TensorFlow's
  // attributes, the members of a Keras layer's config. Nothing where it is left out or None.
  std::optional<Attribute> attribute(std::string_view name);
  // The same as one type; `fallback` where it is left out. A step that fails where it has another type.
  int64_t integer(std::string_view name, int64_t fallback);
  double number(std::string_view name, double fallback);
  std::string text(std::string_view name, std::string fallback);
  std::vector<int64_t> integers(std::string_view name, std::vector<int64_t> fallback);

  // A Keras layer's own variable, by a name that TranslationOptions::weights gives it.
  GraphValue weight(const std::string& name);

  // --- what is known of a tensor -------------------------------------------------------------------------------------
  DType dtype(GraphValue value) const;                 // kUndefined where it is not known
  std::optional<Shape> shape(GraphValue value) const;  // nothing where not even the rank is known
  std::optional<Tensor> constant(GraphValue value) const;

  // --- building ------------------------------------------------------------------------------------------------------
  // A node of ONNX's own domain with one result, or with several. An empty input is an optional one left out.
  GraphValue op(std::string_view type, const GraphValues& inputs, const Attributes& attributes = {});
  GraphValues ops(std::string_view type, const GraphValues& inputs, size_t outputs, const Attributes& attributes = {});
  // A node of another domain, for an operator that LoadOptions::custom_ops brings along: nothing is inferred, so
  // `outputs` says of each result what is known (the names do not matter).
  GraphValues custom_ops(std::string_view domain, std::string_view type, const GraphValues& inputs,
                         const std::vector<ValueInfo>& outputs, const Attributes& attributes = {});
  GraphValue constant(const Tensor& tensor);
  // Rank 0, of the dtype of `like`.
  GraphValue scalar(double value, GraphValue like);

  // Gives up: the error says "[operator] message". Returns an empty value, to be returned.
  GraphValue fail(const std::string& message, const std::string& hint = {});
  bool failed() const;

  struct Impl;
  explicit TranslationContext(Impl& impl) : impl_(impl) {}
  TranslationContext(const TranslationContext&) = delete;
  TranslationContext& operator=(const TranslationContext&) = delete;

 private:
  template <class T, class Step>
  T step(const Step& step);

  Impl& impl_;
};

// Gives the operator's results in their order. It may be called in several threads at once, and more than once for one
// node. An exception that leaves it becomes an error of the conversion.
using Translation = std::function<GraphValues(TranslationContext& context)>;

struct TranslationOptions {
  // Of a Keras layer: its own variables in the order in which it creates them.
  std::vector<std::string> weights;
};

// From now on files with this operator convert: `name` is
// - for PyTorch the signature, as torch.ops.mylib.scale.default._schema prints it,
// - for Keras the layer's class, or the name it is registered under ("my_package>Scale"),
// - for TensorFlow the op's type, with its outputs' names where it has several: "MyTopK -> values, indices".
// For the whole process, for good. Thread safe. Fails with kAlreadyExists for an operator that has a translation, and
// kInvalidArgument for a name that is none.
ONWARD_API Status register_translation(Framework framework, const std::string& name, Translation translation,
                                       const TranslationOptions& options = {});

}  // namespace onward
