#include "formats/torch/tensor.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace onward::torchfile {
namespace {

constexpr uint64_t kMaxUnfolded = uint64_t{4} << 30;

std::vector<int64_t> dense_strides(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t i = sizes.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= std::max<int64_t>(sizes[i], 1);
  }
  return strides;
}

// Copies the elements below dimension `dim` one after another to `out`.
void gather(const StridedTensor& tensor, size_t dim, const std::byte* from, size_t element, std::byte*& out) {
  if (dim == tensor.sizes.size()) {
    std::memcpy(out, from, element);
    out += element;
    return;
  }
  const int64_t step = tensor.strides[dim] * static_cast<int64_t>(element);
  for (int64_t i = 0; i < tensor.sizes[dim]; ++i) gather(tensor, dim + 1, from + i * step, element, out);
}

}  // namespace

void StridedTensor::check(std::string_view what) const {
  const size_t element = dtype_size(dtype);
  if (element == 0) fail_unsupported(std::string(what) + ": elements of type \"" + dtype + "\" are not known");
  if (sizes.size() != strides.size()) {
    fail_data(std::string(what) + ": " + std::to_string(sizes.size()) + " sizes and " + std::to_string(strides.size()) +
              " strides");
  }
  if (sizes.size() > 64) fail_data(std::string(what) + ": " + std::to_string(sizes.size()) + " dimensions");
  const uint64_t count = checked_count(sizes, what);
  (void)checked_bytes(sizes, element, what);
  if (offset < 0) fail_data(std::string(what) + ": a negative storage offset");
  if (count == 0) return;
  int64_t last = offset;
  bool overflow = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (strides[i] < 0) fail_data(std::string(what) + ": a negative stride");
    int64_t reach = 0;
    overflow = overflow || __builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) ||
               __builtin_add_overflow(last, reach, &last);
  }
  const auto available = static_cast<int64_t>(storage.size() / element);
  if (overflow || last >= available) {
    fail_data(std::string(what) + ": its elements lie outside its storage of " + std::to_string(available));
  }
}

bool StridedTensor::is_contiguous() const {
  const std::vector<int64_t> dense = dense_strides(sizes);
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] != 1 && strides[i] != dense[i]) return false;
  }
  return true;
}

Bytes StridedTensor::contiguous() const {
  check("tensor");
  const size_t element = dtype_size(dtype);
  const uint64_t bytes = checked_bytes(sizes, element, "tensor");
  if (bytes == 0) return {};
  const size_t start = static_cast<size_t>(offset) * element;
  Bytes data;
  if (is_contiguous()) {
    data = storage.slice(start, bytes);
  } else {
    if (bytes > storage.size() && bytes > kMaxUnfolded) {
      throw Error(Code::kResourceExhausted, "a view of " + std::to_string(storage.size()) + " bytes unfolds to " +
                                                std::to_string(bytes) + " bytes");
    }
    std::vector<std::byte> copy(bytes);
    std::byte* out = copy.data();
    gather(*this, 0, storage.data() + start, element, out);
    data = Bytes::from_vector(std::move(copy));
  }
  return big_endian ? Bytes::from_vector(byte_swapped(data.view(), dtype)) : data;
}

std::string dtype_of_global(std::string_view global) {
  if (!global.starts_with("torch.")) return {};
  std::string_view name = global.substr(6);
  static constexpr std::array<std::array<std::string_view, 2>, 10> kAliases = {{{"float", "float32"},
                                                                                {"double", "float64"},
                                                                                {"half", "float16"},
                                                                                {"long", "int64"},
                                                                                {"int", "int32"},
                                                                                {"short", "int16"},
                                                                                {"cfloat", "complex64"},
                                                                                {"cdouble", "complex128"},
                                                                                {"chalf", "complex32"},
                                                                                {"bfloat", "bfloat16"}}};
  for (const auto& [alias, full] : kAliases) {
    if (name == alias) name = full;
  }
  return dtype_size(name) == 0 ? std::string() : std::string(name);
}

std::string dtype_of_storage(std::string_view global) {
  static constexpr std::array<std::array<std::string_view, 2>, 17> kNames = {{{"Float", "float32"},
                                                                              {"Double", "float64"},
                                                                              {"Half", "float16"},
                                                                              {"BFloat16", "bfloat16"},
                                                                              {"Long", "int64"},
                                                                              {"Int", "int32"},
                                                                              {"Short", "int16"},
                                                                              {"Char", "int8"},
                                                                              {"Byte", "uint8"},
                                                                              {"Bool", "bool"},
                                                                              {"ComplexFloat", "complex64"},
                                                                              {"ComplexDouble", "complex128"},
                                                                              {"QInt8", "qint8"},
                                                                              {"QUInt8", "quint8"},
                                                                              {"QInt32", "qint32"},
                                                                              {"QUInt4x2", "quint4x2"},
                                                                              {"QUInt2x4", "quint2x4"}}};
  if (!global.starts_with("torch.") || !global.ends_with("Storage")) return {};
  std::string_view name = global.substr(global.rfind('.') + 1);
  name.remove_suffix(std::string_view("Storage").size());
  for (const auto& [storage, dtype] : kNames) {
    if (name == storage) return std::string(dtype);
  }
  return {};
}

std::vector<int64_t> int_list(const pickle::Value& value) {
  const pickle::Value* list = &value;
  // torch.Size((2, 3)), or a list that TorchScript tags with its type
  for (int depth = 0; list->kind == pickle::Kind::kObject && depth < 4; ++depth) {
    const pickle::Object& object = list->object();
    const std::string_view name = pickle::callable_name(object);
    if (name != "torch.Size" && !name.starts_with("torch.jit._pickle.")) break;
    const pickle::Items& args = object.args->items();
    if (args.empty()) return {};
    list = args.front();
  }
  std::vector<int64_t> numbers;
  for (const pickle::Value* item : list->items()) numbers.push_back(item->as_int());
  return numbers;
}

}  // namespace onward::torchfile
