// SavedModel folders and .meta files as plain structs.
#pragma once

#include <filesystem>

#include "formats/tensorflow/graph.h"

namespace onward::tensorflow {

// One tensor of a signature. A composite (sparse or ragged) one has components instead of a name.
struct TensorInfo {
  std::string name;  // "node:0"
  DataType type = DataType::kInvalid;
  PartialShape shape;
  std::vector<TensorInfo> components;
  bool sparse = false;  // components: indices, values, dense shape
};

struct Signature {
  std::map<std::string, TensorInfo> inputs;
  std::map<std::string, TensorInfo> outputs;
  std::string method;
};

struct Asset {
  std::string tensor;    // whose value is the file's path
  std::string filename;  // within assets/
};

// A node of the object graph, as far as variables go: children by name.
struct TrackedObject {
  struct Child {
    size_t node = 0;
    std::string name;
  };
  enum class Kind { kOther, kVariable, kAsset, kConstant };
  std::vector<Child> children;
  Kind kind = Kind::kOther;
  int32_t asset = -1;  // kAsset: index into MetaGraph::assets
  std::string name;    // kConstant: the node that holds it
};

struct MetaGraph {
  std::vector<std::string> tags;
  std::string tensorflow_version;
  Graph graph;
  std::string filename_tensor;  // of the saver; empty where there is none
  std::string restore_op;
  std::map<std::string, std::vector<std::string>> collections;  // those that list nodes
  std::map<std::string, Signature> signatures;
  std::vector<Asset> assets;
  std::vector<TrackedObject> objects;
  std::map<std::string, std::vector<int32_t>> bound_inputs;  // of each concrete function: ids of objects
};

// Parses saved_model.pb or saved_model.pbtxt of `folder`. Throws Error: kNotFound, kDataLoss.
std::vector<MetaGraph> read_saved_model(const std::filesystem::path& folder);
// A checkpoint's .meta file.
MetaGraph read_meta_graph(const Bytes& file, std::string_view what);

}  // namespace onward::tensorflow
