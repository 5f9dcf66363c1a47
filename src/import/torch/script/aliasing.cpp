#include "import/torch/script/aliasing.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "import/torch/custom.h"
#include "import/torch/script/builtins.h"

namespace onward::importer::script {
namespace {

constexpr int64_t kToEnd = std::numeric_limits<int64_t>::max();

template <size_t N>
bool is_one_of(const std::string& name, const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Views whose elements are those of the base in the same order.
constexpr std::array kReshaped = std::to_array<std::string_view>(
    {"aten::view", "aten::reshape", "aten::_unsafe_view", "aten::flatten", "aten::unflatten", "aten::squeeze",
     "aten::unsqueeze", "aten::view_as", "aten::reshape_as", "aten::ravel", "aten::_reshape_alias"});
// The tensor itself, unless they change its element type.
constexpr std::array kIdentity = std::to_array<std::string_view>(
    {"aten::detach",        "aten::alias",      "aten::contiguous",   "aten::to",          "aten::type_as",
     "aten::float",         "aten::double",     "aten::half",         "aten::long",        "aten::int",
     "prim::data",          "aten::data",       "aten::expand_as",    "aten::dropout",     "aten::feature_dropout",
     "aten::alpha_dropout", "aten::lift_fresh", "aten::resolve_conj", "aten::resolve_neg", "aten::view_as_self",
     "aten::refine_names",  "aten::rename"});
// Their own inverse, or undone by other arguments (see `inverse_permutation`).
constexpr std::array kPermuted = std::to_array<std::string_view>(
    {"aten::transpose", "aten::t", "aten::permute", "aten::swapaxes", "aten::swapdims", "aten::numpy_T", "prim::T",
     "prim::mT", "aten::mT", "aten::adjoint", "aten::movedim", "aten::moveaxis"});
// Parts of the base along one axis.
constexpr std::array kParts = std::to_array<std::string_view>(
    {"aten::select", "aten::slice", "aten::narrow", "aten::diagonal", "aten::split", "aten::split_with_sizes",
     "aten::chunk", "aten::unbind", "aten::tensor_split", "aten::hsplit", "aten::vsplit", "aten::dsplit"});

const Py* argument(const Items& args, const Kwargs& kwargs, size_t index, std::string_view name) {
  if (index < args.size()) return &args[index];
  for (const auto& [key, value] : kwargs) {
    if (key == name) return &value;
  }
  return nullptr;
}

int64_t axis_argument(Machine& in, ir::Value* base, const Py* given) {
  const int64_t axis = given == nullptr || given->is_none() ? 0 : given->as_int();
  return axis < 0 ? axis + in.rank(base) : axis;
}

// `base` with `part` in place of the elements from `start` on, `length` of them, along `axis`.
ir::Value* put_range(Machine& in, ir::Value* base, ir::Value* part, int64_t axis, const Py& start, ir::Value* end) {
  ir::Builder& b = in.b();
  ir::Value* axes = b.ints({axis});
  ir::Values pieces;
  const bool from_front = start.is<int64_t>() && start.as_int() == 0;
  if (!from_front) pieces.push_back(b.Slice(base, b.ints({0}), b.Unsqueeze(in.scalar(start), {0}), axes));
  pieces.push_back(part);
  if (end != nullptr) pieces.push_back(b.Slice(base, end, b.ints({kToEnd}), axes));
  return b.Concat(pieces, axis);
}

// The parts of an axis with a step go back through ScatterElements.
ir::Value* put_strided(Machine& in, ir::Value* base, ir::Value* part, int64_t axis, int64_t start, int64_t step) {
  ir::Builder& b = in.b();
  ir::Value* count = b.dim_scalar(part, axis);
  ir::Value* first = b.i64(start);
  if (start < 0) first = b.Add(b.dim_scalar(base, axis), first);
  ir::Value* places = b.Add(first, b.Mul(b.Range(b.i64(0), count, b.i64(1)), b.i64(step)));
  std::vector<int64_t> axes;
  for (int64_t i = 0, rank = static_cast<int64_t>(base->rank()); i < rank; ++i) {
    if (i != axis) axes.push_back(i);
  }
  ir::Value* indices = b.Expand(b.Unsqueeze(places, axes), b.Shape(part));
  return b.op("ScatterElements", {base, indices, part}, {{"axis", axis}});
}

// Where `at` counted from the front lies: a known number where possible.
Py from_front(Machine& in, ir::Value* base, int64_t axis, const Py& at) {
  const Py size = Py::number(in.b().dim_scalar(base, axis), Symbolic::Kind::kInt);
  if (at.is<int64_t>() && at.as_int() >= 0) {
    if (!size.is<int64_t>()) return at;
    return std::min(at.as_int(), size.as_int());
  }
  if (at.is<int64_t>() && size.is<int64_t>()) return std::max<int64_t>(0, at.as_int() + size.as_int());
  if (at.is<int64_t>()) return in.call_operator("aten::add", {size, at});
  return at;
}

ir::Value* put_slice(Machine& in, ir::Value* base, ir::Value* part, const Items& args, const Kwargs& kwargs) {
  const int64_t axis = axis_argument(in, base, argument(args, kwargs, 1, "dim"));
  const Py* given_start = argument(args, kwargs, 2, "start");
  const Py* given_end = argument(args, kwargs, 3, "end");
  const Py* given_step = argument(args, kwargs, 4, "step");
  const int64_t step = given_step == nullptr || given_step->is_none() ? 1 : given_step->as_int();
  const Py start = given_start == nullptr || given_start->is_none() ? Py(0) : *given_start;
  if (step != 1) return put_strided(in, base, part, axis, start.as_int(), step);
  const Py first = from_front(in, base, axis, start);
  const bool to_end =
      given_end == nullptr || given_end->is_none() || (given_end->is<int64_t>() && given_end->as_int() >= kToEnd / 2);
  ir::Value* end = nullptr;
  if (!to_end) {  // the part's own length is what was taken, whatever the bound said
    end = in.b().Add(in.b().Unsqueeze(in.scalar(first), {0}), in.b().dim(part, axis));
  }
  return put_range(in, base, part, axis, first, end);
}

ir::Value* put_select(Machine& in, ir::Value* base, ir::Value* part, const Items& args, const Kwargs& kwargs) {
  const int64_t axis = axis_argument(in, base, argument(args, kwargs, 1, "dim"));
  const Py* index = argument(args, kwargs, 2, "index");
  if (index == nullptr) fail_data("select without an index");
  ir::Builder& b = in.b();
  ir::Value* row = b.Unsqueeze(part, {axis});
  if (index->is<int64_t>()) {
    const Py first = from_front(in, base, axis, *index);
    const bool last = index->as_int() == -1;
    return put_range(in, base, row, axis, first,
                     last ? nullptr : b.Add(b.Unsqueeze(in.scalar(first), {0}), b.ints({1})));
  }
  ir::Value* where =
      b.Expand(b.Reshape(in.scalar(*index), std::vector<int64_t>(static_cast<size_t>(in.rank(base)), 1)), b.Shape(row));
  return b.op("ScatterElements", {base, where, row}, {{"axis", axis}});
}

// Part number `index` of split, chunk or unbind.
ir::Value* put_piece(Machine& in, ir::Value* base, ir::Value* part, int64_t axis, const std::vector<ir::Value*>& before,
                     bool last) {
  ir::Builder& b = in.b();
  Py start = 0;
  for (ir::Value* piece : before) {
    start = in.call_operator("aten::add", {start, Py::number(b.dim_scalar(piece, axis), Symbolic::Kind::kInt)});
  }
  ir::Value* end = last ? nullptr : b.Add(b.Unsqueeze(in.scalar(start), {0}), b.dim(part, axis));
  return put_range(in, base, part, axis, start, end);
}

std::vector<int64_t> inverse_permutation(Machine& in, const std::string& name, ir::Value* base, const Items& args) {
  const int64_t rank = in.rank(base);
  std::vector<int64_t> perm(static_cast<size_t>(rank));
  for (int64_t i = 0; i < rank; ++i) perm[static_cast<size_t>(i)] = i;
  const auto axis = [&](const Py& value) {
    const int64_t at = value.as_int();
    return static_cast<size_t>(at < 0 ? at + rank : at);
  };
  if (name == "aten::permute") {
    for (size_t i = 0; i < perm.size(); ++i) perm[axis(args.at(1).items().at(i))] = static_cast<int64_t>(i);
  } else if (name == "aten::numpy_T" || name == "prim::T") {
    std::reverse(perm.begin(), perm.end());
  } else if (name == "aten::movedim" || name == "aten::moveaxis") {
    fail_unsupported("an in-place change of a view by movedim has no form in a graph");
  } else if (rank >= 2) {
    const bool last_two = name == "prim::mT" || name == "aten::mT" || name == "aten::adjoint";
    const size_t a = name == "aten::t" ? 0 : last_two ? perm.size() - 2 : axis(args.at(1));
    const size_t b = name == "aten::t" ? 1 : last_two ? perm.size() - 1 : axis(args.at(2));
    std::swap(perm[a], perm[b]);
  }
  if (base->complex) perm.push_back(rank);
  return perm;
}

// How a changed view goes back, or nothing for an operator that gives no view.
using Put = std::function<ir::Value*(ir::Value* base, ir::Value* part)>;
Put put_of(Machine& in, const std::string& name, const Items& args, const Kwargs& kwargs) {
  if (is_one_of(name, kReshaped)) {
    return [&in](ir::Value* base, ir::Value* part) { return in.b().Reshape(part, in.b().Shape(base)); };
  }
  if (is_one_of(name, kIdentity)) {
    return [](ir::Value*, ir::Value* part) { return part; };
  }
  if (is_one_of(name, kPermuted)) {
    return [&in, name, args](ir::Value* base, ir::Value* part) {
      return in.b().Transpose(part, inverse_permutation(in, name, base, args));
    };
  }
  if (name == "aten::select") {
    return [&in, args, kwargs](ir::Value* base, ir::Value* part) { return put_select(in, base, part, args, kwargs); };
  }
  if (name == "aten::slice") {
    return [&in, args, kwargs](ir::Value* base, ir::Value* part) { return put_slice(in, base, part, args, kwargs); };
  }
  if (name == "aten::narrow") {
    return [&in, args](ir::Value* base, ir::Value* part) {
      const int64_t axis = axis_argument(in, base, &args.at(1));
      const Py start = from_front(in, base, axis, args.at(2));
      ir::Value* end = in.b().Add(in.b().Unsqueeze(in.scalar(start), {0}), in.b().dim(part, axis));
      return put_range(in, base, part, axis, start, end);
    };
  }
  return {};
}

bool gives_view(const std::string& name) {
  return is_one_of(name, kReshaped) || is_one_of(name, kIdentity) || is_one_of(name, kPermuted) ||
         is_one_of(name, kParts) || name == "aten::expand";
}

Py as_view(Machine& in, const std::string& name, const Items& args, const Kwargs& kwargs, const Pure& pure,
           ir::Value* taken) {
  const TensorPtr base = args[0].box();
  View view;
  view.base = base;
  view.take = [&in, name, args, kwargs, pure](ir::Value* value) {
    Items again = args;
    again[0] = Py::tensor(value);
    return in.value(pure(name, again, kwargs));
  };
  view.put = put_of(in, name, args, kwargs);
  Py result = Py::tensor(taken);
  result.box()->view = std::move(view);
  result.box()->seen = base->version;
  return result;
}

// split, chunk and unbind: each part is a view.
Py as_views(Machine& in, const std::string& name, const Items& args, const Kwargs& kwargs, const Pure& pure,
            const Items& parts) {
  const TensorPtr base = args[0].box();
  const bool unbind = name == "aten::unbind";
  const Py* axis_given = argument(args, kwargs, unbind ? 1 : 2, "dim");
  Items views;
  for (size_t i = 0; i < parts.size(); ++i) {
    View view;
    view.base = base;
    const auto take_all = [name, args, kwargs, pure](ir::Value* value) {
      Items again = args;
      again[0] = Py::tensor(value);
      return pure(name, again, kwargs).items();
    };
    view.take = [&in, take_all, i](ir::Value* value) { return in.value(take_all(value).at(i)); };
    const Py axis_value = axis_given == nullptr ? Py(0) : *axis_given;
    view.put = [&in, take_all, i, unbind, axis_value](ir::Value* value, ir::Value* part) {
      if (unbind) return put_select(in, value, part, {Py(), axis_value, Py(static_cast<int64_t>(i))}, {});
      const Items all = take_all(value);
      std::vector<ir::Value*> before;
      for (size_t k = 0; k < i; ++k) before.push_back(in.value(all[k]));
      return put_piece(in, value, part, axis_argument(in, value, &axis_value), before, i + 1 == all.size());
    };
    Py one = Py::tensor(in.value(parts[i]));
    one.box()->view = std::move(view);
    one.box()->seen = base->version;
    views.push_back(std::move(one));
  }
  return Py::list(std::move(views));
}

// "aten::add_" → "aten::add"; "aten::bernoulli_", whose arguments mean something else than those of "aten::bernoulli"
// and which the table has under its own name, stays; "" for what is not in-place.
std::string out_of_place(const std::string& name) {
  if (name.ends_with("__") || !name.ends_with('_') || name.ends_with("::_")) return {};
  if (name == "aten::requires_grad_" || name == "aten::set_") return {};
  if (torch::table_of(name).contains(name)) return name;
  return name.substr(0, name.size() - 1);
}

// In-place operators whose result does not take the tensor's own shape.
bool changes_shape(const std::string& name) {
  static constexpr std::array kNames =
      std::to_array<std::string_view>({"aten::squeeze_", "aten::unsqueeze_", "aten::t_", "aten::transpose_",
                                       "aten::swapaxes_", "aten::swapdims_", "aten::resize_", "aten::detach_"});
  return is_one_of(name, kNames);
}

ir::Value* shaped_like(Machine& in, ir::Value* value, ir::Value* like) {
  ir::Builder& b = in.b();
  value = b.Cast(value, like->dtype);
  if (value->shape && like->shape) {
    const auto known = ir::static_dims(*value->shape);
    if (known && known == ir::static_dims(*like->shape)) return value;
    bool same = value->shape->size() == like->shape->size();
    for (size_t i = 0; same && i < value->shape->size(); ++i) same = (*value->shape)[i].same((*like->shape)[i]);
    if (same) return value;
  }
  return b.Expand(value, b.Shape(like));
}

Py call_in_place(Machine& in, const std::string& name, const std::string& pure_name, Items& args, Kwargs& kwargs,
                 const Pure& pure) {
  const TensorPtr target = args[0].box();
  ir::Value* before = in.value(args[0]);
  ir::Value* after = nullptr;
  if (name == "aten::copy_" || name == "aten::fill_") {
    const Py& source = args.at(1);
    after = shaped_like(in, source.is_tensor() ? in.value(source) : in.scalar(source), before);
  } else if (name == "aten::zero_") {
    after = shaped_like(in, in.b().number(0, before->dtype), before);
  } else {
    after = in.value(pure(pure_name, args, kwargs));
    // A result is never wider than the tensor it goes into, so only its type may have to be turned back.
    after = in.b().Cast(after, before->dtype);
  }
  if (after->dtype != before->dtype && !changes_shape(name)) after = in.b().Cast(after, before->dtype);
  in.heap().write(target, after);
  return args[0];
}

}  // namespace

bool is_in_place(const std::string& name) {
  return name == "aten::copy_" || name == "aten::fill_" || name == "aten::zero_";
}

Py call_aliasing(Machine& in, const std::string& name, Items& args, Kwargs& kwargs, const Pure& pure) {
  const bool on_tensor = !args.empty() && args[0].is_tensor();
  if (const std::string pure_name = out_of_place(name); on_tensor && !pure_name.empty()) {
    return call_in_place(in, name, pure_name, args, kwargs, pure);
  }
  for (auto keyword = kwargs.begin(); keyword != kwargs.end(); ++keyword) {  // torch.add(a, b, out=c)
    if (keyword->first != "out" || !keyword->second.is_tensor()) continue;
    const Py out = keyword->second;
    kwargs.erase(keyword);
    in.heap().write(out.box(), in.b().Cast(in.value(pure(name, args, kwargs)), in.value(out)->dtype));
    return out;
  }
  if (!on_tensor || !gives_view(name)) return pure(name, args, kwargs);
  const ir::Value* base = in.value(args[0]);
  const Py result = pure(name, args, kwargs);
  if (result.has_items()) return as_views(in, name, args, kwargs, pure, result.items());
  ir::Value* taken = in.value(result);
  if (is_one_of(name, kIdentity) && taken->dtype != base->dtype) return result;
  return as_view(in, name, args, kwargs, pure, taken);
}

}  // namespace onward::importer::script
