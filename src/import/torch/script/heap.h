// Everything in a program that can change: tensors, lists, dicts and attributes. All changes go through here, so that
// the two branches of a condition, or a loop's body, can be tried and taken back.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "import/torch/script/value.h"

namespace onward::importer::script {

class Heap {
 public:
  // What happened since `begin` to objects that existed before it.
  struct Changes {
    std::set<TensorPtr> tensors;  // never views: a change of a view is one of its base
    std::set<std::shared_ptr<List>> lists;
    std::set<std::shared_ptr<Dict>> dicts;
    std::set<std::pair<std::shared_ptr<Object>, std::string>> attributes;
    void merge(const Changes& other);
  };

  // The tensor's value now, taken again of its base where that has changed.
  ir::Value* value(const TensorPtr& tensor);
  // Gives the tensor (and the bases it is a view of) a new value. Throws Error(kUnimplemented) for a view that can't be
  // written through.
  void write(const TensorPtr& tensor, ir::Value* value);
  void set_list(const std::shared_ptr<List>& list, List contents);
  void set_items(const std::shared_ptr<List>& list, Items items);  // keeps what is stacked
  void set_entries(const std::shared_ptr<Dict>& dict, std::vector<std::pair<Py, Py>> entries);
  void set_attribute(const std::shared_ptr<Object>& object, const std::string& name, Py value);

  // Begins to record; what `undo` puts back and `changes` tells is what came after the last begin. Nests.
  void begin();
  Changes changes() const;
  void undo();
  // Ends the recording without taking anything back.
  void keep();

 private:
  struct Record {
    TensorPtr tensor;
    TensorBox tensor_before;
    std::shared_ptr<List> list;
    List list_before;
    std::shared_ptr<Dict> dict;
    Dict dict_before;
    std::shared_ptr<Object> object;
    std::string attribute;
    Py attribute_before;
    bool is_change = true;
  };
  void remember(const TensorPtr& tensor, bool is_change);

  std::vector<Record> records_;
  struct Mark {
    size_t record = 0;
    uint64_t birth = 0;
  };
  std::vector<Mark> marks_;
};

}  // namespace onward::importer::script
