// Random numbers: rand, randn, randint, normal, bernoulli, multinomial … Every run draws anew; generators and their
// seeds are not kept. In-place forms come as the functional ones, but for
// those whose arguments mean something else.
#include "import/common/random.h"

#include <numbers>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;
using Draw = Value* (*)(ir::Builder&, Value* shape, DType);

// The dtype asked for, else that of self where there is one.
DType wanted(Call& c) {
  if (c.has("dtype") && c.given("dtype")) return *c.dtype();
  return c.has("self") ? c.tensor("self")->dtype : DType::kFloat;
}
Value* wanted_shape(Call& c) { return c.has("size") ? c.int_vector("size") : c.b.Shape(c.tensor("self")); }

template <Draw Generator>
Value* drawn(Call& c) {
  return Generator(c.b, wanted_shape(c), wanted(c));
}

// randint(high, size), randint.low(low, high, size), randint_like …
Value* randint(Call& c) {
  Value* low = c.has("low") ? c.int_scalar("low") : c.b.i64(0);
  Value* high = c.signature().name.find(".Tensor") != std::string::npos ? c.tensor("high") : c.int_scalar("high");
  return random::integers(c.b, wanted_shape(c), low, high, wanted(c));
}
// aten::random.from(Tensor self, int from, int? to); without bounds all that the type counts exactly
Value* random_integers(Call& c) {
  const DType dtype = c.tensor("self")->dtype;
  const int exact = dtype == DType::kDouble ? 53 : dtype == DType::kFloat ? 24 : dtype == DType::kFloat16 ? 11 : 8;
  const int bits = ir::is_floating(dtype) ? exact : static_cast<int>(ir::dtype_bits(dtype)) - 1;
  const bool bounded = c.has("to") && c.given("to");
  c.require(bounded || bits < 63, "64 random bits cannot be drawn; give an upper bound");
  Value* low = c.has("from") ? c.int_scalar("from") : c.b.i64(0);
  Value* high = bounded ? c.int_scalar("to") : c.b.i64(int64_t{1} << bits);
  return random::integers(c.b, wanted_shape(c), low, high, dtype);
}

// aten::normal.Tensor_Tensor(Tensor mean, Tensor std): as large as both together
Value* normal(Call& c) {
  ir::Builder& b = c.b;
  const bool mean_is_tensor = c.arg("mean").is_tensor();
  const bool std_is_tensor = c.arg("std").is_tensor();
  const DType dtype = c.has("size") || c.has("self") ? wanted(c)
                      : mean_is_tensor               ? c.tensor("mean")->dtype
                                                     : c.tensor("std")->dtype;
  Value* mean = mean_is_tensor ? b.Cast(c.tensor("mean"), dtype) : c.scalar("mean", dtype);
  Value* deviation = std_is_tensor ? b.Cast(c.tensor("std"), dtype) : c.scalar("std", dtype);
  Value* shape = c.has("size") || c.has("self") ? wanted_shape(c) : b.Shape(b.Add(mean, deviation));
  return b.Add(mean, b.Mul(deviation, random::normal(b, shape, dtype)));
}
Value* log_normal(Call& c) { return c.b.Exp(normal(c)); }

// aten::uniform(Tensor self, float from=0., float to=1.)
Value* uniform(Call& c) {
  const DType dtype = wanted(c);
  Value* from = c.scalar("from", dtype);
  Value* range = c.b.Sub(c.scalar("to", dtype), from);
  return c.b.Add(from, c.b.Mul(range, random::uniform(c.b, wanted_shape(c), dtype)));
}

// aten::bernoulli(Tensor self): self is the probability; the others' is p
Value* bernoulli(Call& c) {
  Value* x = c.tensor("self");
  Value* p = !c.has("p") ? x : c.arg("p").is_tensor() ? c.tensor("p") : c.scalar("p", DType::kDouble);
  return c.b.Cast(random::events(c.b, c.b.Shape(x), p), x->dtype);
}

// aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False): weights, not their logarithms
Value* multinomial(Call& c) {
  Value* logits = c.b.Log(c.b.Cast(c.tensor("self"), DType::kDouble));
  return random::classes(c.b, logits, c.int_scalar("num_samples"), c.flag("replacement"));
}
Value* randperm(Call& c) {
  return c.b.Cast(random::permutation(c.b, c.int_scalar("n")), c.dtype().value_or(DType::kInt64));
}

// Of numbers above 0 and up to 1, in double.
Value* positive(Call& c) {
  return c.b.Sub(c.b.number(1, DType::kDouble), random::uniform(c.b, wanted_shape(c), DType::kDouble));
}
// aten::exponential(Tensor self, float lambd=1.)
Value* exponential(Call& c) {
  return c.b.Cast(c.b.Div(c.b.Neg(c.b.Log(positive(c))), c.scalar("lambd", DType::kDouble)), wanted(c));
}
// aten::geometric(Tensor self, float p): the number of the first success
Value* geometric(Call& c) {
  Value* failures = c.b.Log(c.b.Sub(c.b.number(1, DType::kDouble), c.scalar("p", DType::kDouble)));
  return c.b.Cast(c.b.Max(c.b.Ceil(c.b.Div(c.b.Log(positive(c)), failures)), 1), wanted(c));
}
// aten::cauchy(Tensor self, float median=0., float sigma=1.)
Value* cauchy(Call& c) {
  const DType dtype = wanted(c);
  Value* angle = c.b.Mul(c.b.Sub(random::uniform(c.b, wanted_shape(c), dtype), 0.5), std::numbers::pi);
  return c.b.Add(c.scalar("median", dtype), c.b.Mul(c.scalar("sigma", dtype), c.b.Tan(angle)));
}

constexpr const char* kOptions =
    "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None";

void register_sized(OpTable& t, const std::string& generator_infix, const std::string& generator) {
  const std::string end = ", *, " + generator + kOptions + ") -> Tensor";
  const std::string end_like = ", *, " + generator + kOptions + ", MemoryFormat? memory_format=None) -> Tensor";
  const std::string end_int = ", *, " + generator +
                              "ScalarType? dtype=long, Layout? layout=None, Device? device=None, bool? "
                              "pin_memory=None) -> Tensor";
  // "rand" or "rand.generator", "randint.low" or "randint.low_generator".
  const auto name = [&](const std::string& base, const std::string& overload = {}) {
    const std::string joined = overload + (overload.empty() || generator_infix.empty() ? "" : "_") + generator_infix;
    return "aten::" + base + (joined.empty() ? "" : "." + joined);
  };
  t.add(name("rand") + "(SymInt[] size" + end, drawn<random::uniform>);
  t.add(name("randn") + "(SymInt[] size" + end, drawn<random::normal>);
  t.add(name("rand_like") + "(Tensor self" + end_like, drawn<random::uniform>);
  t.add(name("randn_like") + "(Tensor self" + end_like, drawn<random::normal>);
  t.add(name("randint") + "(SymInt high, SymInt[] size" + end_int, randint);
  t.add(name("randint", "low") + "(SymInt low, SymInt high, SymInt[] size" + end_int, randint);
  t.add(name("randint_like") + "(Tensor self, SymInt high" + end_like, randint);
  t.add(name("randint_like", "Tensor") + "(Tensor self, Tensor high" + end_like, randint);
  const char* low = generator_infix.empty() ? "low_dtype" : "low_generator_dtype";
  t.add("aten::randint_like." + std::string(low) + "(Tensor self, SymInt low, SymInt high" + end_like, randint);
  t.add(name("randperm") + "(SymInt n" + end_int, randperm);
}

}  // namespace

void register_random(OpTable& t) {
  register_sized(t, "", "");
  register_sized(t, "generator", "Generator? generator, ");
  const std::string end = ", *, Generator? generator=None) -> Tensor";
  t.add("aten::normal.Tensor_float(Tensor mean, float std=1." + end, normal);
  t.add("aten::normal.float_Tensor(float mean, Tensor std" + end, normal);
  t.add("aten::normal.Tensor_Tensor(Tensor mean, Tensor std" + end, normal);
  t.add("aten::normal.float_float(float mean, float std, SymInt[] size, *, Generator? generator=None, " +
            std::string(kOptions) + ") -> Tensor",
        normal);
  const std::string moments = "(Tensor self, float mean=0., float std=1." + end;
  t.add("aten::normal_functional" + moments, normal);
  t.add("aten::normal_" + moments, normal);
  t.add("aten::log_normal(Tensor self, float mean=1., float std=2." + end, log_normal);
  t.add("aten::uniform(Tensor self, float from=0., float to=1." + end, uniform);
  t.add("aten::bernoulli(Tensor self" + end, bernoulli);
  t.add("aten::bernoulli.p(Tensor self, float p" + end, bernoulli);
  t.add("aten::bernoulli_.float(Tensor self, float p=0.5" + end, bernoulli);
  t.add("aten::bernoulli_.Tensor(Tensor self, Tensor p" + end, bernoulli);
  t.add("aten::bernoulli.Tensor(Tensor self, Tensor p" + end, bernoulli);
  t.add("aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False" + end, multinomial);
  t.add("aten::exponential(Tensor self, float lambd=1." + end, exponential);
  t.add("aten::geometric(Tensor self, float p" + end, geometric);
  t.add("aten::cauchy(Tensor self, float median=0., float sigma=1." + end, cauchy);
  t.add("aten::random.from(Tensor self, int from, int? to" + end, random_integers);
  t.add("aten::random.to(Tensor self, int to" + end, random_integers);
  t.add("aten::random(Tensor self" + end, random_integers);
}

}  // namespace onward::importer::torch
