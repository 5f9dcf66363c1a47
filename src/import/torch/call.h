// What a translator sees of one operator call: its arguments by the names of the signature, defaults filled in, and the
// builder to answer with.
//
//   // aten::leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor
//   ir::Value* leaky_relu(Call& c) { return c.b.op("LeakyRelu", {c.tensor("self")}, {{"alpha",
//   c.number("negative_slope")}}); }
//
// Accessors throw Error(kUnimplemented) naming the argument where it is missing, of another kind, or only known at run
// time though asked for as a plain number.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/common/complex.h"
#include "import/torch/arg.h"
#include "import/torch/signature.h"
#include "ir/builder.h"

namespace onward::importer::torch {

class Call {
 public:
  // `args`: one for each parameter, in the signature's order.
  Call(ir::Builder& builder, const Signature& signature, std::vector<Arg> args)
      : b(builder), signature_(signature), args_(std::move(args)) {}

  ir::Builder& b;

  const Signature& signature() const { return signature_; }
  // None for an argument that was left out and has no default.
  const Arg& arg(std::string_view name) const;
  bool has(std::string_view name) const { return signature_.find(name) != nullptr; }
  bool given(std::string_view name) const { return !arg(name).is_none(); }
  // Given and known now (all of it, for a list).
  bool known(std::string_view name) const;

  // --- tensors -------------------------------------------------------------------------------------------------------
  // A number in a tensor's place becomes a rank 0 constant of PyTorch's default dtype for it.
  ir::Value* tensor(std::string_view name);
  ir::Value* maybe_tensor(std::string_view name);  // null for None
  ir::Values tensors(std::string_view name);       // of a list; null for None among its items
  int64_t rank(std::string_view name) { return static_cast<int64_t>(tensor(name)->rank()); }

  // --- numbers that are known ----------------------------------------------------------------------------------------
  int64_t integer(std::string_view name) const;
  std::optional<int64_t> maybe_integer(std::string_view name) const;
  double number(std::string_view name) const;
  std::optional<double> maybe_number(std::string_view name) const;
  bool flag(std::string_view name) const;
  std::string text(std::string_view name) const;
  std::vector<int64_t> integers(std::string_view name) const;  // a single number is a list of one
  // The same, repeated to `count` where only one is given, as PyTorch does for int[2].
  std::vector<int64_t> integers(std::string_view name, size_t count) const;
  std::vector<double> numbers(std::string_view name) const;
  std::optional<ir::DType> dtype(std::string_view name = "dtype") const;
  // An axis counted from the front; throws where it is out of range. Rank 0 takes 0 and -1.
  int64_t axis(std::string_view name, size_t rank) const;
  std::vector<int64_t> axes(std::string_view name, size_t rank) const;

  // --- numbers, known or not -----------------------------------------------------------------------------------------
  ir::Value* scalar(std::string_view name, ir::DType dtype);  // rank 0
  ir::Value* int_scalar(std::string_view name) { return scalar(name, ir::DType::kInt64); }
  ir::Value* int_vector(std::string_view name);  // rank 1, int64

  // --- type promotion ------------------------------------------------------------------------------------------------
  // The dtype that PyTorch computes in for these arguments (tensors with dimensions first, then those without, then
  // numbers), and the tensors and numbers cast to it.
  ir::DType promoted_dtype(const std::vector<std::string_view>& names);
  ir::Values promoted(const std::vector<std::string_view>& names);
  // Where integers and bools count as the default float (true division, sin, …).
  ir::Values promoted_float(const std::vector<std::string_view>& names);

  // --- complex numbers -----------------------------------------------------------------------------------------------
  // For the translations that OpTable::complex registers: the parts of a tensor or number.
  Complex complex(std::string_view name);
  // Cast to the real dtype behind promoted_dtype, which may itself be real.
  std::vector<Complex> promoted_complex(const std::vector<std::string_view>& names);

  // Throws Error(kUnimplemented, "[name] message").
  void require(bool condition, const std::string& message) const;
  [[noreturn]] void fail(const std::string& message) const;

 private:
  ir::Value* operand(std::string_view name, ir::DType dtype);

  const Signature& signature_;
  std::vector<Arg> args_;
};

// PyTorch's promotion of two dtypes of the same category rank (torch.promote_types).
ir::DType promote_types(ir::DType a, ir::DType b);

}  // namespace onward::importer::torch
