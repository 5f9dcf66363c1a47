// What flows along TensorFlow's edges while a graph is translated: mostly tensors, but also what exists only at
// translation time, such as handles of variables and tables.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "formats/tensorflow/types.h"
#include "ir/builder.h"

namespace onward::importer::tf {

// A variable, table, tensor array …: what a handle points to. Two handles are the same thing when the pointers are.
struct Resource {
  enum class Kind { kVariable, kTable, kArray, kOther };
  Kind kind = Kind::kOther;
  std::string name;  // of the node that made it
  tensorflow::DataType type = tensorflow::DataType::kInvalid;
  tensorflow::DataType key_type = tensorflow::DataType::kInvalid;  // of a table
  tensorflow::PartialShape shape;
  bool reference = false;  // a v1 reference: used as a tensor, it means the value
};
using ResourcePtr = std::shared_ptr<const Resource>;

// A tensor in the checkpoint that nothing has asked for yet.
struct Stored {
  std::string key;
  std::vector<int64_t> start;  // empty: all of it
  std::vector<int64_t> length;
};

// A complex tensor: real numbers with a last dimension of 2.
struct Complex {
  ir::Value* pairs = nullptr;
};

// A list of tensors (TensorList, and the content of a TensorArray).
struct List;
using ListPtr = std::shared_ptr<const List>;

// A key or counter of TensorFlow's random generators: says how to draw, which ONNX's operators decide for themselves.
struct RandomState {};

// What could not be translated, or follows from it; the reason is already among the blockers.
struct Untranslated {};

class Item {
 public:
  Item() = default;
  Item(ir::Value* value) : data_(value) {}                                  // NOLINT(google-explicit-constructor)
  Item(ResourcePtr resource) : data_(std::move(resource)) {}                // NOLINT(google-explicit-constructor)
  Item(std::shared_ptr<const Stored> stored) : data_(std::move(stored)) {}  // NOLINT(google-explicit-constructor)
  Item(ListPtr list) : data_(std::move(list)) {}                            // NOLINT(google-explicit-constructor)
  Item(Complex complex) : data_(complex) {}                                 // NOLINT(google-explicit-constructor)
  Item(RandomState state) : data_(state) {}                                 // NOLINT(google-explicit-constructor)
  Item(Untranslated untranslated) : data_(untranslated) {}                  // NOLINT(google-explicit-constructor)

  bool is_untranslated() const { return std::holds_alternative<Untranslated>(data_); }
  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&data_);
  }
  ir::Value* tensor() const {
    const auto* value = get_if<ir::Value*>();
    return value == nullptr ? nullptr : *value;
  }
  const Resource* resource() const {
    const auto* resource = get_if<ResourcePtr>();
    return resource == nullptr ? nullptr : resource->get();
  }
  ListPtr list() const {
    const auto* list = get_if<ListPtr>();
    return list == nullptr ? nullptr : *list;
  }

 private:
  std::variant<std::monostate, ir::Value*, ResourcePtr, std::shared_ptr<const Stored>, ListPtr, Complex, RandomState,
               Untranslated>
      data_;
};
using Items = std::vector<Item>;

}  // namespace onward::importer::tf
