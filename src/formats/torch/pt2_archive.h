// A torch.export archive (.pt2): its program, its weights and constants, and the extra files beside them.
//
// Read in every form that torch.export.save has had since torch 2.5: a flat zip of JSON and pickled tensors (up
// to 2.7), the PT2 archive with pickled weights (2.8), and the one with a raw record for each storage (since 2.9).
// Nothing in it is run.
//
// Errors: kDataLoss for damaged archives, kPermissionDenied for unsafe pickles, kUnimplemented for what is no exported
// program (compiled code only) or has another major schema.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "formats/torch/checkpoint.h"
#include "formats/torch/exported_program.h"
#include "formats/torch/tensor.h"
#include "formats/zip.h"

namespace onward::torchfile {

// Cheap to copy. Weights are read when they are asked for; those that are stored raw are slices of `file`.
class Pt2Archive {
 public:
  // True where a zip's members are those of such an archive.
  static bool looks_like(const zip::Archive& archive);
  // `model`: which of the archive's programs; "" for the only one, or the one named "model".
  static Pt2Archive open(const Bytes& file, std::string_view what, std::string_view model = {});

  const std::string& what() const { return archive_.what(); }
  ExportedProgram program() const;
  // A parameter or persistent buffer by its name in the module; nothing where the archive has none.
  std::optional<StridedTensor> weight(const std::string& name) const;
  // A tensor within a weight or constant that is of a tensor subclass (torchao's quantized weights), by its attribute;
  // nothing where there is none.
  std::optional<StridedTensor> part(const std::string& name, const std::string& attribute) const;
  // A non-persistent buffer or a lifted constant; nothing where it is missing or no tensor.
  std::optional<StridedTensor> constant(const std::string& name) const;
  // All of either, in the archive's order.
  std::vector<NamedTensor> weights() const;
  std::vector<NamedTensor> constants() const;
  // What the user put beside the program (torch.export.save's extra_files).
  std::optional<Bytes> extra_file(const std::string& name) const;

 private:
  struct Payload {
    std::string path;  // of the record in the archive
    bool pickled = false;
    std::optional<TensorMeta> meta;
  };
  // One of the two tables of tensors.
  struct Table {
    std::vector<std::string> names;
    std::map<std::string, Payload> payloads;         // of a configuration
    std::map<std::string, StridedTensor> unpickled;  // of one pickled dict
  };

  explicit Pt2Archive(zip::Archive archive) : archive_(std::move(archive)) {}
  void choose_model(std::string_view wanted);
  void read_tables();
  Table read_table(const std::string& kind, const std::string& legacy) const;
  Table read_config(const Json& config, const std::string& folder) const;
  Table read_pickle(const std::string& member) const;
  std::optional<StridedTensor> find(const Table& table, const std::string& name) const;
  // The tensor of a pickled record, or those that a tensor subclass keeps, by their attributes.
  std::vector<NamedTensor> unpickle(const Payload& payload, const std::string& place) const;
  StridedTensor load(const Payload& payload, const std::string& name) const;
  std::vector<NamedTensor> all(const Table& table) const;

  zip::Archive archive_;
  std::string root_;   // "model/", or "" for a flat zip
  std::string model_;  // "" for a flat zip
  std::string program_;
  bool big_endian_ = false;
  std::shared_ptr<const Table> weights_;
  std::shared_ptr<const Table> constants_;
};

}  // namespace onward::torchfile
