// Questions that programs ask about tensors, and how they make tensors of Python's numbers.
#include <algorithm>

#include "base/error.h"
#include "import/common/axes.h"
#include "import/common/complex.h"
#include "import/torch/script/builtins.h"

namespace onward::importer::script {
namespace {

bool is_tensor(const Items& args) { return !args.empty() && args[0].is_tensor(); }

const Py* keyword(const Kwargs& kwargs, std::string_view name) {
  for (const auto& [key, value] : kwargs) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::optional<Py> dim(Machine& in, Items& args, Kwargs&) {
  if (!is_tensor(args)) return std::nullopt;
  return in.rank(in.value(args[0]));
}

Py size_of(Machine& in, ir::Value* value, int64_t axis) {
  const int64_t counted = value->complex && axis < 0 ? axis - 1 : axis;  // the pairs' dimension is none of PyTorch's
  return Py::number(in.b().dim_scalar(value, counted), Symbolic::Kind::kInt);
}

std::optional<Py> size(Machine& in, Items& args, Kwargs& kwargs) {
  if (!is_tensor(args)) return std::nullopt;
  ir::Value* value = in.value(args[0]);
  const Py* axis = args.size() > 1 ? &args[1] : keyword(kwargs, "dim");
  if (axis != nullptr && !axis->is_none()) {
    if (value->has_rank()) {
      const int64_t rank = in.rank(value);
      if (axis->as_int() < -rank || axis->as_int() >= rank) throw Raised{"Dimension out of range"};
    }
    return size_of(in, value, axis->as_int());
  }
  Items sizes;
  for (int64_t i = 0, rank = in.rank(value); i < rank; ++i) sizes.push_back(size_of(in, value, i));
  return Py::list(std::move(sizes));
}

std::optional<Py> stride(Machine& in, Items& args, Kwargs&) {
  if (!is_tensor(args)) return std::nullopt;
  ir::Value* value = in.value(args[0]);
  Items strides;
  Py stride = 1;
  for (int64_t i = in.rank(value); i-- > 0;) {
    strides.insert(strides.begin(), stride);
    stride = in.call_operator("aten::mul", {stride, size_of(in, value, i)});
  }
  if (args.size() > 1) return strides[checked_index(args[1].as_int(), strides.size())];
  return Py::list(std::move(strides));
}

std::optional<Py> element_count(Machine& in, Items& args, Kwargs&) {
  if (!is_tensor(args)) return std::nullopt;
  return Py::number(in.b().Size(parts(in.b(), in.value(args[0])).re), Symbolic::Kind::kInt);
}

std::optional<Py> dtype(Machine& in, Items& args, Kwargs&) {
  if (!is_tensor(args)) return std::nullopt;
  return number_of_dtype(framework_dtype(in.value(args[0])));
}

std::optional<Py> device(Machine&, Items& args, Kwargs&) {
  if (args.size() == 1 && args[0].is<std::string>()) return Device{args[0].text()};
  if (args.size() == 2 && args[0].is<std::string>()) return Device{args[0].text()};
  if (!is_tensor(args)) return std::nullopt;
  return Device{"cpu"};
}

std::optional<Py> device_type(Machine&, Items& args, Kwargs&) {
  if (args.size() != 1) return std::nullopt;
  const auto* device = args[0].get_if<Device>();
  if (device == nullptr) return std::nullopt;
  return device->name.substr(0, device->name.find(':'));
}

template <bool (*Test)(ir::DType)>
std::optional<Py> dtype_is(Machine& in, Items& args, Kwargs&) {
  if (!is_tensor(args)) return std::nullopt;
  return Test(framework_dtype(in.value(args[0])));
}
bool is_signed(ir::DType dtype) { return !ir::is_unsigned_integer(dtype) && dtype != ir::DType::kBool; }

template <bool Answer>
std::optional<Py> always(Machine&, Items&, Kwargs&) {
  return Answer;
}
std::optional<Py> zero(Machine&, Items&, Kwargs&) { return 0; }
std::optional<Py> nothing(Machine&, Items&, Kwargs&) { return None{}; }
std::optional<Py> same(Machine&, Items& args, Kwargs&) {
  if (args.empty()) return std::nullopt;
  return args[0];
}

// A tensor of a number that Python holds.
std::optional<Py> number_to_tensor(Machine& in, Items& args, Kwargs&) {
  if (args.size() != 1 || !args[0].is_number()) return std::nullopt;
  return Py::tensor(in.scalar(args[0]));
}

void sample_kind(const Py& data, bool& any_float, bool& any_int, bool& any_bool) {
  if (data.has_items()) {
    for (const Py& item : data.items()) sample_kind(item, any_float, any_int, any_bool);
    return;
  }
  any_float = any_float || data.is_float();
  any_int = any_int || data.is_int();
  any_bool = any_bool || data.is_bool();
}

ir::Value* stack_numbers(Machine& in, const Py& data, ir::DType dtype) {
  ir::Builder& b = in.b();
  if (!data.has_items()) {
    if (data.is_tensor()) return b.Cast(b.Reshape(in.value(data), b.ints({})), dtype);
    return b.Cast(in.scalar(data), dtype);
  }
  ir::Values parts;
  for (const Py& item : data.items()) parts.push_back(b.Unsqueeze(stack_numbers(in, item, dtype), {0}));
  if (parts.empty()) return b.constant(ir::Tensor::filled(dtype, {0}, 0));
  return b.Concat(parts, 0);
}

// torch.tensor(data, dtype=…)
std::optional<Py> make_tensor(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.empty()) return std::nullopt;
  const Py* wanted = keyword(kwargs, "dtype");
  std::optional<ir::DType> dtype;
  if (wanted != nullptr && !wanted->is_none()) {
    dtype = dtype_of_number(wanted->as_int());
    if (!dtype) fail_unsupported("an element type that ONNX lacks");
  }
  if (args[0].is_tensor()) {
    ir::Value* value = in.value(args[0]);
    return Py::tensor(in.b().Identity(dtype ? in.b().Cast(value, *dtype) : value));
  }
  if (!args[0].is_number() && !args[0].has_items()) return std::nullopt;
  if (!dtype) {
    bool any_float = false;
    bool any_int = false;
    bool any_bool = false;
    sample_kind(args[0], any_float, any_int, any_bool);
    dtype = any_float || (!any_int && !any_bool) ? ir::DType::kFloat : any_int ? ir::DType::kInt64 : ir::DType::kBool;
  }
  return Py::tensor(stack_numbers(in, args[0], *dtype));
}

// An operator over the elements of a list that a loop of unknown length filled: stack and cat.
ir::Value* moved_front_to(ir::Builder& b, ir::Value* value, int64_t rank, int64_t axis) {
  std::vector<int64_t> perm;
  for (int64_t i = 1; i < rank; ++i) perm.push_back(i);
  perm.insert(perm.begin() + axis, 0);
  return b.Transpose(value, perm);
}

std::optional<Py> stack_list(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.empty() || !args[0].is<std::shared_ptr<List>>() || args[0].list()->stacked == nullptr) return std::nullopt;
  ir::Builder& b = in.b();
  ir::Values parts;
  for (const Py& item : args[0].list()->items) parts.push_back(b.Unsqueeze(in.value(item), {0}));
  parts.push_back(args[0].list()->stacked);
  ir::Value* all = b.Concat(parts, 0);
  const Py* given = args.size() > 1 ? &args[1] : keyword(kwargs, "dim");
  int64_t axis = given == nullptr ? 0 : given->as_int();
  if (axis == 0) return Py::tensor(all);
  const int64_t rank = in.rank(all);
  if (axis < 0) axis += rank;
  return Py::tensor(moved_front_to(b, all, rank, axis));
}

// Into a list whose length only the run will know; any other falls apart into views.
std::optional<Py> unbind(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.empty() || !args[0].is_tensor() || is_untranslated(in.value(args[0]))) return std::nullopt;
  ir::Value* value = in.value(args[0]);
  const Py* given = args.size() > 1 ? &args[1] : keyword(kwargs, "dim");
  const int64_t rank = in.rank(value);
  int64_t axis = given == nullptr ? 0 : given->as_int();
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank || value->dim(static_cast<size_t>(axis)).is_known()) return std::nullopt;
  Py list = Py::list({});
  list.list()->stacked = importer::move_axis(in.b(), value, axis, 0);
  return list;
}

std::optional<Py> concatenate_list(Machine& in, Items& args, Kwargs& kwargs) {
  if (args.empty() || !args[0].is<std::shared_ptr<List>>() || args[0].list()->stacked == nullptr) return std::nullopt;
  ir::Builder& b = in.b();
  ir::Value* stacked = args[0].list()->stacked;
  const Py* given = args.size() > 1 ? &args[1] : keyword(kwargs, "dim");
  int64_t axis = given == nullptr ? 0 : given->as_int();
  const int64_t rank = in.rank(stacked);  // one more than an element's
  if (axis < 0) axis += rank - 1;
  // [n, …, d, …] → […, n, d, …] → […, n · d, …]
  ir::Value* moved = axis == 0 ? stacked : moved_front_to(b, stacked, rank, axis);
  ir::Value* shape = b.Shape(moved);
  ir::Values dims;
  if (axis > 0) dims.push_back(b.Slice(shape, 0, axis, 0));
  dims.push_back(b.ints({-1}));
  if (axis + 2 < rank) dims.push_back(b.Slice(shape, axis + 2, rank, 0));
  ir::Values parts;
  for (const Py& item : args[0].list()->items) parts.push_back(in.value(item));
  parts.push_back(b.Reshape(moved, b.Concat(dims, 0)));
  return Py::tensor(b.Concat(parts, axis));
}

}  // namespace

void register_tensor_questions(BuiltinTable& table) {
  table.emplace("aten::unbind", unbind);
  for (const char* name : {"aten::dim", "aten::ndimension", "prim::ndim"}) table.emplace(name, dim);
  for (const char* name : {"aten::size", "prim::shape", "aten::sym_size"}) table.emplace(name, size);
  for (const char* name : {"aten::stride", "aten::sym_stride"}) table.emplace(name, stride);
  for (const char* name : {"aten::numel", "aten::sym_numel"}) table.emplace(name, element_count);
  table.emplace("prim::dtype", dtype);
  for (const char* name : {"prim::device", "aten::device"}) table.emplace(name, device);
  table.emplace("prim::type", device_type);
  table.emplace("aten::is_floating_point", dtype_is<ir::is_floating>);
  table.emplace("aten::is_complex", dtype_is<ir::is_complex>);
  table.emplace("aten::is_signed", dtype_is<is_signed>);
  for (const char* name : {"prim::NumToTensor", "aten::scalar_tensor"}) table.emplace(name, number_to_tensor);
  for (const char* name : {"aten::tensor", "aten::as_tensor"}) table.emplace(name, make_tensor);
  table.emplace("aten::stack", stack_list);
  table.emplace("aten::cat", concatenate_list);
  table.emplace("aten::concat", concatenate_list);
}

// What a program asks of its surroundings. Gradients are said to be on, which turns PyTorch's fused fast paths off.
void register_environment(BuiltinTable& table) {
  for (const char* name : {"aten::is_grad_enabled", "prim::requires_grad", "aten::is_contiguous", "prim::is_cpu",
                           "prim::is_leaf", "aten::is_scripting", "aten::is_same_size"}) {
    table.emplace(name, always<true>);
  }
  for (const char* name :
       {"prim::is_nested",
        // Asked before the nested fast path, which gives what the ordinary one does.
        "aten::_nested_tensor_from_mask_left_aligned", "prim::is_sparse", "prim::is_sparse_csr", "prim::is_quantized",
        "prim::is_cuda", "prim::is_mkldnn", "prim::is_xpu", "prim::is_mps", "prim::is_vulkan", "prim::is_meta",
        "prim::is_ipu", "prim::is_xla", "prim::is_ort", "prim::is_maia", "prim::is_mtia", "prim::is_hpu",
        "aten::is_autocast_enabled", "aten::is_autocast_cpu_enabled", "aten::is_tracing", "aten::is_pinned",
        "aten::is_conj", "aten::is_neg", "aten::is_inference", "aten::has_names", "prim::has_cuda",
        "cuda::is_available", "aten::_is_tracing"}) {
    table.emplace(name, always<false>);
  }
  for (const char* name : {"prim::layout", "aten::storage_offset", "aten::get_num_threads", "prim::index",
                           "profiler::_record_function_enter_new"}) {
    table.emplace(name, zero);
  }
  for (const char* name :
       {"aten::set_grad_enabled", "aten::manual_seed", "aten::_set_deterministic", "aten::backward", "prim::grad",
        "prim::names", "aten::__exit__", "aten::_assert_tensor_metadata", "profiler::_record_function_exit"}) {
    table.emplace(name, nothing);
  }
  for (const char* name :
       {"aten::wait", "aten::unwrap_optional", "aten::_unwrap_optional", "aten::requires_grad_",
        "prim::unchecked_unwrap_optional", "aten::cpu", "aten::cuda", "aten::pin_memory", "aten::hash"}) {
    table.emplace(name, same);
  }
}

}  // namespace onward::importer::script
