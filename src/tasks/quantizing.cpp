#include "tasks/quantizing.h"

#include <algorithm>

#include "convert/convert.h"
#include "quantize/fidelity.h"
#include "schema/schema_inference.h"
#include "tasks/loading.h"
#include "tasks/output.h"
#include "tasks/samples.h"

namespace onward::tasks {
namespace {

// How many random samples stand in where no data is given.
constexpr size_t kRandomSamples = 4;

std::map<std::string, double> node_times(ir::Model& model, const QuantizeTask& task, int opset,
                                         const std::vector<ir::Tensor>& inputs) {
  constexpr int kRuns = 5;
  runtime::Session session = open_session(model, task.source, opset, {.custom_ops = task.custom_ops, .profile = true});
  const std::vector<ir::Tensor> adapted = quantize::inputs_for(session, inputs);
  for (int i = 0; i < kRuns; ++i) session.run(adapted);
  std::map<std::string, double> medians;
  for (auto& [node, times] : session.end_profile()) {
    std::nth_element(times.begin(), times.begin() + static_cast<ptrdiff_t>(times.size() / 2), times.end());
    medians[node] = times[times.size() / 2];
  }
  return medians;
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

  const schema::SchemaInference inference(opset);
  const quantize::Host host{
      inference,
      [&](ir::Model& one, const runtime::Watch& watch) {
        return open_session(one, task.source, opset, {.custom_ops = task.custom_ops, .watch = watch});
      },
      [&](ir::Model& one) {
        const exporter::Serialized file = exporter::serialize(one, {.opset = opset});
        size_t size = file.size();
        for (const Bytes& part : file.external) size += part.size();
        return size;
      },
      [&](ir::Model& one, const std::vector<ir::Tensor>& inputs) { return node_times(one, task, opset, inputs); },
  };
  quantize::Options options = task.options;
  const runtime::Session session =
      open_session(model, task.source, opset, {.optimize = options.measure, .custom_ops = task.custom_ops});
  options.random_samples = task.samples == nullptr;
  const quantize::Samples samples =
      options.random_samples ? random_samples(kRandomSamples, session) : task.samples(session);
  quantize::Result result = quantize::quantize(model, session, options, samples, host);
  exporter::write_onnx(result.model, task.output, {.opset = opset});
  result.report.source = task.source;
  result.report.output = task.output;
  return std::move(result.report);
}

}  // namespace onward::tasks
