// Operators that are others under another name: synonyms, the copies of views, __and__ and the like.
#include "import/torch/ops/families.h"

namespace onward::importer::torch {

void register_aliases(OpTable& t) {
  const std::pair<const char*, const char*> names[] = {
      {"subtract", "sub"},
      {"multiply", "mul"},
      {"divide", "div"},
      {"greater", "gt"},
      {"greater_equal", "ge"},
      {"less", "lt"},
      {"less_equal", "le"},
      {"not_equal", "ne"},
      {"arccos", "acos"},
      {"arccosh", "acosh"},
      {"arcsin", "asin"},
      {"arcsinh", "asinh"},
      {"arctan", "atan"},
      {"arctan2", "atan2"},
      {"arctanh", "atanh"},
      {"absolute", "abs"},
      {"negative", "neg"},
      {"special_exp2", "exp2"},
      {"special_expm1", "expm1"},
      {"special_expit", "sigmoid"},
      {"special_log1p", "log1p"},
      {"special_erf", "erf"},
      {"special_softmax", "softmax"},
      {"special_log_softmax", "log_softmax"},
      {"special_logsumexp", "logsumexp"},
      {"moveaxis", "movedim"},
      {"swapdims", "transpose"},
      {"concat", "cat"},
      {"concatenate", "cat"},
      {"alias_copy", "alias"},
      {"as_strided_copy", "as_strided"},
      {"detach_copy", "detach"},
      {"diagonal_copy", "diagonal"},
      {"expand_copy", "expand"},
      {"narrow_copy", "narrow"},
      {"permute_copy", "permute"},
      {"select_copy", "select"},
      {"slice_copy", "slice"},
      {"split_copy", "split"},
      {"split_with_sizes_copy", "split_with_sizes"},
      {"squeeze_copy", "squeeze"},
      {"t_copy", "t"},
      {"transpose_copy", "transpose"},
      {"unbind_copy", "unbind"},
      {"unfold_copy", "unfold"},
      {"unsqueeze_copy", "unsqueeze"},
      {"view_copy", "view"},
      {"view_as_real_copy", "view_as_real"},
      {"view_as_complex_copy", "view_as_complex"},
      {"lift_fresh_copy", "clone"},
      {"lift", "alias"},
  };
  for (const auto& [alias, name] : names) {
    const std::string full = "aten::" + std::string(alias);
    if (!t.contains(full)) t.alias(full, "aten::" + std::string(name));
  }
}

}  // namespace onward::importer::torch
