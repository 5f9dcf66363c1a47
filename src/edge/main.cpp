// The edge program: `run` and `serve` for ONNX files, with nothing else in it; alone, or with models that `onward
// bundle` put beside or behind it.
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <optional>

#include "base/error.h"
#include "bundle/bundle.h"
#include "cli/predict/program.h"
#include "cli/predict/verbs.h"
#include "edge/onnxruntime.h"
#include "runtime/session.h"
#include "serving/model_files.h"

namespace onward::edge {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_other_file(const fs::path& path) {
  fail_unsupported(path.string() + " is no .onnx or .ort file",
                   "this is the edge build: convert it with the full one: onward convert " + path.string() + " -o " +
                       path.stem().string() + ".onnx");
}

runtime::Session open_onnx(const fs::path& path, const runtime::SessionOptions& options) {
  if (!fs::exists(path)) fail_not_found("no such file: " + path.string());
  if (!serving::is_onnx_file(path)) fail_other_file(path);
  return runtime::Session::load(path, options);
}

class Program {
 public:
  int run(int argc, char** argv) {
    std::error_code no_proc;
    path_ = fs::read_symlink("/proc/self/exe", no_proc);
    if (no_proc) path_ = fs::absolute(argv[0]);
    bundle_ = bundle::Bundle::of(path_);
    CLI::App app("Onward's edge program runs and serves ONNX models.", path_.filename().string());
    app.set_version_flag("--version", std::string("onward ") + ONWARD_VERSION + " (edge)");
    app.require_subcommand(1);
    app.footer("Each verb has its own help: " + app.get_name() +
               " run --help.\nExit status: 0 done; 1 the work failed; 2 wrong usage.");
    app.parse_complete_callback([this] { load_onnxruntime(bundle_ ? bundle_->folder() : path_.parent_path()); });
    const cli::Host host = make_host(app.get_name());
    cli::add_run(app, host);
    cli::add_serve(app, host);
    return cli::run_program(app, argc, argv);
  }

 private:
  cli::Host make_host(const std::string& name) {
    cli::Host host;
    host.opener = [](CLI::App&) { return open_onnx; };
    host.convert = [](const fs::path& path) -> Bytes { fail_other_file(path); };
    host.files = ".onnx and .ort files";
    const std::string model = bundle_ ? "" : " Model.onnx";
    host.run_examples = "  " + name + " run" + model + " --input photo.png\n  " + name + " run" + model +
                        " --watch arriving/ -o answers/ --format png\n  producer | " + name + " run" + model +
                        " --stream | consumer";
    host.serve_examples = "  " + name + " serve" + model + " --http 8080";
    if (bundle_) {
      host.own = [this] {
        std::vector<serving::Source> sources;
        for (const bundle::Model& model : bundle_->models()) sources.push_back({model.name, model.file});
        return sources;
      };
    }
    return host;
  }

  fs::path path_;
  std::optional<bundle::Bundle> bundle_;
};

}  // namespace
}  // namespace onward::edge

int main(int argc, char** argv) {
  mallopt(M_ARENA_MAX, 2);  // one arena a thread costs memory that a small machine lacks
  return onward::edge::Program().run(argc, argv);
}
