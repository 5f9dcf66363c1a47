#include "tasks/loading.h"

#include <algorithm>

#include "base/error.h"

namespace onward::tasks {

runtime::Session open_session(ir::Model& model, const std::string& name, int opset,
                              const runtime::SessionOptions& session) {
  // Weights stay where they lie, of whatever size they are together.
  exporter::Serialized serialized = exporter::serialize(model, {.opset = opset, .inline_limit = 0});
  runtime::SessionOptions options = session;
  options.weights = std::move(serialized.external_tensors);
  return runtime::Session::from_bytes(serialized.joined(), name, options);
}

runtime::Session open_session(const std::filesystem::path& path, const convert::Options& options,
                              const runtime::SessionOptions& session) {
  const bool as_it_is = options.import.input_dims.empty() && options.import.inputs.empty() &&
                        options.import.outputs.empty() && options.layout == convert::Layout::kSource;
  if (as_it_is && (path.extension() == ".ort" || convert::detect(path) == convert::Format::kOnnx)) {
    return runtime::Session::load(path, session);
  }
  if (options.opset) convert::check_opset(*options.opset);
  ir::Model model = convert::import_file(path, options.import);
  const int opset = convert::optimize(model, options);
  return open_session(model, path.string(), opset, session);
}

Bytes converted_for_serving(const std::filesystem::path& path) {
  const exporter::Serialized model = convert::convert_file(path, {});
  if (!model.external.empty()) {
    fail_unsupported(path.string() + " is too large to be served without conversion", "run onward convert first");
  }
  return model.joined();
}

std::optional<int> target_opset(const ir::Model& model, int wanted) {
  if (wanted != 0) return wanted;
  const auto own = model.opset_imports.find("");
  if (own == model.opset_imports.end() || own->second <= convert::kDefaultOpset) return std::nullopt;
  return own->second;
}

}  // namespace onward::tasks
