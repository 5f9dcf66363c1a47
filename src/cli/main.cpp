#include <CLI/CLI.hpp>
#include <memory>

#include "cli/options.h"
#include "cli/predict/program.h"
#include "cli/predict/verbs.h"
#include "cli/verbs.h"
#include "server/grpc/listener.h"
#include "tasks/loading.h"

namespace onward::cli {
namespace {

// Any supported file, converted in memory.
Host::Open opener(CLI::App& run) {
  const auto import = std::make_shared<ImportArguments>();
  import->add_to(run, "--dims");
  return [import](const std::filesystem::path& model, const runtime::SessionOptions& session) {
    convert::Options options;
    options.import = import->options();
    return tasks::open_session(model, options, session);
  };
}

Host full_host() {
  Host host;
  host.opener = opener;
  host.convert = tasks::converted_for_serving;
  host.grpc = server::grpc::listen;
  host.files = "model files and SavedModel folders of any supported format";
  host.run_examples =
      "  onward run Model.keras --input photo.png\n"
      "  onward run Model.pt2 --input \"input image=sample1.png\" -o mask.png\n"
      "  onward run model.onnx --input ids=ids.npy --input mask=mask.json -o answers.npz\n"
      "  onward run Model.onnx --watch arriving/ -o answers/ --format png\n"
      "  producer | onward run Model.onnx --stream | consumer";
  host.serve_examples =
      "  onward serve Model.onnx\n"
      "  onward serve tf=Model.keras torch=Model.pt2 --http 8080\n"
      "  onward serve --models models/ --poll 5 --host 0.0.0.0";
  return host;
}

}  // namespace
}  // namespace onward::cli

int main(int argc, char** argv) {
  CLI::App app("Onward turns trained models into ONNX, without the framework that made them, and serves them.",
               "onward");
  app.set_version_flag("--version", std::string("onward ") + ONWARD_VERSION);
  app.require_subcommand(1);
  app.footer(
      "First steps:\n"
      "  onward convert Model.keras -o Model.onnx        any supported file becomes ONNX\n"
      "  onward serve Model.keras other=Model.pt2        models of any kind behind one address\n"
      "  onward run Model.onnx --input photo.png         one prediction\n"
      "  onward inspect Model.pth                        what a file holds\n"
      "Each verb has its own help: onward convert --help.\n"
      "Exit status: 0 done; 1 the work failed; 2 wrong usage.");
  const onward::cli::Host host = onward::cli::full_host();
  // In the order in which a newcomer needs them.
  onward::cli::add_convert(app);
  onward::cli::add_serve(app, host);
  onward::cli::add_optimize(app);
  onward::cli::add_quantize(app);
  onward::cli::add_compare(app);
  onward::cli::add_bundle(app);
  onward::cli::add_bench(app);
  onward::cli::add_run(app, host);
  onward::cli::add_inspect(app);
  onward::cli::add_verify(app);
  onward::cli::add_list_ops(app);
  return onward::cli::run_program(app, argc, argv);
}
