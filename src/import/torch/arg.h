// One argument of an aten operator as an importer hands it over: known already, or a value of the graph.
#pragma once

#include <complex>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "ir/builder.h"

namespace onward::importer::torch {

// A tensor of the graph.
struct TensorArg {
  ir::Value* value = nullptr;
};
// A Python number that only the run will know: rank 0; int64, float64 or bool.
struct SymbolArg {
  ir::Value* value = nullptr;
};

struct Arg {
  using List = std::vector<Arg>;
  std::variant<std::monostate, bool, int64_t, double, std::complex<double>, std::string, ir::DType, TensorArg,
               SymbolArg, List>
      data;

  Arg() = default;  // None
  template <class T>
  requires std::is_constructible_v<decltype(data), T> Arg(T value)
      : data(std::move(value)) {}                       // NOLINT(google-explicit-constructor)
  Arg(int value) : data(int64_t{value}) {}              // NOLINT(google-explicit-constructor)
  Arg(const char* value) : data(std::string(value)) {}  // NOLINT(google-explicit-constructor)

  bool is_none() const { return std::holds_alternative<std::monostate>(data); }
  bool is_tensor() const { return std::holds_alternative<TensorArg>(data); }
  bool is_symbol() const { return std::holds_alternative<SymbolArg>(data); }
  bool is_list() const { return std::holds_alternative<List>(data); }
  bool is_bool() const;   // known or not
  bool is_int() const;    // known or not; not a bool
  bool is_float() const;  // known or not
  bool is_number() const { return is_bool() || is_int() || is_float() || is_complex(); }
  bool is_complex() const { return std::holds_alternative<std::complex<double>>(data); }
  const List* list() const { return std::get_if<List>(&data); }
};

}  // namespace onward::importer::torch
