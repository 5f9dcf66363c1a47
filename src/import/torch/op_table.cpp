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

}  // namespace

void OpTable::add(std::string_view signature, Translate translate) {
  Entry entry{parse_signature(signature), translate, nullptr};
  overloads_[entry.signature.name].push_back(std::move(entry));
}

void OpTable::add(std::string_view signature, TranslateOne translate) {
  Entry entry{parse_signature(signature), nullptr, translate};
  overloads_[entry.signature.name].push_back(std::move(entry));
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
  Call call(builder, entry.signature, std::move(*bound));
  if (entry.translate_one != nullptr) return {entry.translate_one(call)};
  return entry.translate(call);
}

const OpTable& op_table() {
  static const OpTable kTable = [] {
    OpTable table;
    register_activation(table);
    register_attention(table);
    register_conversion(table);
    register_convolution(table);
    register_creation(table);
    register_indexing(table);
    register_layout(table);
    register_linear(table);
    register_normalization(table);
    register_padding(table);
    register_pointwise(table);
    register_pooling(table);
    register_recurrent(table);
    register_reduction(table);
    register_resize(table);
    register_sorting(table);
    register_transformer(table);
    return table;
  }();
  return kTable;
}

}  // namespace onward::importer::torch
