#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/buffer.h"
#include "ir/eval/table.h"

namespace onward::ir::eval {
namespace {

struct Axis {
  int64_t size = 1;
  int64_t from = 0;  // strides in elements
  int64_t to = 0;
};

// The axes to walk, in the target's order: without those of size 1, and with neighbours that are contiguous in both
// tensors as one.
std::vector<Axis> walked_axes(const Dims& dims, const Dims& strides) {
  std::vector<Axis> axes;
  const Dims targets = strides_of(dims);
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    const Axis axis{dims[i], strides[i], targets[i]};
    if (!axes.empty() && axes.back().from == axis.from * axis.size) {
      axes.back() = {axes.back().size * axis.size, axis.from, axis.to};
    } else {
      axes.push_back(axis);
    }
  }
  if (axes.empty()) axes.push_back({1, 1, 1});
  return axes;
}

// Calls row(from, to) for every combination of indices of `axes`.
template <class Row>
void for_each_row(const std::vector<Axis>& axes, const Row& row) {
  std::vector<int64_t> index(axes.size(), 0);
  int64_t from = 0;
  int64_t to = 0;
  while (true) {
    row(from, to);
    size_t axis = axes.size();
    for (; axis > 0; --axis) {
      const Axis& moved = axes[axis - 1];
      from += moved.from;
      to += moved.to;
      if (++index[axis - 1] < moved.size) break;
      from -= moved.from * moved.size;
      to -= moved.to * moved.size;
      index[axis - 1] = 0;
    }
    if (axis == 0) return;
  }
}

// The last axis of the target element by element, or whole where the source has it in one piece.
template <size_t Width>
void copy_rows(const std::byte* source, std::byte* target, std::vector<Axis> axes) {
  constexpr auto kWidth = static_cast<int64_t>(Width);
  const Axis last = axes.back();
  axes.pop_back();
  for_each_row(axes, [&](int64_t from, int64_t to) {
    if (last.from == 1) {
      std::memcpy(target + to * kWidth, source + from * kWidth, static_cast<size_t>(last.size) * Width);
      return;
    }
    for (int64_t i = 0; i < last.size; ++i) {
      std::memcpy(target + (to + i) * kWidth, source + (from + i * last.from) * kWidth, Width);
    }
  });
}

// A transposition: `across` is in one piece in the source, and what the target has inside it, `inside`, is not. Strips
// of a few cache lines of the source are turned in a buffer, so that both sides are read and written in longer
// pieces.
template <size_t Width>
class Strips {
 public:
  Strips(const std::byte* source, std::byte* target, const Axis& across, std::vector<Axis> inside)
      : source_(source), target_(target), across_(across), last_(inside.back()), inside_(std::move(inside)) {
    inside_.pop_back();
  }

  void copy(int64_t from, int64_t to) {
    for (int64_t start = 0; start < across_.size; start += kTile) {
      count_ = std::min(kTile, across_.size - start);
      at_ = target_ + (to + start * across_.to) * kWidth;
      for_each_row(inside_, [&](int64_t row, int64_t) {
        for (int64_t i = 0; i < last_.size; ++i) add(source_ + (from + start + row + i * last_.from) * kWidth);
      });
      flush();
    }
  }

 private:
  static constexpr auto kWidth = static_cast<int64_t>(Width);
  static constexpr int64_t kTile = 256 / kWidth;
  static constexpr int64_t kRun = 64;

  void add(const std::byte* read) {
    for (int64_t j = 0; j < count_; ++j) std::memcpy(&buffer_[j][filled_ * kWidth], read + j * kWidth, Width);
    if (++filled_ == kRun) flush();
  }
  void flush() {
    for (int64_t j = 0; j < count_; ++j) {
      std::memcpy(at_ + j * across_.to * kWidth, buffer_[j].data(), static_cast<size_t>(filled_) * Width);
    }
    at_ += filled_ * kWidth;
    filled_ = 0;
  }

  const std::byte* source_;
  std::byte* target_;
  Axis across_;
  Axis last_;
  std::vector<Axis> inside_;
  std::array<std::array<std::byte, (kRun + 1) * Width>, static_cast<size_t>(kTile)> buffer_{};
  int64_t count_ = 0;
  int64_t filled_ = 0;
  std::byte* at_ = nullptr;
};

// With a fixed element width, so that the compiler sees copies of a constant size.
template <size_t Width>
void copy(const std::byte* source, std::byte* target, const std::vector<Axis>& axes) {
  const auto across =
      std::find_if(axes.begin(), axes.end(), [](const Axis& axis) { return axis.from == 1 && axis.size >= 4; });
  if (across == axes.end() || across + 1 == axes.end()) {
    copy_rows<Width>(source, target, axes);
    return;
  }
  Strips<Width> strips(source, target, *across, {across + 1, axes.end()});
  for_each_row({axes.begin(), across}, [&](int64_t from, int64_t to) { strips.copy(from, to); });
}

}  // namespace

Tensor strided_copy(const Tensor& source, const Dims& dims, const Dims& strides, int64_t start) {
  const size_t width = element_size(source);
  const auto count = static_cast<size_t>(element_count(dims));
  Buffer bytes(count * width);
  if (count > 0) {
    const std::vector<Axis> axes = walked_axes(dims, strides);
    const std::byte* from = source.bytes().data() + start * static_cast<int64_t>(width);
    switch (width) {
      case 1:
        copy<1>(from, bytes.data(), axes);
        break;
      case 2:
        copy<2>(from, bytes.data(), axes);
        break;
      case 4:
        copy<4>(from, bytes.data(), axes);
        break;
      case 8:
        copy<8>(from, bytes.data(), axes);
        break;
      default:
        copy<16>(from, bytes.data(), axes);
    }
  }
  return {source.dtype(), dims, std::move(bytes).share()};
}

}  // namespace onward::ir::eval
