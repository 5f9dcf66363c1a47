// Identity, Reshape, Flatten, Squeeze, Unsqueeze, Transpose, Concat, Split, Slice, Expand, Tile, Pad.
#include <algorithm>
#include <limits>
#include <numeric>

#include "ir/eval/table.h"

namespace onward::ir::eval {
namespace {

std::vector<Tensor> identity(const Call& call) { return {call.required(0)}; }

std::vector<Tensor> reshape(const Call& call) {
  const Tensor& x = call.required(0);
  Dims dims = call.required(1).ints();
  const bool allow_zero = call.attrs.get("allowzero", int64_t{0}) != 0;
  int64_t known = 1;
  size_t inferred = dims.size();
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 0 && !allow_zero) {
      if (i >= x.rank()) throw Unfit();
      dims[i] = x.dims()[i];
    }
    if (dims[i] == -1) {
      if (inferred != dims.size()) throw Unfit();
      inferred = i;
    } else {
      known *= dims[i];
    }
  }
  if (inferred != dims.size()) {
    if (known == 0) throw Unfit();
    dims[inferred] = static_cast<int64_t>(x.count()) / known;
  }
  return {x.reshaped(dims)};
}

std::vector<Tensor> flatten(const Call& call) {
  const Tensor& x = call.required(0);
  int64_t axis = call.attrs.get("axis", int64_t{1});
  if (axis < 0) axis += static_cast<int64_t>(x.rank());
  if (axis < 0 || axis > static_cast<int64_t>(x.rank())) throw Unfit();
  const Dims front(x.dims().begin(), x.dims().begin() + axis);
  const Dims back(x.dims().begin() + axis, x.dims().end());
  return {x.reshaped({element_count(front), element_count(back)})};
}

std::vector<Tensor> squeeze(const Call& call) {
  const Tensor& x = call.required(0);
  std::vector<bool> drop(x.rank(), false);
  if (const Tensor* axes = call.input(1)) {
    for (const int64_t axis : axes->ints()) drop[checked_axis(axis, x.rank())] = true;
  } else {
    for (size_t i = 0; i < x.rank(); ++i) drop[i] = x.dims()[i] == 1;
  }
  Dims dims;
  for (size_t i = 0; i < x.rank(); ++i) {
    if (!drop[i]) dims.push_back(x.dims()[i]);
  }
  return {x.reshaped(dims)};
}

std::vector<Tensor> unsqueeze(const Call& call) {
  const Tensor& x = call.required(0);
  const std::vector<int64_t> axes = call.required(1).ints();
  const size_t rank = x.rank() + axes.size();
  std::vector<bool> added(rank, false);
  for (const int64_t axis : axes) added[checked_axis(axis, rank)] = true;
  Dims dims;
  size_t next = 0;
  for (size_t i = 0; i < rank; ++i) {
    if (!added[i] && next >= x.rank()) throw Unfit();
    dims.push_back(added[i] ? 1 : x.dims()[next++]);
  }
  return {x.reshaped(dims)};
}

std::vector<Tensor> transpose(const Call& call) {
  const Tensor& x = call.required(0);
  Attr::Ints reversed(x.rank());
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const Attr::Ints perm = call.attrs.get("perm", reversed);
  if (perm.size() != x.rank()) throw Unfit();
  const Dims own = strides_of(x.dims());
  Dims dims;
  Dims strides;
  for (const int64_t axis : perm) {
    const size_t from = checked_axis(axis, x.rank());
    dims.push_back(x.dims()[from]);
    strides.push_back(own[from]);
  }
  return {strided_copy(x, dims, strides)};
}

// Bytes of one step along `axis` and all that lies inside it, and how many such blocks there are.
struct Blocks {
  size_t outer = 1;
  size_t inner_bytes = 0;
};

Blocks blocks_of(const Tensor& x, size_t axis) {
  Blocks blocks;
  blocks.inner_bytes = element_size(x);
  for (size_t i = 0; i < axis; ++i) blocks.outer *= static_cast<size_t>(x.dims()[i]);
  for (size_t i = axis + 1; i < x.rank(); ++i) blocks.inner_bytes *= static_cast<size_t>(x.dims()[i]);
  return blocks;
}

std::vector<Tensor> concat_strings(const Call& call, Dims dims) {
  std::vector<std::string> all;
  if (dims.size() != 1) throw Unfit();
  for (const Tensor* part : call.inputs) all.insert(all.end(), part->strings().begin(), part->strings().end());
  return {Tensor::of_strings(std::move(dims), std::move(all))};
}

std::vector<Tensor> concat(const Call& call) {
  const Tensor& first = call.required(0);
  const size_t axis = checked_axis(call.attrs.at("axis").as_int(), first.rank());
  Dims dims = first.dims();
  dims[axis] = 0;
  for (const Tensor* part : call.inputs) {
    if (part == nullptr || part->dtype() != first.dtype() || part->rank() != first.rank()) throw Unfit();
    for (size_t i = 0; i < dims.size(); ++i) {
      if (i != axis && part->dims()[i] != dims[i]) throw Unfit();
    }
    dims[axis] += part->dims()[axis];
  }
  if (first.dtype() == DType::kString) return concat_strings(call, dims);
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<size_t>(element_count(dims)) * element_size(first));
  const size_t outer = blocks_of(first, axis).outer;
  for (size_t block = 0; block < outer; ++block) {
    for (const Tensor* part : call.inputs) {
      const size_t size = blocks_of(*part, axis).inner_bytes * static_cast<size_t>(part->dims()[axis]);
      const std::byte* from = part->bytes().data() + block * size;
      bytes.insert(bytes.end(), from, from + size);
    }
  }
  return {Tensor(first.dtype(), dims, Bytes::from_vector(std::move(bytes)))};
}

std::vector<Tensor> split(const Call& call) {
  const Tensor& x = call.required(0);
  const size_t axis = checked_axis(call.attrs.get("axis", int64_t{0}), x.rank());
  std::vector<int64_t> sizes;
  if (const Tensor* given = call.input(1)) {
    sizes = given->ints();
  } else {
    const auto parts = static_cast<int64_t>(call.output_count);
    const int64_t chunk = (x.dims()[axis] + parts - 1) / parts;
    for (int64_t left = x.dims()[axis]; sizes.size() < call.output_count; left -= chunk) {
      sizes.push_back(std::clamp<int64_t>(left, 0, chunk));
    }
  }
  if (sizes.size() != call.output_count) throw Unfit();
  std::vector<Tensor> parts;
  const Dims strides = strides_of(x.dims());
  int64_t start = 0;
  for (const int64_t size : sizes) {
    Dims dims = x.dims();
    dims[axis] = size;
    if (size < 0 || start + size > x.dims()[axis]) throw Unfit();
    parts.push_back(strided_copy(x, dims, strides, start * strides[axis]));
    start += size;
  }
  return parts;
}

std::vector<Tensor> slice(const Call& call) {
  const Tensor& x = call.required(0);
  const std::vector<int64_t> starts = call.required(1).ints();
  const std::vector<int64_t> ends = call.required(2).ints();
  std::vector<int64_t> axes(starts.size());
  std::iota(axes.begin(), axes.end(), 0);
  if (const Tensor* given = call.input(3)) axes = given->ints();
  std::vector<int64_t> steps(starts.size(), 1);
  if (const Tensor* given = call.input(4)) steps = given->ints();
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) throw Unfit();
  Dims dims = x.dims();
  Dims strides = strides_of(dims);
  int64_t offset = 0;
  for (size_t i = 0; i < starts.size(); ++i) {
    const size_t axis = checked_axis(axes[i], x.rank());
    const int64_t size = x.dims()[axis];
    const int64_t step = steps[i];
    if (step == 0) throw Unfit();
    int64_t start = starts[i] < 0 ? starts[i] + size : starts[i];
    int64_t end = ends[i] < 0 ? (ends[i] < -size ? -1 : ends[i] + size) : ends[i];
    start = step > 0 ? std::clamp<int64_t>(start, 0, size) : std::clamp<int64_t>(start, 0, size - 1);
    end = step > 0 ? std::clamp<int64_t>(end, 0, size) : std::clamp<int64_t>(end, -1, size);
    const int64_t span = step > 0 ? end - start : start - end;
    const int64_t pace = step > 0 ? step : -step;
    dims[axis] = span <= 0 ? 0 : (span + pace - 1) / pace;
    offset += start * strides[axis];
    strides[axis] *= step;
  }
  if (x.dtype() == DType::kString) {
    if (x.rank() != 1) throw Unfit();
    std::vector<std::string> kept;
    for (int64_t i = 0; i < dims[0]; ++i) kept.push_back(x.strings()[static_cast<size_t>(offset + i * strides[0])]);
    return {Tensor::of_strings(dims, std::move(kept))};
  }
  return {strided_copy(x, dims, strides, offset)};
}

std::vector<Tensor> expand(const Call& call) {
  const Tensor& x = call.required(0);
  const Dims dims = broadcast_dims(x.dims(), call.required(1).ints());
  call.allow(x.dtype(), dims);
  return {strided_copy(x, dims, broadcast_strides(x.dims(), dims))};
}

// Takes element index[axis][i] of `x` along each axis; an index of -1 leaves the filler's bytes.
Tensor gather_grid(const Tensor& x, const std::vector<std::vector<int64_t>>& index, const Tensor* filler) {
  Dims dims;
  for (const auto& axis : index) dims.push_back(static_cast<int64_t>(axis.size()));
  const size_t width = element_size(x);
  const auto count = static_cast<size_t>(element_count(dims));
  std::vector<std::byte> bytes(count * width);
  const Dims strides = strides_of(x.dims());
  Dims place(dims.size(), 0);
  for (size_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    bool inside = true;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      const int64_t from = index[axis][static_cast<size_t>(place[axis])];
      inside = inside && from >= 0;
      offset += from * strides[axis];
    }
    if (inside) {
      std::memcpy(&bytes[i * width], x.bytes().data() + offset * static_cast<int64_t>(width), width);
    } else if (filler != nullptr) {
      std::memcpy(&bytes[i * width], filler->bytes().data(), width);
    }
    for (size_t axis = dims.size(); axis-- > 0;) {
      if (++place[axis] < dims[axis]) break;
      place[axis] = 0;
    }
  }
  return {x.dtype(), dims, Bytes::from_vector(std::move(bytes))};
}

std::vector<Tensor> tile(const Call& call) {
  const Tensor& x = call.required(0);
  const std::vector<int64_t> repeats = call.required(1).ints();
  if (repeats.size() != x.rank()) throw Unfit();
  Dims dims = x.dims();
  std::vector<std::vector<int64_t>> index(x.rank());
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    if (repeats[axis] < 0) throw Unfit();
    dims[axis] *= repeats[axis];
  }
  call.allow(x.dtype(), dims);
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    for (int64_t i = 0; i < dims[axis]; ++i) index[axis].push_back(i % x.dims()[axis]);
  }
  return {gather_grid(x, index, nullptr)};
}

std::vector<Tensor> pad(const Call& call) {
  const Tensor& x = call.required(0);
  const std::vector<int64_t> pads = call.required(1).ints();
  if (call.attrs.get("mode", "constant") != "constant" || call.input(3) != nullptr || pads.size() != 2 * x.rank()) {
    throw Unfit();
  }
  Dims dims = x.dims();
  for (size_t axis = 0; axis < x.rank(); ++axis) dims[axis] += pads[axis] + pads[axis + x.rank()];
  call.allow(x.dtype(), dims);
  std::vector<std::vector<int64_t>> index(x.rank());
  for (size_t axis = 0; axis < x.rank(); ++axis) {
    for (int64_t i = 0; i < dims[axis]; ++i) {
      const int64_t from = i - pads[axis];
      index[axis].push_back(from >= 0 && from < x.dims()[axis] ? from : -1);
    }
  }
  return {gather_grid(x, index, call.input(2))};
}

}  // namespace

void register_layout(EvalTable& table) {
  table["Identity"] = identity;
  table["Reshape"] = reshape;
  table["Flatten"] = flatten;
  table["Squeeze"] = squeeze;
  table["Unsqueeze"] = unsqueeze;
  table["Transpose"] = transpose;
  table["Concat"] = concat;
  table["Split"] = split;
  table["Slice"] = slice;
  table["Expand"] = expand;
  table["Tile"] = tile;
  table["Pad"] = pad;
}

}  // namespace onward::ir::eval
