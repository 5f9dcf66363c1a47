#include "import/torch/op_table.h"

#include <algorithm>

#include "base/error.h"
#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

// How well an argument fits a parameter: 0 not at all, 1 through a conversion, 2 as it is.
int fit_one(const Arg& arg, const Parameter& parameter) {
  if (arg.is_none()) return parameter.optional || parameter.optional_items || parameter.has_default ? 2 : 0;
  switch (parameter.type) {
    case Parameter::Type::kTensor:
      return arg.is_tensor() ? 2 : arg.is_number() ? 1 : 0;
    case Parameter::Type::kScalar:
      return arg.is_number() ? 2 : arg.is_tensor() ? 1 : 0;
    case Parameter::Type::kInt:
      return arg.is_int() ? 2 : arg.is_tensor() || arg.is_bool() ? 1 : 0;
    case Parameter::Type::kFloat:
      return arg.is_float() ? 2 : arg.is_int() || arg.is_tensor() ? 1 : 0;
    case Parameter::Type::kBool:
      return arg.is_bool() ? 2 : arg.is_int() ? 1 : 0;
    case Parameter::Type::kString:
      return std::holds_alternative<std::string>(arg.data) ? 2 : 0;
    case Parameter::Type::kDType:
      return std::holds_alternative<ir::DType>(arg.data) ? 2 : arg.is_int() ? 1 : 0;
    case Parameter::Type::kDevice:
      return arg.is_tensor() || arg.is_list() ? 0 : 1;
    case Parameter::Type::kOther:
      return 1;
  }
  return 0;
}

int fit(const Arg& arg, const Parameter& parameter) {
  const Arg::List* list = arg.list();
  if (!parameter.list) return list == nullptr ? fit_one(arg, parameter) : 0;
  if (list == nullptr)
    return arg.is_none() || parameter.type != Parameter::Type::kTensor ? std::min(1, fit_one(arg, parameter)) : 0;
  int worst = 2;
  for (const Arg& item : *list) {
    const bool absent = item.is_none() && parameter.optional_items;
    worst = std::min(worst, absent ? 2 : fit_one(item, parameter));
  }
  return worst;
}

// One argument for each parameter; nothing where they don't fit.
std::optional<std::vector<Arg>> bind(const Signature& signature, const Arguments& arguments, int* score) {
  std::vector<Arg> bound;
  size_t used = 0;
  size_t position = 0;
  int total = 0;
  for (const Parameter& parameter : signature.parameters) {
    const auto keyword = std::find_if(arguments.keywords.begin(), arguments.keywords.end(),
                                      [&](const auto& entry) { return entry.first == parameter.name; });
    if (!parameter.keyword_only && position < arguments.positional.size()) {
      bound.push_back(arguments.positional[position++]);
    } else if (keyword != arguments.keywords.end()) {
      bound.push_back(keyword->second);
      ++used;
    } else if (parameter.has_default || parameter.optional) {
      bound.push_back(parameter.default_value);
      continue;
    } else {
      return std::nullopt;
    }
    const int quality = fit(bound.back(), parameter);
    if (quality == 0) return std::nullopt;
    if (quality == 1) --total;
  }
  if (position < arguments.positional.size() || used < arguments.keywords.size()) return std::nullopt;
  if (score != nullptr) *score = total;
  return bound;
}

// --- complex arguments -----------------------------------------------------------------------------------------------

// Calls `visit` with every argument, those in lists too.
template <class Visit>
void for_each_arg(std::vector<Arg>& args, const Visit& visit) {
  for (Arg& arg : args) {
    if (auto* list = std::get_if<Arg::List>(&arg.data)) {
      for_each_arg(*list, visit);
    } else {
      visit(arg);
    }
  }
}

bool is_complex(const Arg& arg) {
  const auto* tensor = std::get_if<TensorArg>(&arg.data);
  return arg.is_complex() || (tensor != nullptr && tensor->value != nullptr && tensor->value->complex);
}

// The arguments with the real or the imaginary part of what is complex.
std::vector<Arg> part_of(ir::Builder& b, const Signature& signature, std::vector<Arg> args, bool imaginary_part) {
  for (size_t i = 0; imaginary_part && i < args.size(); ++i) {  // a real number to fill with
    const Parameter& parameter = signature.parameters[i];
    const bool filler = parameter.type == Parameter::Type::kScalar || parameter.name == "value";
    if (filler && args[i].is_number() && !args[i].is_complex()) args[i] = 0.0;
  }
  for_each_arg(args, [&](Arg& arg) {
    if (const auto* number = std::get_if<std::complex<double>>(&arg.data)) {
      arg = imaginary_part ? number->imag() : number->real();
    } else if (is_complex(arg)) {
      const Complex both = parts(b, std::get<TensorArg>(arg.data).value);
      arg = TensorArg{imaginary_part ? both.im : both.re};
    } else if (auto* dtype = std::get_if<ir::DType>(&arg.data)) {
      *dtype = real_dtype(*dtype);
    } else if (const auto* tensor = std::get_if<TensorArg>(&arg.data);
               imaginary_part && tensor != nullptr && ir::is_floating(tensor->value->dtype)) {
      arg = TensorArg{b.Fill(b.Shape(tensor->value), 0, tensor->value->dtype)};  // a real operand beside complex ones
    }
  });
  return args;
}

ir::Values run(const OpTable::Entry& entry, ir::Builder& builder, std::vector<Arg> args) {
  Call call(builder, entry.signature, std::move(args));
  if (entry.translate_one != nullptr) return {entry.translate_one(call)};
  return entry.translate(call);
}

ir::Value* part(ir::Builder& b, const Arg& arg, bool imaginary_part) {
  if (const auto* number = std::get_if<std::complex<double>>(&arg.data)) {
    return b.number(imaginary_part ? number->imag() : number->real(), ir::DType::kFloat);
  }
  const Complex both = parts(b, std::get<TensorArg>(arg.data).value);
  return imaginary_part ? imaginary(b, both) : both.re;
}

// The complex ones among the factors, in order.
std::vector<Arg*> complex_factors(const OpTable::Entry& entry, std::vector<Arg>& args) {
  std::vector<Arg*> found;
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string& name = entry.signature.parameters[i].name;
    if (std::find(entry.factors.begin(), entry.factors.end(), name) == entry.factors.end()) continue;
    const auto take = [&](Arg& arg) {
      if (is_complex(arg)) found.push_back(&arg);
    };
    if (auto* list = std::get_if<Arg::List>(&args[i].data)) {
      for_each_arg(*list, take);
    } else {
      take(args[i]);
    }
  }
  return found;
}

// f(a + bi, c + di) = f(a, c) - f(b, d) + (f(a, d) + f(b, c)) i, and so for any number of factors. A bias goes once
// with a real and once with an imaginary term.
ir::Values run_products(const OpTable::Entry& entry, ir::Builder& b, const std::vector<Arg>& args) {
  std::vector<Arg> counted = args;
  const size_t factors = complex_factors(entry, counted).size();
  const Parameter* bias = entry.signature.find("bias");
  const auto bias_at = bias == nullptr ? args.size() : static_cast<size_t>(bias - entry.signature.parameters.data());
  constexpr size_t kMost = 4;
  if (factors == 0 || factors > kMost) {
    fail_unsupported("[" + entry.signature.name + "] complex numbers are not supported here");
  }
  Complex sum;
  bool biased[2] = {false, false};
  for (size_t chosen = 0; chosen < (size_t{1} << factors); ++chosen) {  // bit k: factor k by its imaginary part
    std::vector<Arg> term = args;
    const std::vector<Arg*> places = complex_factors(entry, term);
    size_t imaginary_parts = 0;
    for (size_t k = 0; k < factors; ++k) {
      const bool by_imaginary = ((chosen >> k) & 1U) != 0;
      imaginary_parts += by_imaginary ? 1 : 0;
      *places[k] = TensorArg{part(b, *places[k], by_imaginary)};
    }
    const bool is_imaginary = imaginary_parts % 2 == 1;
    const bool negative = imaginary_parts % 4 >= 2;
    if (bias_at < term.size() && !term[bias_at].is_none()) {
      Arg& own = term[bias_at];
      const bool pair = is_complex(own);
      bool& done = biased[is_imaginary ? 1 : 0];
      const bool wanted = !done && !negative && (pair || !is_imaginary);
      if (wanted && pair) own = TensorArg{part(b, own, is_imaginary)};
      if (!wanted) own = Arg();
      done = done || wanted;
    }
    ir::Value* value = run(entry, b, std::move(term)).at(0);
    ir::Value*& target = is_imaginary ? sum.im : sum.re;
    target = target == nullptr ? value : negative ? b.Sub(target, value) : b.Add(target, value);
  }
  return {join(b, sum)};
}

// A real result, asked for by dtype, of complex arguments.
bool asks_for_real(const OpTable::Entry& entry, const std::vector<Arg>& args) {
  for (size_t i = 0; i < args.size(); ++i) {
    const auto* dtype = std::get_if<ir::DType>(&args[i].data);
    if (dtype != nullptr && entry.signature.parameters[i].name == "dtype") return !ir::is_complex(*dtype);
  }
  return false;
}

ir::Values run_complex(const OpTable::Entry& entry, ir::Builder& builder, std::vector<Arg> args) {
  if (!entry.factors.empty()) return run_products(entry, builder, args);
  if (entry.by_parts) {
    if (asks_for_real(entry, args)) return run(entry, builder, part_of(builder, entry.signature, args, false));
    const ir::Values re = run(entry, builder, part_of(builder, entry.signature, args, false));
    const ir::Values im = run(entry, builder, part_of(builder, entry.signature, args, true));
    ir::Values results;
    for (size_t i = 0; i < re.size(); ++i) {
      results.push_back(ir::is_floating(re[i]->dtype) ? join(builder, {re[i], im[i]}) : re[i]);
    }
    return results;
  }
  Call call(builder, entry.signature, std::move(args));
  if (entry.complex_one != nullptr) return {entry.complex_one(call)};
  if (entry.complex != nullptr) return entry.complex(call);
  call.fail("complex numbers are not supported here");
}

// A complex result of real arguments, asked for by dtype.
ir::Values run_real(const OpTable::Entry& entry, ir::Builder& builder, std::vector<Arg> args) {
  bool complex_result = false;
  for_each_arg(args, [&](Arg& arg) {
    auto* dtype = std::get_if<ir::DType>(&arg.data);
    if (dtype == nullptr || !ir::is_complex(*dtype)) return;
    *dtype = real_dtype(*dtype);
    complex_result = true;
  });
  ir::Values results = run(entry, builder, std::move(args));
  if (complex_result) {
    for (ir::Value*& result : results) result = join(builder, {result, nullptr});
  }
  return results;
}

}  // namespace

void OpTable::add(std::string_view signature, Translate translate) {
  Entry entry;
  entry.signature = parse_signature(signature);
  entry.translate = translate;
  overloads_[entry.signature.name].push_back(std::move(entry));
}

void OpTable::add(std::string_view signature, TranslateOne translate) {
  Entry entry;
  entry.signature = parse_signature(signature);
  entry.translate_one = translate;
  overloads_[entry.signature.name].push_back(std::move(entry));
}

std::vector<OpTable::Entry>& OpTable::entries_of(const std::string& name) {
  const auto found = overloads_.find(name);
  if (found == overloads_.end()) throw Error(Code::kInternal, "no operator " + name + " is in the table");
  return found->second;
}

void OpTable::alias(const std::string& other_name, const std::string& name) {
  const std::vector<Entry> entries = entries_of(name);
  for (Entry entry : entries) {
    entry.signature.name = other_name;
    overloads_[other_name].push_back(std::move(entry));
  }
}

void OpTable::complex(const std::string& name, Translate translate) {
  for (Entry& entry : entries_of(name)) entry.complex = translate;
}
void OpTable::complex(const std::string& name, TranslateOne translate) {
  for (Entry& entry : entries_of(name)) entry.complex_one = translate;
}
void OpTable::complex_by_parts(const std::string& name) {
  for (Entry& entry : entries_of(name)) entry.by_parts = true;
}

void OpTable::complex_by_products(const std::string& name, const std::vector<std::string>& factors) {
  for (Entry& entry : entries_of(name)) entry.factors = factors;
}

const OpTable::Entry* OpTable::find(const std::string& name, const std::string& overload) const {
  const auto found = overloads_.find(name);
  if (found == overloads_.end()) return nullptr;
  for (const Entry& entry : found->second) {
    if (entry.signature.overload == overload) return &entry;
  }
  return nullptr;
}

const OpTable::Entry* OpTable::resolve(const std::string& name, const Arguments& arguments,
                                       const std::string& preferred) const {
  const auto found = overloads_.find(name);
  if (found == overloads_.end()) return nullptr;
  if (!preferred.empty()) {
    const Entry* named = find(name, preferred == "default" ? "" : preferred);
    if (named != nullptr && bind(named->signature, arguments, nullptr)) return named;
  }
  const Entry* best = nullptr;
  int best_score = 0;
  for (const Entry& entry : found->second) {
    int score = 0;
    if (!bind(entry.signature, arguments, &score)) continue;
    if (best != nullptr && score <= best_score) continue;
    best = &entry;
    best_score = score;
  }
  return best;
}

ir::Values OpTable::call(const Entry& entry, ir::Builder& builder, const Arguments& arguments) {
  std::optional<std::vector<Arg>> bound = bind(entry.signature, arguments, nullptr);
  if (!bound) fail_unsupported("[" + entry.signature.name + "] its arguments do not fit the operator's signature");
  bool complex_argument = false;
  for_each_arg(*bound, [&](const Arg& arg) { complex_argument = complex_argument || is_complex(arg); });
  if (complex_argument) return run_complex(entry, builder, std::move(*bound));
  return run_real(entry, builder, std::move(*bound));
}

const OpTable& op_table() {
  static const OpTable kTable = [] {
    OpTable table;
    register_activation(table);
    register_attention(table);
    register_backward(table);
    register_binary_functions(table);
    register_conversion(table);
    register_convolution(table);
    register_creation(table);
    register_cumulative(table);
    register_detection(table);
    register_diagonal(table);
    register_distance(table);
    register_factorization(table);
    register_fft(table);
    register_folding(table);
    register_grid(table);
    register_indexing(table);
    register_layout(table);
    register_linalg(table);
    register_linear(table);
    register_linear_systems(table);
    register_loss(table);
    register_normalization(table);
    register_order(table);
    register_packed(table);
    register_padding(table);
    register_pointwise(table);
    register_pooling(table);
    register_quantized(table);
    register_quantized_blocks(table);
    register_random(table);
    register_recurrent(table);
    register_reduction(table);
    register_resize(table);
    register_scatter(table);
    register_sorting(table);
    register_special_functions(table);
    register_special_gamma(table);
    register_spectra(table);
    register_stacking(table);
    register_stft(table);
    register_transformer(table);
    register_unary_functions(table);
    register_unpooling(table);
    register_complex(table);
    register_aliases(table);
    return table;
  }();
  return kTable;
}

}  // namespace onward::importer::torch
