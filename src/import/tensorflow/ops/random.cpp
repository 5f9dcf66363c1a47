// Random numbers: RandomStandardNormal, StatelessRandomUniformV2, StatefulStandardNormalV2 … Every run draws anew:
// seeds, keys, counters and generators' states are not kept.
#include "import/common/random.h"

#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::DType;
using ir::Value;
using Draw = Value* (*)(ir::Builder&, Value* shape, DType);

constexpr size_t kStatefulShape = 2;  // after the generator and the algorithm

// RandomUniform(shape: T; dtype: type) -> output; StatelessRandomUniform(shape, seed) …
template <Draw Generator, size_t Shape>
Value* drawn(Call& c) {
  return Generator(c.b, as_vector(c.b, c.input(Shape)), c.dtype("dtype", tensorflow::DataType::kFloat));
}

// RandomUniformInt(shape, minval, maxval), and with a seed or a key, a counter and an algorithm in between
template <size_t Shape, size_t Bounds>
Value* uniform_int(Call& c) {
  Value* low = c.input(Bounds);
  return random::integers(c.b, as_vector(c.b, c.input(Shape)), low, c.input(Bounds + 1), low->dtype);
}

// Every number of the type. Those of 64 bits are made of two of 32.
template <size_t Shape>
Value* full_int(Call& c) {
  ir::Builder& b = c.b;
  const DType dtype = c.dtype("dtype");
  Value* shape = as_vector(b, c.input(Shape));
  const auto bits = [&] {
    return random::integers(b, shape, b.i64(-(int64_t{1} << 31)), b.i64(int64_t{1} << 31), DType::kInt64);
  };
  Value* low = bits();
  if (ir::dtype_bits(dtype) < 64) return b.Cast(low, dtype);
  return b.Cast(b.Add(b.Mul(bits(), b.i64(int64_t{1} << 32)), low), dtype);
}

// Multinomial(logits: T, num_samples: int32; output_dtype: type) -> output
Value* multinomial(Call& c) {
  Value* count = as_scalar(c.b, c.b.Cast(c.input(1), DType::kInt64));
  return c.b.Cast(random::classes(c.b, c.input(0), count, true), c.dtype("output_dtype", tensorflow::DataType::kInt64));
}

// RandomShuffle(value: T) -> output
Value* shuffle(Call& c) { return c.b.Gather(c.input(0), random::permutation(c.b, c.b.dim_scalar(c.input(0), 0)), 0); }

// StatelessRandomGetKeyCounter(seed: Tseed) -> key, counter
Items key_counter(Call&) { return {RandomState{}, RandomState{}}; }
// StatelessRandomGetAlg() -> alg; 1: Philox, which TensorFlow takes on a CPU
Value* algorithm(Call& c) { return c.b.constant(ir::Tensor::from_ints(DType::kInt32, {}, {1})); }
Items key_counter_algorithm(Call& c) { return {RandomState{}, RandomState{}, algorithm(c)}; }
// RngReadAndSkip(resource, alg: int32, delta: uint64) -> value: the generator's state before
Items read_and_skip(Call& c) { return {variable_content(c, c.resource(0))}; }

template <size_t Shape>
void add_family(OpTable& t, const std::string& uniform, const std::string& normal, const std::string& truncated) {
  t.add(uniform, drawn<random::uniform, Shape>);
  t.add(normal, drawn<random::normal, Shape>);
  t.add(truncated, drawn<random::truncated_normal, Shape>);
}

}  // namespace

void register_random(OpTable& t) {
  add_family<0>(t, "RandomUniform", "RandomStandardNormal", "TruncatedNormal");
  t.add("RandomUniformInt", uniform_int<0, 1>);
  t.add("Multinomial", multinomial);
  t.add("RandomShuffle", shuffle);
  add_family<0>(t, "StatelessRandomUniform", "StatelessRandomNormal", "StatelessTruncatedNormal");
  t.add("StatelessRandomUniformInt", uniform_int<0, 2>);
  t.add("StatelessRandomUniformFullInt", full_int<0>);
  t.add("StatelessMultinomial", multinomial);
  add_family<0>(t, "StatelessRandomUniformV2", "StatelessRandomNormalV2", "StatelessTruncatedNormalV2");
  t.add("StatelessRandomUniformIntV2", uniform_int<0, 4>);
  t.add("StatelessRandomUniformFullIntV2", full_int<0>);
  t.add("StatelessRandomGetKeyCounter -> key, counter", key_counter);
  t.add("StatelessRandomGetAlg", algorithm);
  t.add("StatelessRandomGetKeyCounterAlg -> key, counter, alg", key_counter_algorithm);
  add_family<kStatefulShape>(t, "StatefulUniform", "StatefulStandardNormalV2", "StatefulTruncatedNormal");
  t.add("StatefulUniformInt", uniform_int<kStatefulShape, kStatefulShape + 1>);
  t.add("StatefulUniformFullInt", full_int<kStatefulShape>);
  t.add("RngReadAndSkip", read_and_skip);
  t.ignore("RngSkip");
}

}  // namespace onward::importer::tf
