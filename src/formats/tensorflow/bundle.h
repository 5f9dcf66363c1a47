// TensorBundle: a checkpoint's tensors, `<prefix>.index` (a LevelDB table) and `<prefix>.data-00000-of-00001` …
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/tensorflow/types.h"

namespace onward::tensorflow {

class Bundle {
 public:
  struct Slice {
    std::vector<int64_t> start;
    std::vector<int64_t> length;  // -1: the whole dimension
  };
  struct Entry {
    DataType type = DataType::kInvalid;
    std::vector<int64_t> shape;
    int32_t shard = 0;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint32_t crc = 0;
    std::vector<Slice> slices;  // where the tensor is kept in parts
  };

  // Reads the index and maps the shards. Throws Error: kNotFound, kDataLoss.
  static Bundle open(const std::filesystem::path& prefix);
  // From bytes, for tests: the shards in order.
  static Bundle parse(const Bytes& index, std::vector<Bytes> shards, std::string what);

  // Keys are variables' names, but for the parts of sliced tensors, which are left out.
  const std::map<std::string, Entry>& entries() const { return entries_; }
  bool contains(const std::string& key) const { return entries_.contains(key); }
  // The tensor as a view of its shard (parts are joined into memory of their own). Its checksum is verified. Throws
  // Error: kNotFound for an unknown key, kDataLoss.
  Array read(const std::string& key) const;

 private:
  Array read_entry(const Entry& entry, const std::string& what) const;
  Array join(const std::string& key, const Entry& entry) const;

  std::string what_;
  std::vector<Bytes> shards_;
  bool big_endian_ = false;
  std::map<std::string, Entry> entries_;
  std::map<std::string, Entry> parts_;  // by binary slice key
};

// `array` cut to `start` and `length` (-1: to the end) along each axis. Throws Error(kDataLoss) where that lies
// outside.
Array cut(const Array& array, const std::vector<int64_t>& start, const std::vector<int64_t>& length);

}  // namespace onward::tensorflow
