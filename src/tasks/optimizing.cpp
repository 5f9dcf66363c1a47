#include "tasks/optimizing.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/temporary_folder.h"
#include "convert/convert.h"
#include "import/onnx/onnx_reader.h"
#include "runtime/ort_format.h"
#include "tasks/describe.h"
#include "tasks/loading.h"
#include "tasks/output.h"

namespace onward::tasks {
namespace {

namespace fs = std::filesystem;

Json measure(const ir::Graph& graph, size_t bytes) {
  const Weights weights = count_weights(graph);
  return Json::object({{"bytes", bytes},
                       {"nodes", graph.nodes().size()},
                       {"tensors", weights.tensors},
                       {"tensor_bytes", weights.bytes},
                       {"operators", count_operators(graph)}});
}

runtime::SaveOptions save_options(const OptimizeTask& task) {
  static constexpr runtime::Fusions kFusions[] = {runtime::Fusions::kStandard, runtime::Fusions::kAnyMachine,
                                                  runtime::Fusions::kThisMachine};
  return {kFusions[static_cast<size_t>(task.target)], task.custom_ops};
}

class Writer {
 public:
  Writer(const OptimizeTask& task, ir::Model& model, int opset) : task_(task), model_(model), write_{.opset = opset} {
    if (task.external) write_.inline_limit = 0;
  }

  // What the written file holds.
  Json write() {
    const bool ort = fs::path(task_.output).extension() == ".ort";
    if (ort || task_.target != Target::kPortable) return write_fused(ort);
    exporter::write_onnx(model_, task_.output, write_);
    return measured(*model_.graph);
  }

 private:
  Json write_fused(bool ort) {
    const TemporaryFolder folder;
    const fs::path plain = folder.path() / "model.onnx";
    exporter::write_onnx(model_, plain, write_);
    const bool external = fs::exists(plain.string() + ".data");
    if (ort && external) {
      fail_unsupported(task_.source + " is too large for an .ort file: over 1.9 GB", "write an .onnx file");
    }
    const std::string data_file = external ? fs::path(task_.output).filename().string() + ".data" : "";
    const runtime::OnnxFile fused = runtime::fused_onnx(plain, task_.source, data_file, save_options(task_));
    if (ort) {
      write_parts(task_.output, runtime::ort_file(fused.model, task_.source, save_options(task_)));
    } else {
      if (!fused.external.empty()) write_parts(task_.output + ".data", fused.external);
      write_parts(task_.output, fused.model);
    }
    return measured(*importer::read_onnx(fused.model, fs::path(task_.output).parent_path()).graph);
  }

  static void write_parts(const fs::path& path, const Bytes& bytes) {
    const ByteView parts[] = {bytes.view()};
    write_file(path, parts);
  }

  Json measured(const ir::Graph& graph) const {
    const std::string data = task_.output + ".data";
    return measure(graph, bytes_on_disk(task_.output) + (task_.external ? bytes_on_disk(data) : 0));
  }

  const OptimizeTask& task_;
  ir::Model& model_;
  exporter::WriteOptions write_;
};

}  // namespace

Optimized optimize_file(const OptimizeTask& task) {
  check_output(task.source, task.output);
  if (task.opset != 0) convert::check_opset(task.opset);
  convert::Options options;
  options.import = task.import;
  ir::Model model = convert::import_file(task.source, options.import);
  Json before = measure(*model.graph, bytes_on_disk(task.source));
  options.opset = target_opset(model, task.opset);
  const int opset = convert::optimize(model, options);
  return {opset, std::move(before), Writer(task, model, opset).write()};
}

}  // namespace onward::tasks
