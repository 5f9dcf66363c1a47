// Template bodies of passes/fold/linear.h.
#pragma once

namespace onward::passes {

template <class Index>
ir::Tensor scaled(const ir::Tensor& tensor, size_t outer, size_t middle, const std::vector<double>& factors,
                  const Index& index) {
  const size_t inner = outer * middle == 0 ? 0 : tensor.count() / (outer * middle);
  const auto fill = [&](auto read, auto write) {
    size_t at = 0;
    for (size_t o = 0; o < outer; ++o) {
      for (size_t m = 0; m < middle; ++m) {
        const double factor = factors[index(o, m)];
        for (size_t i = 0; i < inner; ++i, ++at) write(at, read(at) * factor);
      }
    }
  };
  if (tensor.dtype() == ir::DType::kFloat) {
    Buffer bytes(tensor.bytes().size());
    std::byte* target = bytes.data();
    const std::byte* source = tensor.bytes().data();
    fill(
        [&](size_t at) {
          float value;
          std::memcpy(&value, source + at * sizeof(float), sizeof(float));
          return static_cast<double>(value);
        },
        [&](size_t at, double value) {
          const auto narrow = static_cast<float>(value);
          std::memcpy(target + at * sizeof(float), &narrow, sizeof(float));
        });
    return {tensor.dtype(), tensor.dims(), std::move(bytes).share()};
  }
  std::vector<double> values = tensor.doubles();
  fill([&](size_t at) { return values[at]; }, [&](size_t at, double value) { values[at] = value; });
  return ir::Tensor::from_doubles(tensor.dtype(), tensor.dims(), values);
}

}  // namespace onward::passes
