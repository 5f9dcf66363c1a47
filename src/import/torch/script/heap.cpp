#include "import/torch/script/heap.h"

#include "base/error.h"
#include "import/common/complex.h"

namespace onward::importer::script {

void Heap::Changes::merge(const Changes& other) {
  tensors.insert(other.tensors.begin(), other.tensors.end());
  lists.insert(other.lists.begin(), other.lists.end());
  dicts.insert(other.dicts.begin(), other.dicts.end());
  attributes.insert(other.attributes.begin(), other.attributes.end());
}

void Heap::remember(const TensorPtr& tensor, bool is_change) {
  if (marks_.empty()) return;
  Record record;
  record.tensor = tensor;
  record.tensor_before = *tensor;
  record.is_change = is_change;
  records_.push_back(std::move(record));
}

ir::Value* Heap::value(const TensorPtr& tensor) {
  if (!tensor->view) return tensor->value;
  ir::Value* base = value(tensor->view->base);
  if (tensor->seen != tensor->view->base->version) {
    remember(tensor, false);
    tensor->value = tensor->view->take(base);
    tensor->seen = tensor->view->base->version;
    ++tensor->version;
  }
  return tensor->value;
}

void Heap::write(const TensorPtr& tensor, ir::Value* value) {
  if (tensor->view) {
    const View& view = *tensor->view;
    if (!view.put) fail_unsupported("an in-place change of this kind of view has no form in a graph");
    ir::Value* base = this->value(view.base);
    ir::Value* changed = view.put(base, value);
    write(view.base, base->complex && changed->dtype != ir::DType::kUndefined ? as_complex(changed) : changed);
  }
  remember(tensor, true);
  tensor->value = value;
  ++tensor->version;
  if (tensor->view) tensor->seen = tensor->view->base->version;
}

void Heap::set_list(const std::shared_ptr<List>& list, List contents) {
  if (!marks_.empty()) {
    Record record;
    record.list = list;
    record.list_before = *list;
    records_.push_back(std::move(record));
  }
  const uint64_t born = list->born;
  *list = std::move(contents);
  list->born = born;
}

void Heap::set_items(const std::shared_ptr<List>& list, Items items) {
  List contents = *list;
  contents.items = std::move(items);
  set_list(list, std::move(contents));
}

void Heap::set_entries(const std::shared_ptr<Dict>& dict, std::vector<std::pair<Py, Py>> entries) {
  if (!marks_.empty()) {
    Record record;
    record.dict = dict;
    record.dict_before = *dict;
    records_.push_back(std::move(record));
  }
  dict->entries = std::move(entries);
}

void Heap::set_attribute(const std::shared_ptr<Object>& object, const std::string& name, Py value) {
  if (!marks_.empty()) {
    Record record;
    record.object = object;
    record.attribute = name;
    record.attribute_before = object->attributes[name];
    records_.push_back(std::move(record));
  }
  object->attributes[name] = std::move(value);
}

void Heap::begin() { marks_.push_back({records_.size(), next_birth()}); }

Heap::Changes Heap::changes() const {
  Changes changes;
  const uint64_t birth = marks_.back().birth;
  for (size_t i = marks_.back().record; i < records_.size(); ++i) {
    const Record& record = records_[i];
    if (record.tensor && record.is_change && !record.tensor->view && record.tensor->born < birth) {
      changes.tensors.insert(record.tensor);
    }
    if (record.list && record.list->born < birth) changes.lists.insert(record.list);
    if (record.dict && record.dict->born < birth) changes.dicts.insert(record.dict);
    if (record.object && record.object->born < birth) changes.attributes.emplace(record.object, record.attribute);
  }
  return changes;
}

void Heap::undo() {
  const size_t mark = marks_.back().record;
  marks_.pop_back();
  while (records_.size() > mark) {
    Record& record = records_.back();
    if (record.tensor) *record.tensor = std::move(record.tensor_before);
    if (record.list) *record.list = std::move(record.list_before);
    if (record.dict) *record.dict = std::move(record.dict_before);
    if (record.object) record.object->attributes[record.attribute] = std::move(record.attribute_before);
    records_.pop_back();
  }
}

void Heap::keep() {
  marks_.pop_back();
  if (marks_.empty()) records_.clear();
}

}  // namespace onward::importer::script
