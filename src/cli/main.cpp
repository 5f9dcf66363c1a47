#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "base/error.h"
#include "cli/verbs.h"

namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int report(const onward::Error& error) {
  fmt::print(stderr, "error: {}\n", error.message());
  if (!error.hint().empty()) fmt::print(stderr, "{}\n", error.hint());
  return kFailed;
}

// CLI11 would only say that a verb is missing.
void check_verb(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::string verbs;
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (verb->get_name() == argv[1]) return;
    verbs += (verbs.empty() ? "" : ", ") + verb->get_name();
  }
  throw CLI::ExtrasError(fmt::format("there is no verb \"{}\"; there are {}", argv[1], verbs),
                         CLI::ExitCodes::ExtrasError);
}

int report_usage(const CLI::App& app, const CLI::ParseError& error) {
  if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
  const CLI::App* verb = &app;
  for (const CLI::App* used : app.get_subcommands()) verb = used;
  fmt::print(stderr, "error: {}\nsee: {} --help\n", error.what(),
             verb == &app ? "onward" : "onward " + verb->get_name());
  return kWrongUsage;
}

}  // namespace

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
  // In the order in which a newcomer needs them.
  onward::cli::add_convert(app);
  onward::cli::add_serve(app);
  onward::cli::add_optimize(app);
  onward::cli::add_quantize(app);
  onward::cli::add_compare(app);
  onward::cli::add_bench(app);
  onward::cli::add_run(app);
  onward::cli::add_inspect(app);
  onward::cli::add_verify(app);
  onward::cli::add_list_ops(app);
  try {
    check_verb(app, argc, argv);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  } catch (const onward::Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(onward::Error(onward::Code::kResourceExhausted, "out of memory"));
  } catch (const std::exception& error) {
    return report(onward::Error(onward::Code::kInternal, std::string("internal error: ") + error.what(),
                                "please report this with the file that caused it"));
  }
}
