#include "cli/predict/program.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "base/error.h"

namespace onward::cli {
namespace {

constexpr int kFailed = 1;
constexpr int kWrongUsage = 2;

int report(const Error& error) {
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
             verb == &app ? app.get_name() : app.get_name() + " " + verb->get_name());
  return kWrongUsage;
}

}  // namespace

void fail_usage(const std::string& what, const std::string& remedy) {
  throw CLI::ValidationError(what + "\n" + remedy, CLI::ExitCodes::ValidationError);
}

void add_custom_ops(CLI::App& verb, std::vector<std::filesystem::path>& libraries) {
  verb.add_option(
          "--custom-ops", libraries,
          "A shared library with custom operators for ONNX Runtime, which exports RegisterCustomOps; repeatable. "
          "It runs as part of this program: name only what you trust")
      ->type_name("LIB.so")
      ->take_all();
}

int run_program(CLI::App& app, int argc, char** argv) {
  try {
    check_verb(app, argc, argv);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return report_usage(app, error);
  } catch (const Error& error) {
    return report(error);
  } catch (const std::bad_alloc&) {
    return report(Error(Code::kResourceExhausted, "out of memory"));
  } catch (const std::exception& error) {
    return report(Error(Code::kInternal, std::string("internal error: ") + error.what(),
                        "please report this with the file that caused it"));
  }
}

}  // namespace onward::cli
