#include "import/tensorflow/op_table.h"

#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<Op::Output> parse_outputs(std::string_view text) {
  std::vector<Op::Output> outputs;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view one = trimmed(text.substr(0, comma));
    const size_t star = std::min(one.find('*'), one.size());
    outputs.push_back(
        {std::string(one.substr(0, star)), star < one.size() ? std::string(one.substr(star + 1)) : std::string()});
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return outputs;
}

}  // namespace

Op& OpTable::entry(std::string_view signature) {
  const size_t arrow = std::min(signature.find("->"), signature.size());
  Op& op = ops_[std::string(trimmed(signature.substr(0, arrow)))];
  op = Op();
  if (arrow < signature.size()) op.outputs = parse_outputs(signature.substr(arrow + 2));
  return op;
}

void OpTable::add(std::string_view signature, Translate translate) { entry(signature).translate = translate; }
void OpTable::add(std::string_view signature, TranslateOne translate) { entry(signature).translate_one = translate; }
void OpTable::add(std::string_view signature, TranslateItems translate) {
  entry(signature).translate_items = translate;
}

void OpTable::effect(std::string_view signature, TranslateItems translate) {
  Op& op = entry(signature);
  op.translate_items = translate;
  op.effect = true;
}

void OpTable::lazy(std::string_view signature, TranslateItems translate) {
  Op& op = entry(signature);
  op.translate_items = translate;
  op.lazy = true;
}

void OpTable::ignore(std::string_view name) { entry(name).ignored = true; }

const Op* OpTable::find(std::string_view name) const {
  const auto found = ops_.find(name);
  return found == ops_.end() ? nullptr : &found->second;
}

const OpTable& op_table() {
  static const OpTable kTable = [] {
    OpTable table;
    register_activation(table);
    register_bits(table);
    register_blocks(table);
    register_boxes(table);
    register_calls(table);
    register_color(table);
    register_control_flow(table);
    register_control_flow_v1(table);
    register_convolution(table);
    register_core(table);
    register_creation(table);
    register_ctc(table);
    register_elementwise(table);
    register_indexing(table);
    register_layout(table);
    register_linear(table);
    register_linear_algebra(table);
    register_lists(table);
    register_matrix(table);
    register_normalization(table);
    register_padding(table);
    register_pooling(table);
    register_projective(table);
    register_quantization(table);
    register_ragged(table);
    register_random(table);
    register_recurrent_cells(table);
    register_reduction(table);
    register_resize(table);
    register_scattering(table);
    register_segment(table);
    register_selection(table);
    register_slicing(table);
    register_sorting(table);
    register_special(table);
    register_strings(table);
    register_tables(table);
    register_variables(table);
    register_complex(table);  // last: adds to what the others registered
    return table;
  }();
  return kTable;
}

}  // namespace onward::importer::tf
