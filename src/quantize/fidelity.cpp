#include "quantize/fidelity.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace onward::quantize {

using ir::Tensor;

void Difference::add(const Tensor& expected, const Tensor& got) {
  const std::vector<float> a = expected.floats();
  const std::vector<float> b = got.floats();
  if (a.size() != b.size()) {
    fail_invalid("the quantized model gives an output of another shape", "please report this with the model");
  }
  for (size_t i = 0; i < a.size(); ++i) {
    if (!std::isfinite(a[i])) continue;
    const auto x = static_cast<double>(a[i]);
    const double y = std::isfinite(b[i]) ? static_cast<double>(b[i]) : x == 0 ? 1 : -x;
    signal_ += x * x;
    noise_ += (x - y) * (x - y);
    product_ += x * y;
    got_ += y * y;
  }
}

double Difference::sqnr() const {
  if (noise_ == 0) return kExact;
  if (signal_ == 0) return -kExact;
  return std::clamp(10 * std::log10(signal_ / noise_), -kExact, kExact);
}

double Difference::cosine() const {
  if (noise_ == 0) return 1;
  if (signal_ == 0 || got_ == 0) return 0;
  return std::min(product_ / std::sqrt(signal_ * got_), 1.0);
}

void TaskScore::add(const Tensor& answer, const Tensor& label) {
  if (ir::is_integer(label.dtype()) && label.count() > 0 && answer.count() % label.count() == 0 &&
      answer.count() > label.count()) {
    const auto classes = static_cast<int64_t>(answer.count() / label.count());
    // The last axis of that size holds the scores, or for pictures the second.
    for (const size_t axis : {answer.rank() - 1, size_t{1}}) {
      if (axis < answer.rank() && answer.dims()[axis] == classes) return add_classes(answer, label, axis);
    }
    return;
  }
  if (answer.count() == label.count() && ir::is_floating(answer.dtype())) add_mask(answer, label);
}

void TaskScore::add_classes(const Tensor& answer, const Tensor& label, size_t class_axis) {
  name_ = "accuracy";
  const std::vector<float> scores = answer.floats();
  const std::vector<int64_t> wanted = label.ints();
  const auto classes = static_cast<size_t>(answer.dims()[class_axis]);
  size_t inner = 1;
  for (size_t i = class_axis + 1; i < answer.rank(); ++i) inner *= static_cast<size_t>(answer.dims()[i]);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const size_t start = i / inner * inner * classes + i % inner;
    size_t best = 0;
    for (size_t c = 1; c < classes; ++c) {
      if (scores[start + c * inner] > scores[start + best * inner]) best = c;
    }
    right_ += static_cast<int64_t>(best) == wanted[i] ? 1 : 0;
  }
  total_ += static_cast<double>(wanted.size());
}

void TaskScore::add_mask(const Tensor& answer, const Tensor& label) {
  const std::vector<float> wanted = label.floats();
  const float most = wanted.empty() ? 0 : *std::max_element(wanted.begin(), wanted.end());
  if (!std::all_of(wanted.begin(), wanted.end(), [&](float value) { return value == 0 || value == most; })) return;
  name_ = "IoU";
  const std::vector<float> got = answer.floats();
  for (size_t i = 0; i < got.size(); ++i) {
    const bool inside = got[i] > 0.5F;
    const bool should = wanted[i] > 0;
    right_ += inside && should ? 1 : 0;
    total_ += inside || should ? 1 : 0;
  }
}

std::vector<size_t> spread_samples(size_t count, size_t limit) {
  const size_t taken = limit == 0 ? count : std::min(count, limit);
  std::vector<size_t> indices(taken);
  for (size_t i = 0; i < taken; ++i) indices[i] = i * count / taken;
  return indices;
}

std::vector<Tensor> inputs_for(const runtime::Session& session, std::vector<Tensor> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ir::DType wanted = session.inputs().at(i).dtype;
    if (inputs[i].dtype() != wanted && ir::is_floating(wanted)) {
      inputs[i] = Tensor::from_doubles(wanted, inputs[i].dims(), inputs[i].doubles());
    }
  }
  return inputs;
}

std::vector<Tensor> Reference::answers(size_t sample, const std::vector<Tensor>& inputs) {
  if (const auto known = kept_.find(sample); known != kept_.end()) return known->second;
  std::vector<Tensor> answers = session_.run(inputs);
  size_t bytes = 0;
  for (const Tensor& answer : answers) bytes += answer.bytes().size();
  if (bytes_ + bytes <= kMostKept) {
    bytes_ += bytes;
    kept_[sample] = answers;
  }
  return answers;
}

Fidelity measure(Reference& reference, const runtime::Session& candidate, const Samples& samples, size_t limit) {
  const std::vector<runtime::ValueInfo>& outputs = reference.session().outputs();
  std::vector<Difference> differences(outputs.size());
  TaskScore reference_score;
  TaskScore candidate_score;
  for (const size_t index : spread_samples(samples.count, limit)) {
    const std::vector<Tensor> inputs = samples.inputs(index);
    const std::vector<Tensor> expected = reference.answers(index, inputs);
    const std::vector<Tensor> got = candidate.run(inputs_for(candidate, inputs));
    const auto labels = samples.labels ? samples.labels(index) : std::vector<runtime::NamedTensor>{};
    for (size_t i = 0; i < expected.size(); ++i) {
      if (expected[i].dtype() == ir::DType::kString) continue;
      differences[i].add(expected[i], got[i]);
      for (const auto& [name, label] : labels) {
        if (name != outputs[i].name) continue;
        reference_score.add(expected[i], label);
        candidate_score.add(got[i], label);
      }
    }
  }
  Fidelity result;
  for (const Difference& one : differences) {
    result.sqnr = std::min(result.sqnr, one.sqnr());
    result.cosine = std::min(result.cosine, one.cosine());
  }
  if (!reference_score.empty()) {
    result.metric = reference_score.name();
    result.float_score = reference_score.score();
    result.score = candidate_score.score();
  }
  return result;
}

}  // namespace onward::quantize
