#include "import/torch/script/builtins.h"

#include <array>

#include "base/error.h"

namespace onward::importer::script {
namespace {

const BuiltinTable& builtins() {
  static const BuiltinTable kTable = [] {
    BuiltinTable table;
    register_numbers(table);
    register_containers(table);
    register_strings(table);
    register_tensor_questions(table);
    register_environment(table);
    return table;
  }();
  return kTable;
}

// c10::ScalarType by its number.
constexpr std::array kTypes = std::to_array<ir::DType>({
    ir::DType::kUInt8,        ir::DType::kInt8,           ir::DType::kInt16,          ir::DType::kInt32,
    ir::DType::kInt64,        ir::DType::kFloat16,        ir::DType::kFloat,          ir::DType::kDouble,
    ir::DType::kUndefined,    ir::DType::kComplex64,      ir::DType::kComplex128,     ir::DType::kBool,
    ir::DType::kUndefined,    ir::DType::kUndefined,      ir::DType::kUndefined,      ir::DType::kBFloat16,
    ir::DType::kUndefined,    ir::DType::kUndefined,      ir::DType::kUndefined,      ir::DType::kUndefined,
    ir::DType::kUndefined,    ir::DType::kUndefined,      ir::DType::kUndefined,      ir::DType::kFloat8E5M2,
    ir::DType::kFloat8E4M3FN, ir::DType::kFloat8E5M2FNUZ, ir::DType::kFloat8E4M3FNUZ, ir::DType::kUInt16,
    ir::DType::kUInt32,       ir::DType::kUInt64,
});

}  // namespace

std::optional<Py> call_builtin(Machine& in, const std::string& name, Items& args, Kwargs& kwargs) {
  const auto [first, last] = builtins().equal_range(name);
  for (auto entry = first; entry != last; ++entry) {
    if (std::optional<Py> result = entry->second(in, args, kwargs)) return result;
  }
  return std::nullopt;
}

bool is_builtin(const std::string& name) { return builtins().contains(name); }

std::optional<ir::DType> dtype_of_number(int64_t scalar_type) {
  if (scalar_type < 0 || static_cast<size_t>(scalar_type) >= kTypes.size()) return std::nullopt;
  const ir::DType dtype = kTypes[static_cast<size_t>(scalar_type)];
  if (dtype == ir::DType::kUndefined) return std::nullopt;
  return dtype;
}

int64_t number_of_dtype(ir::DType dtype) {
  for (size_t i = 0; i < kTypes.size(); ++i) {
    if (kTypes[i] == dtype) return static_cast<int64_t>(i);
  }
  fail_unsupported("PyTorch has no element type " + std::string(ir::dtype_name(dtype)));
}

size_t checked_index(int64_t index, size_t length) {
  const int64_t at = index < 0 ? index + static_cast<int64_t>(length) : index;
  if (at < 0 || at >= static_cast<int64_t>(length)) throw Raised{"list index out of range"};
  return static_cast<size_t>(at);
}

}  // namespace onward::importer::script
