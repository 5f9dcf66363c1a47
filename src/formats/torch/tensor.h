// A PyTorch tensor in a file: a strided view of a storage, and the pickled calls that describe one.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "formats/array.h"
#include "formats/pickle.h"

namespace onward::torchfile {

// A quantized tensor's parameters; `scales` and `zero_points` have one item, or one for each index along `axis`.
struct Quantizer {
  std::string scheme;  // "per_tensor_affine", "per_channel_affine" …
  std::vector<double> scales;
  std::vector<double> zero_points;
  int64_t axis = 0;
};

// Copies share the storage's bytes, which are a view of the mapped file where it is stored uncompressed.
struct StridedTensor {
  std::string dtype;  // PyTorch's name without "torch."
  std::vector<int64_t> sizes;
  std::vector<int64_t> strides;  // in elements
  int64_t offset = 0;            // in elements
  Bytes storage;
  std::string storage_key;  // tensors with the same key share their storage
  bool big_endian = false;
  bool requires_grad = false;
  bool is_parameter = false;
  std::shared_ptr<const Quantizer> quantizer;

  // Throws Error(kDataLoss, "<what>: …") where a size or stride is impossible or an element lies outside the storage.
  void check(std::string_view what) const;
  bool is_contiguous() const;
  // Row-major little-endian bytes: a slice of the storage where possible. Throws Error(kResourceExhausted) where a view
  // with repeated elements would unfold to several gigabytes.
  Bytes contiguous() const;
};

// What a pickle's storage tuple says: ('storage', type, key, location, count, …).
struct StorageKey {
  std::string dtype;  // "" for an untyped storage, whose count is in bytes
  std::string key;
  std::string location;
  int64_t count = 0;
};

struct StorageBytes {
  Bytes bytes;
  bool big_endian = false;
};

// Turns the values of a torch pickle into tensors. Storages are loaded once each.
class TensorReader {
 public:
  // Gives the bytes of a storage; throws Error(kDataLoss) where it is missing or has another size.
  using Loader = std::function<StorageBytes(const StorageKey&)>;
  TensorReader(Loader loader, std::string what) : loader_(std::move(loader)), what_(std::move(what)) {}

  // For files whose persistent references name whole tensors.
  using Referrer = std::function<std::optional<StridedTensor>(const pickle::Value& id)>;
  void refer_to(Referrer referrer) { referrer_ = std::move(referrer); }

  // The tensor that `value` stands for, or nothing where it is something else.
  std::optional<StridedTensor> tensor(const pickle::Value& value) const;
  // Whether it stands for one, told without reading it.
  bool is_tensor(const pickle::Value& value) const;
  // The storage behind a persistent reference; nothing where it refers to something else.
  static std::optional<StorageKey> storage_key(const pickle::Value& value);
  // The attributes of a tensor subclass that keeps tensors of its own (torchao's quantized ones); null for other
  // objects.
  static const pickle::Value* subclass_state(const pickle::Object& object);

 private:
  std::optional<StridedTensor> rebuild(const pickle::Value& value, int depth) const;
  StridedTensor plain(const pickle::Items& args, std::string_view callable) const;
  StridedTensor quantized(const pickle::Items& args, int depth) const;
  StridedTensor strided(const StorageKey& key, const pickle::Value& offset, const pickle::Value& sizes,
                        const pickle::Value& strides, const std::string& dtype) const;

  Loader loader_;
  Referrer referrer_;
  std::string what_;
};

// "float32" for "torch.FloatStorage", "torch.cuda.FloatStorage" or "torch.float32"; "" for an untyped storage and for
// what is neither.
std::string dtype_of_storage(std::string_view global);
std::string dtype_of_global(std::string_view global);

// Integers of a tuple, list or torch.Size.
std::vector<int64_t> int_list(const pickle::Value& value);

}  // namespace onward::torchfile
