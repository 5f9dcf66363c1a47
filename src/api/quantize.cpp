#include "onward/quantize.h"

#include "api/guard.h"
#include "api/values.h"
#include "tasks/quantizing.h"
#include "tasks/samples.h"

namespace onward {
namespace {

quantize::Mode mode_of(QuantizeMode mode) {
  switch (mode) {
    case QuantizeMode::kAuto:
      return quantize::Mode::kAuto;
    case QuantizeMode::kStatic:
      return quantize::Mode::kStatic;
    case QuantizeMode::kDynamic:
      return quantize::Mode::kDynamic;
    case QuantizeMode::kWeights8:
      return quantize::Mode::kWeights8;
    case QuantizeMode::kWeights4:
      return quantize::Mode::kWeights4;
    case QuantizeMode::kFloat16:
      return quantize::Mode::kHalf;
  }
  fail_invalid("there is no such mode of quantization");
}

std::vector<ir::Tensor> one_sample(const QuantizeOptions& options, size_t index, const runtime::Session& session) {
  const Result<std::vector<Tensor>> given = options.sample(index);
  if (!given.ok()) throw api::to_error(given.status());
  if (given->size() != session.inputs().size()) {
    fail_invalid("sample " + std::to_string(index) + " has " + std::to_string(given->size()) +
                 " tensors, the model has " + std::to_string(session.inputs().size()) + " inputs");
  }
  std::vector<ir::Tensor> tensors;
  for (size_t i = 0; i < given->size(); ++i) {
    tensors.push_back(api::to_internal((*given)[i]));
    session.check_input(i, tensors.back());
  }
  return tensors;
}

quantize::Samples samples_of(const QuantizeOptions& options, std::shared_ptr<const runtime::Session> session) {
  quantize::Samples samples;
  samples.count = options.sample_count;
  samples.name = [](size_t index) { return "sample " + std::to_string(index); };
  samples.inputs = [&options, session = std::move(session)](size_t index) {
    return one_sample(options, index, *session);
  };
  return samples;
}

tasks::QuantizeTask task_of(const std::filesystem::path& source, const std::filesystem::path& target,
                            const QuantizeOptions& options) {
  const bool from_folder = !options.calibration.empty();
  const bool from_caller = options.sample_count > 0 && options.sample != nullptr;
  if (options.mode == QuantizeMode::kStatic && !from_folder && !from_caller) {
    fail_invalid("static quantization needs samples", "name a folder of them, or give them with `sample`");
  }
  tasks::QuantizeTask task;
  task.source = source;
  task.output = target;
  task.import = api::to_internal(options.import);
  task.opset = options.opset;
  task.options.mode = mode_of(options.mode);
  task.options.max_drop = options.max_drop;
  task.options.max_bytes = options.max_bytes;
  task.options.selection.only = options.only;
  task.options.selection.exclude = options.exclude;
  task.custom_ops = options.custom_ops;
  if (from_folder) {
    task.samples = [&options](const tasks::FloatSession& session) {
      return tasks::folder_samples(options.calibration, 0, *session, serving::PixelRange::kAuto);
    };
  } else if (from_caller) {
    task.samples = [&options](const tasks::FloatSession& session) { return samples_of(options, session); };
  }
  return task;
}

}  // namespace

Result<Quantization> quantize_file(const std::filesystem::path& source, const std::filesystem::path& target,
                                   const QuantizeOptions& options) {
  return api::guarded([&] {
    const quantize::Report report = tasks::quantize_file(task_of(source, target, options));
    Quantization done;
    done.bytes_before = report.bytes_before;
    done.bytes_after = report.bytes_after;
    done.milliseconds_before = report.milliseconds_before;
    done.milliseconds_after = report.milliseconds_after;
    done.sqnr = report.fidelity.sqnr;
    done.cosine = report.fidelity.cosine;
    done.method = report.method.empty() ? report.mode : report.mode + ", " + report.method;
    done.notes = report.notes;
    done.report = quantize::to_json(report).dump(2);
    return done;
  });
}

}  // namespace onward
