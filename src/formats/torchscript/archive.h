// A TorchScript archive (torch.jit.save): its code, its object graph, its constants, and the map back to the user's own
// source. Nothing is run.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/pickle.h"
#include "formats/torch/tensor.h"
#include "formats/torchscript/ast.h"
#include "formats/zip.h"

namespace onward::torchscript {

// A file under code/, parsed, with its source map.
class CodeFile {
 public:
  CodeFile(std::string path, Bytes code, Bytes debug, std::string_view what);

  const std::string& path() const { return path_; }
  const Unit& unit() const { return unit_; }
  // Where the user wrote what was printed at `offset`: "model.py:31: x = self.conv(x)" for scripts,
  // "model.py:31 in forward" for traces; "" where the file does not say.
  std::string source(uint32_t offset) const;

 private:
  struct Range {
    int64_t bytes = 0;
    std::string source;
  };
  void read_debug(const Bytes& debug);

  std::string path_;
  Bytes code_;
  Unit unit_;
  std::vector<Range> ranges_;  // sorted by `bytes`
};

// A tensor input of a trace: what the archive tells of the example that was traced.
struct TracedInput {
  std::string dtype;
  std::vector<int64_t> sizes;
};

// Immutable but for the lazily parsed code; not thread safe.
class Archive {
 public:
  // True where a zip holds constants.pkl or code/ beside data.pkl.
  static bool looks_like(const zip::Archive& archive);
  static Archive open(const Bytes& file, std::string_view what);

  const std::string& what() const { return what_; }
  // The module's object graph; tensors are read with `tensors()`.
  const pickle::Value& root() const { return data_.root(); }
  const torchfile::TensorReader& tensors() const { return *tensors_; }
  // CONSTANTS.c0, c1, …; tensors among them are read with `constant_tensors()`.
  const pickle::Items& constants() const;
  const torchfile::TensorReader& constant_tensors() const { return *constant_tensors_; }

  // The file that defines "__torch__.a.b.Name"; nullptr where the archive has none.
  const CodeFile* file_of(const std::string& qualified) const;
  struct ClassRef {
    const Class* definition = nullptr;
    const CodeFile* file = nullptr;
  };
  struct FunctionRef {
    const Function* definition = nullptr;
    const CodeFile* file = nullptr;
  };
  // A file that was saved beside the module (torch.jit.save's _extra_files); nothing where there is none.
  std::optional<Bytes> extra_file(const std::string& name) const;

  // Empty references where there is no such class or function.
  ClassRef find_class(const std::string& qualified) const;
  FunctionRef find_function(const std::string& qualified) const;

  // The example inputs of a traced method, where the archive keeps them; one item an argument behind self, empty for
  // what is no tensor.
  const std::vector<std::optional<TracedInput>>* traced_inputs(const std::string& method) const;

 private:
  Archive(zip::Archive archive, std::string root, std::string_view what);
  void read_traced_inputs();

  zip::Archive archive_;
  std::string root_;
  std::string what_;
  pickle::Document data_;
  pickle::Document constants_;
  std::shared_ptr<const torchfile::TensorReader> tensors_;
  std::shared_ptr<const torchfile::TensorReader> constant_tensors_;
  std::map<std::string, std::vector<std::optional<TracedInput>>> traced_;
  mutable std::map<std::string, std::shared_ptr<const CodeFile>> files_;
};

// The list, dict or tuple inside what TorchScript's pickler tags with a type (build_intlist, restore_type_tag); the
// value itself for anything else.
const pickle::Value& untagged(const pickle::Value& value);

}  // namespace onward::torchscript
