// A read-only HDF5 reader for what h5py writes (HDF5 File Format Specification 3.0).
//
// Read: superblocks 0 to 3; object headers 1 and 2; groups as symbol tables or compact links; compact attributes; fixed
// and floating-point numbers in either byte order, enums, fixed and variable-length strings; compact, contiguous and
// chunked (B-tree version 1) layouts with deflate, shuffle and Fletcher-32. Contiguous data are views of the file's own
// bytes. Everything else (dense link and attribute storage, newer chunk indexes, compounds, references, external files)
// throws Error(kUnimplemented); damage throws Error(kDataLoss). Offsets, sizes, depths and counts are checked, cycles
// are found.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "formats/array.h"

namespace onward::hdf5 {

// Whether the bytes hold an HDF5 signature at one of the places where it may stand, and are no zip archive.
bool looks_like_hdf5(ByteView file);

struct Object;

// Immutable, cheap to copy, keeps the file's bytes alive; safe to use from several threads.
class File {
 public:
  struct Impl;

  static File open(Bytes file, std::string_view what = "HDF5 file");

  // The object at `path` ("a/b/c", "" for the root), or nothing.
  std::optional<Object> find(std::string_view path) const;
  // Throws Error(kNotFound) naming the path.
  Object at(std::string_view path) const;
  // The object at `path` below a group, or nothing.
  static std::optional<Object> find_from(const Object& group, std::string_view path);

 private:
  explicit File(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// A group or a dataset.
struct Object {
  // Names of a group's members in the file's order (by name, as HDF5 keeps them); empty for a dataset.
  std::vector<std::string> members() const;
  bool is_dataset() const;
  std::optional<Object> member(std::string_view name) const;
  // A dataset's content.
  Array read() const;

  std::vector<std::string> attribute_names() const;
  // Nothing where there is no such attribute.
  std::optional<Array> attribute(std::string_view name) const;
  // A scalar string attribute, or nothing.
  std::optional<std::string> text(std::string_view name) const;

  std::shared_ptr<const File::Impl> file;
  uint64_t address = 0;
};

}  // namespace onward::hdf5
