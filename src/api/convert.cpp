#include "onward/convert.h"

#include "api/guard.h"
#include "api/values.h"
#include "convert/convert.h"
#include "tasks/describe.h"
#include "tasks/output.h"

namespace onward {
namespace {

constexpr size_t kMemoryLimit = size_t{2} << 30;

}  // namespace

Result<Conversion> convert_file(const std::filesystem::path& source, const std::filesystem::path& target,
                                const ConvertOptions& options) {
  return api::guarded([&] {
    tasks::check_output(source, target);
    const convert::Options wanted = api::to_internal(options);
    if (wanted.opset) convert::check_opset(*wanted.opset);
    ir::Model model = convert::import_file(source, wanted.import);
    Conversion done;
    done.opset = convert::optimize(model, wanted);
    exporter::write_onnx(model, target, {.opset = done.opset});
    done.bytes = tasks::bytes_on_disk(target);
    done.nodes = model.graph->nodes().size();
    done.inputs = api::describe_inputs(*model.graph);
    done.outputs = api::describe_outputs(*model.graph);
    return done;
  });
}

Result<std::vector<std::byte>> convert_to_bytes(const std::filesystem::path& source, const ConvertOptions& options) {
  return api::guarded([&] {
    const exporter::Serialized model = convert::convert_file(source, api::to_internal(options));
    if (!model.external.empty() || model.size() >= kMemoryLimit) {
      throw Error(Code::kResourceExhausted, source.string() + " becomes too large for one ONNX message",
                  "convert it to a file, which keeps the weights beside it");
    }
    std::vector<std::byte> bytes;
    bytes.reserve(model.size());
    for (const Bytes& part : model.parts) bytes.insert(bytes.end(), part.view().begin(), part.view().end());
    return bytes;
  });
}

Result<FileInfo> inspect_file(const std::filesystem::path& source, const ImportOptions& options) {
  return api::guarded([&] {
    FileInfo info;
    info.format = convert::format_name(convert::detect(source));
    const ir::Model model = convert::import_file(source, api::to_internal(options));
    info.producer = model.producer;
    info.inputs = api::describe_inputs(*model.graph);
    info.outputs = api::describe_outputs(*model.graph);
    const Json operators = tasks::count_operators(*model.graph);
    for (const auto& [name, count] : operators.as_object()) {
      info.operators[name] = static_cast<size_t>(count.as_int());
    }
    const tasks::Weights weights = tasks::count_weights(*model.graph);
    info.weights = weights.tensors;
    info.weight_bytes = weights.bytes;
    return info;
  });
}

}  // namespace onward
