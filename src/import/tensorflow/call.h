// What an operator's translator sees: its node's inputs and attributes, and the builder.
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/tensorflow/evaluator.h"

namespace onward::importer::tf {

struct Op;

class Call {
 public:
  Call(Evaluator& evaluator, Scope& scope, size_t index, Items inputs)
      : b(scope.b), evaluator_(evaluator), scope_(scope), index_(index), inputs_(std::move(inputs)) {}

  ir::Builder& b;

  const tensorflow::Node& node() const { return *scope_.body.nodes[index_].def; }
  Evaluator& evaluator() const { return evaluator_; }
  Scope& scope() const { return scope_; }
  size_t index() const { return index_; }  // of the node in its body
  State& state() const { return scope_.state; }

  // --- inputs
  // ----------------------------------------------------------------------------------------------------------
  size_t input_count() const { return inputs_.size(); }
  const Items& items() const { return inputs_; }
  const Item& item(size_t index) const;
  // Throws Error(kUnimplemented) where the input is no tensor.
  ir::Value* input(size_t index) const;
  // The inputs from `first` on, `count` of them or all.
  ir::Values inputs(size_t first = 0, size_t count = std::numeric_limits<size_t>::max()) const;
  bool is_complex(size_t index) const { return item(index).get_if<Complex>() != nullptr; }
  // An item as a tensor: reads a variable that is passed by reference, loads what is stored.
  ir::Value* tensor_of(const Item& item, const std::string& what) const;
  // Throws Error(kUnimplemented) where the input is no handle.
  const Resource& resource(size_t index) const;
  // Where the input is a constant, or an integer vector that is known before run time: its numbers.
  std::optional<std::vector<int64_t>> known_ints(size_t index) const;
  std::optional<std::vector<double>> known_numbers(size_t index) const;
  // The same, or Error(kUnimplemented, "its <what> is only known when the model runs").
  std::vector<int64_t> constant_ints(size_t index, const char* what) const;
  int64_t constant_int(size_t index, const char* what) const;
  double constant_number(size_t index, const char* what) const;
  std::string constant_text(size_t index, const char* what) const;

  // --- attributes, with the op's default where the file leaves it out
  // -----------------------------------------------------
  bool has(std::string_view name) const { return find(name) != nullptr; }
  int64_t integer(std::string_view name, int64_t fallback = 0) const;
  double number(std::string_view name, double fallback = 0) const;
  bool flag(std::string_view name, bool fallback = false) const;
  std::string text(std::string_view name, const char* fallback = "") const;
  tensorflow::DataType type(std::string_view name, tensorflow::DataType fallback = {}) const;
  ir::DType dtype(std::string_view name, tensorflow::DataType fallback = {}) const;
  tensorflow::PartialShape shape(std::string_view name) const;
  std::vector<int64_t> integers(std::string_view name) const;
  std::vector<float> numbers(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;
  std::vector<tensorflow::DataType> types(std::string_view name) const;
  std::string function(std::string_view name) const;
  std::vector<std::string> functions(std::string_view name) const;
  const Array* array(std::string_view name) const;

  // `axis` counted from the front; throws where it is out of range. For a negative axis the rank must be known.
  int64_t axis(int64_t axis, const ir::Value* x) const;

  // --- failing
  // ---------------------------------------------------------------------------------------------------------
  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const;
  void require(bool condition, const std::string& message, const std::string& hint = {}) const;

  Items run(const Op& op);

 private:
  const tensorflow::AttrValue* find(std::string_view name) const;
  template <class T>
  const T* attr(std::string_view name) const;

  Evaluator& evaluator_;
  Scope& scope_;
  size_t index_;
  Items inputs_;
};

}  // namespace onward::importer::tf
