#include "cli/convert_class.h"

#include <fmt/format.h>

#include "base/error.h"
#include "ir/random.h"
#include "tasks/feeds/feeds.h"
#include "tasks/loading.h"

namespace onward::cli {
namespace {

// Deep networks add up rounding; a wrong translation is off by far more.
constexpr runtime::Tolerance kTolerance{1e-3, 1e-4};

bridge::Framework framework_of(const std::string& weights) {
  switch (convert::detect(weights)) {
    case convert::Format::kTorchCheckpoint:
    case convert::Format::kSafetensors:
      return bridge::Framework::kTorch;
    case convert::Format::kHdf5:
    case convert::Format::kKeras:
    case convert::Format::kTfCheckpoint:
      return bridge::Framework::kKeras;
    default:
      break;
  }
  fail_invalid(fmt::format("{} needs no --class: it holds its network", weights), "convert it without --class");
}

bridge::Exported export_class(const ClassArguments& arguments, const std::string& weights,
                              const std::vector<std::string>& inputs, const std::filesystem::path& folder) {
  bridge::Request request;
  request.framework = framework_of(weights);
  request.weights = weights;
  request.reference = arguments.reference;
  request.inputs = inputs;
  request.python = arguments.python;
  request.folder = folder;
  return bridge::run(request);
}

}  // namespace

ExportedClass::ExportedClass(const ClassArguments& arguments, const std::string& weights,
                             const std::vector<std::string>& inputs)
    : weights_(weights), exported_(export_class(arguments, weights, inputs, folder_.path())) {}

ir::Model ExportedClass::import() const {
  try {
    return convert::import_file(exported_.model, {});
  } catch (const Error& error) {
    // The temporary file's name means nothing to the user.
    std::string message = error.message();
    const std::string file = exported_.model.string();
    for (size_t at = message.find(file); at != std::string::npos; at = message.find(file)) {
      message.replace(at, file.size(), weights_);
    }
    throw Error(error.code(), message, error.hint());
  }
}

std::vector<runtime::Comparison> ExportedClass::verify(ir::Model& model, int opset) const {
  const runtime::Session session = tasks::open_session(model, weights_, opset);
  if (ir::draws_random(*model.graph)) return {};
  std::vector<runtime::Comparison> comparisons = runtime::verify(
      session, tasks::read_npz(exported_.inputs.string()), tasks::read_npz(exported_.outputs.string()), kTolerance);
  for (const runtime::Comparison& one : comparisons) {
    if (one.difference.empty()) continue;
    throw Error(Code::kInternal,
                fmt::format("the converted model does not answer as {} does: output \"{}\": {}", exported_.framework,
                            one.output, one.difference),
                "nothing was written; please report this. --no-verify writes the model all the same");
  }
  return comparisons;
}

}  // namespace onward::cli
