#include "runtime/prepared_run.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

namespace onward::runtime {
namespace {

constexpr size_t kMostBytes = 4096;  // of one tensor: copying it must cost next to nothing
constexpr size_t kMostKept = 16;

// What a model's symbols stand for with these inputs.
std::map<std::string, int64_t> symbols_of(std::span<const ValueInfo> infos, std::span<const ir::Tensor> inputs) {
  std::map<std::string, int64_t> symbols;
  for (size_t i = 0; i < infos.size(); ++i) {
    for (size_t j = 0; j < infos[i].shape.size(); ++j) {
      if (infos[i].shape[j].is_symbol()) symbols.emplace(infos[i].shape[j].symbol(), inputs[i].dims()[j]);
    }
  }
  return symbols;
}

std::optional<ir::Dims> dims_with(const ir::Shape& shape, const std::map<std::string, int64_t>& symbols) {
  ir::Dims dims;
  for (const ir::Dim& dim : shape) {
    const auto known = symbols.find(dim.symbol());
    if (!dim.is_known() && known == symbols.end()) return std::nullopt;
    dims.push_back(dim.is_known() ? dim.value() : known->second);
  }
  return dims;
}

bool same_dims(std::span<const ir::Tensor> tensors, const std::vector<ir::Dims>& dims) {
  return std::equal(tensors.begin(), tensors.end(), dims.begin(), dims.end(),
                    [](const ir::Tensor& tensor, const ir::Dims& other) { return tensor.dims() == other; });
}

bool small(std::span<const ir::Tensor> tensors) {
  return !tensors.empty() && std::all_of(tensors.begin(), tensors.end(),
                                         [](const ir::Tensor& tensor) { return tensor.bytes().size() <= kMostBytes; });
}

}  // namespace

std::optional<PreparedRun::Slot> PreparedRun::slot_for(const ValueInfo& info, ir::Dims dims) {
  const size_t bits = info.dtype == ir::DType::kString ? 0 : ir::dtype_bits(info.dtype);
  const auto count = static_cast<size_t>(ir::element_count(dims));
  if (bits < 8 || count == 0 || count > kMostBytes * 8 / bits) return std::nullopt;
  const size_t size = count * bits / 8;
  return Slot{info.dtype, std::move(dims), std::make_unique<std::byte[]>(size), size};
}

std::unique_ptr<PreparedRun> PreparedRun::make(Ort::Session& session, std::span<const ValueInfo> inputs,
                                               std::span<const ValueInfo> outputs,
                                               std::span<const ir::Tensor> example) {
  std::vector<Slot> slots;
  const auto add = [&slots](const ValueInfo& info, std::optional<ir::Dims> dims) {
    auto slot = dims ? slot_for(info, std::move(*dims)) : std::nullopt;
    if (slot) slots.push_back(std::move(*slot));
    return slot.has_value();
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!add(inputs[i], example[i].dims())) return nullptr;
  }
  const auto symbols = symbols_of(inputs, example);
  for (const ValueInfo& output : outputs) {
    if (!add(output, dims_with(output.shape, symbols))) return nullptr;
  }
  std::unique_ptr<PreparedRun> run(new PreparedRun(session));
  const Ort::MemoryInfo memory = Ort::MemoryInfo::CreateCpu(OrtDeviceAllocator, OrtMemTypeDefault);
  const auto value = [&memory](const Slot& slot) {
    return Ort::Value::CreateTensor(memory, slot.bytes.get(), slot.size, slot.dims.data(), slot.dims.size(),
                                    static_cast<ONNXTensorElementDataType>(slot.dtype));
  };
  for (size_t i = 0; i < slots.size(); ++i) {
    const bool is_input = i < inputs.size();
    if (is_input) {
      run->binding_.BindInput(inputs[i].name.c_str(), value(slots[i]));
    } else {
      run->binding_.BindOutput(outputs[i - inputs.size()].name.c_str(), value(slots[i]));
    }
    (is_input ? run->inputs_ : run->outputs_).push_back(std::move(slots[i]));
  }
  return run;
}

bool PreparedRun::same(std::span<const ir::Tensor> tensors, std::span<const Slot> slots) {
  return std::equal(tensors.begin(), tensors.end(), slots.begin(), slots.end(),
                    [](const ir::Tensor& tensor, const Slot& slot) {
                      return tensor.dtype() == slot.dtype && tensor.dims() == slot.dims;
                    });
}

bool PreparedRun::suits(std::span<const ir::Tensor> inputs) const { return same(inputs, inputs_); }
bool PreparedRun::gives(std::span<const ir::Tensor> outputs) const { return same(outputs, outputs_); }

std::vector<ir::Tensor> PreparedRun::run(Ort::Session& session, const Ort::RunOptions& options,
                                         std::span<const ir::Tensor> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::memcpy(inputs_[i].bytes.get(), inputs[i].bytes().data(), inputs_[i].size);
  }
  session.Run(options, binding_);
  std::vector<ir::Tensor> results;
  results.reserve(outputs_.size());
  for (const Slot& slot : outputs_) {
    const auto copy = std::make_shared_for_overwrite<std::byte[]>(slot.size);
    std::memcpy(copy.get(), slot.bytes.get(), slot.size);
    results.emplace_back(slot.dtype, slot.dims, Bytes({copy.get(), slot.size}, copy));
  }
  return results;
}

std::unique_ptr<PreparedRun> PreparedRuns::take(std::span<const ir::Tensor> inputs) {
  if (!small(inputs)) return nullptr;
  const std::lock_guard lock(mutex_);
  const auto found = std::find_if(free_.rbegin(), free_.rend(),
                                  [&](const std::unique_ptr<PreparedRun>& run) { return run->suits(inputs); });
  if (found == free_.rend()) return nullptr;
  std::unique_ptr<PreparedRun> run = std::move(*found);
  free_.erase(std::next(found).base());
  return run;
}

void PreparedRuns::learn(Ort::Session& session, std::span<const ValueInfo> input_infos,
                         std::span<const ValueInfo> output_infos, std::span<const ir::Tensor> inputs,
                         std::span<const ir::Tensor> outputs) {
  if (given_up_.load(std::memory_order_relaxed) || !small(inputs)) return;
  {
    const std::lock_guard lock(mutex_);
    if (!same_dims(inputs, seen_)) {
      seen_.clear();
      for (const ir::Tensor& input : inputs) seen_.push_back(input.dims());
      return;
    }
  }
  std::unique_ptr<PreparedRun> run = PreparedRun::make(session, input_infos, output_infos, inputs);
  if (run == nullptr) return;
  if (run->gives(outputs)) return give_back(std::move(run));
  given_up_.store(true, std::memory_order_relaxed);
}

void PreparedRuns::give_back(std::unique_ptr<PreparedRun> run) {
  std::unique_ptr<PreparedRun> oldest;
  const std::lock_guard lock(mutex_);
  if (free_.size() >= kMostKept) {
    oldest = std::move(free_.front());
    free_.erase(free_.begin());
  }
  free_.push_back(std::move(run));
}

}  // namespace onward::runtime
