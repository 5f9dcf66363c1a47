// How far a model's answers are from another's, or from labels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "quantize/host.h"

namespace onward::quantize {

// Signal against noise over any number of pairs of tensors.
class Difference {
 public:
  // NaN and infinity in `got` count as an error as large as the signal. Integers and booleans as the numbers they are.
  void add(const ir::Tensor& expected, const ir::Tensor& got);

  // 10 log10(signal / noise); kExact where nothing differs.
  double sqnr() const;
  double cosine() const;
  static constexpr double kExact = 200;

 private:
  double signal_ = 0;
  double noise_ = 0;
  double product_ = 0;
  double got_ = 0;
};

// A task's own measure, from 0 to 1, of answers against labels. What it is follows from both: class indices against
// scores is top-1 accuracy; zeros and ones against probabilities of the same size is intersection over union at 0.5.
class TaskScore {
 public:
  // Nothing happens where the label fits neither.
  void add(const ir::Tensor& answer, const ir::Tensor& label);
  bool empty() const { return total_ == 0; }
  double score() const { return total_ > 0 ? right_ / total_ : 0; }
  const std::string& name() const { return name_; }

 private:
  void add_classes(const ir::Tensor& answer, const ir::Tensor& label, size_t class_axis);
  void add_mask(const ir::Tensor& answer, const ir::Tensor& label);

  std::string name_;
  double right_ = 0;
  double total_ = 0;
};

struct Fidelity {
  double sqnr = Difference::kExact;  // of the output where it is least
  double cosine = 1;                 // likewise
  std::string metric;                // "accuracy", "IoU" or empty: no labels
  double score = 0;                  // of the model against the labels
  double float_score = 0;

  // What --max-drop limits: of the score where there are labels, else of the cosine.
  double drop() const { return metric.empty() ? 1 - cosine : float_score - score; }
};

// The float model, and its answers to the samples that it was asked about first: many candidates are measured on the
// same ones. What is kept takes kMostKept bytes at most.
class Reference {
 public:
  explicit Reference(const runtime::Session& session) : session_(session) {}
  const runtime::Session& session() const { return session_; }
  std::vector<ir::Tensor> answers(size_t sample, const std::vector<ir::Tensor>& inputs);

 private:
  static constexpr size_t kMostKept = size_t{32} << 20;
  const runtime::Session& session_;
  std::map<size_t, std::vector<ir::Tensor>> kept_;
  size_t bytes_ = 0;
};

// On one sample after another, `limit` at most (0: all), spread over all.
Fidelity measure(Reference& reference, const runtime::Session& candidate, const Samples& samples, size_t limit = 0);

// `inputs` as the session wants them: a quantized model may take float16.
std::vector<ir::Tensor> inputs_for(const runtime::Session& session, std::vector<ir::Tensor> inputs);

// The indices of `limit` of `count` samples, evenly spread.
std::vector<size_t> spread_samples(size_t count, size_t limit);

}  // namespace onward::quantize
