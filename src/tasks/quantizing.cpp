#include "tasks/quantizing.h"

#include <algorithm>

#include "convert/convert.h"
#include "quantize/fidelity.h"
#include "schema/schema_inference.h"
#include "tasks/loading.h"
#include "tasks/output.h"
#include "tasks/samples.h"
#include "tasks/weight_file.h"

namespace onward::tasks {
namespace {

// How many random samples stand in where no data is given.
constexpr size_t kRandomSamples = 4;

std::map<std::string, double> node_times(ir::Model& model, const QuantizeTask& task, const WeightFile& weights,
                                         const std::vector<ir::Tensor>& inputs) {
  constexpr int kRuns = 5;
  runtime::Session session = weights.open(model, task.source, {.custom_ops = task.custom_ops, .profile = true});
  const std::vector<ir::Tensor> adapted = quantize::inputs_for(session, inputs);
  for (int i = 0; i < kRuns; ++i) session.run(adapted);
  std::map<std::string, double> medians;
  for (auto& [node, times] : session.end_profile()) {
    std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2), times.end());
    medians[node] = times[times.size() / 2];
  }
  return medians;
}

quantize::Samples samples_for(const QuantizeTask& task, ir::Model& model, const WeightFile& weights) {
  const auto session = std::make_shared<const runtime::Session>(
      weights.open(model, task.source, {.rewrites = runtime::Rewrites::kNone, .custom_ops = task.custom_ops}));
  return task.samples ? task.samples(session) : random_samples(kRandomSamples, *session);
}

}  // namespace

quantize::Report quantize_file(const QuantizeTask& task) {
  check_output(task.source, task.output);
  if (task.opset != 0) convert::check_opset(task.opset);
  convert::Options convert;
  convert.import = task.import;
  ir::Model model = convert::import_file(task.source, convert.import);
  // Before the passes: they may fold what shows it.
  quantize::check_not_quantized(model);
  convert.opset = target_opset(model, task.opset);
  const int opset = convert::optimize(model, convert);

  const WeightFile weights(model, opset);
  const schema::SchemaInference inference(opset);
  const quantize::Host host{
      inference,
      [&](ir::Model& one, const runtime::Watch& watch) {
        // Watched values are seen as the file has them, and the weights are used where they lie.
        const auto rewrites = watch ? runtime::Rewrites::kFusions : runtime::Rewrites::kAll;
        return weights.open(one, task.source, {.rewrites = rewrites, .custom_ops = task.custom_ops, .watch = watch});
      },
      [&](ir::Model& one) {
        const exporter::Serialized file = exporter::serialize(one, {.opset = opset});
        size_t size = file.size();
        for (const Bytes& part : file.external) size += part.size();
        return size;
      },
      [&](ir::Model& one, const std::vector<ir::Tensor>& inputs) { return node_times(one, task, weights, inputs); },
  };
  quantize::Options options = task.options;
  options.random_samples = task.samples == nullptr;
  const quantize::Samples samples = samples_for(task, model, weights);
  quantize::Result result = quantize::quantize(model, options, samples, host);
  exporter::write_onnx(result.model, task.output, {.opset = opset});
  result.report.source = task.source;
  result.report.output = task.output;
  return std::move(result.report);
}

}  // namespace onward::tasks
