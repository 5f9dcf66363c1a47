#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <memory>

#include "cli/predict/answers.h"
#include "cli/predict/printing.h"
#include "cli/predict/program.h"
#include "cli/predict/run_many.h"
#include "cli/predict/verbs.h"
#include "tasks/feeds/feeds.h"

namespace onward::cli {
namespace {

using serving::PixelRange;

struct Arguments {
  std::string model;
  std::vector<std::string> feeds;
  std::string output;
  PixelRange pixels = PixelRange::kAuto;
  bool json = false;
  std::string watch;
  std::string format = "npz";
  bool once = false;
  bool stream = false;
  std::vector<std::filesystem::path> custom_ops;
};

void run_many(const Arguments& arguments, const runtime::Session& session) {
  if (!arguments.feeds.empty()) fail_usage("--input goes with one prediction", "--watch and --stream bring their own");
  if (arguments.stream) return answer_lines(session, std::cin, std::cout);
  watch_folder(session, {arguments.watch, arguments.output, arguments.format, arguments.pixels, arguments.once});
}

// What the user names, or the model that the program brings along.
std::filesystem::path chosen_model(const std::string& named, const Host& host) {
  if (!host.own) return named;
  const std::vector<serving::Source> own = host.own();
  if (named.empty() && own.size() == 1) return own.front().path;
  std::string names;
  for (const serving::Source& source : own) {
    if (source.name == named) return source.path;
    names += (names.empty() ? "" : ", ") + source.name;
  }
  if (named.empty()) fail_usage("which model is to run?", "name one of " + names);
  if (!std::filesystem::exists(named)) fail_not_found("there is no model " + named, "this program has " + names);
  return named;
}

void run(const Arguments& arguments, const Host& host, const Host::Open& open) {
  const runtime::Session session = open(chosen_model(arguments.model, host), {.custom_ops = arguments.custom_ops});
  if (arguments.stream || !arguments.watch.empty()) return run_many(arguments, session);
  const AnswerKind kind = answer_kind(arguments.output, session.outputs().size());
  const std::vector<ir::Tensor> inputs = tasks::read_feeds(arguments.feeds, session.inputs(), arguments.pixels);
  const std::vector<ir::Tensor> outputs = session.run(inputs);
  if (kind != AnswerKind::kNone) write_answers(arguments.output, kind, session.outputs(), outputs);
  if (arguments.json) {
    fmt::print("{}", answers_json(session.outputs(), outputs));
    return;
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    fmt::print("{}  {}\n  {}\n", session.outputs()[i].name, type_text(outputs[i]), preview(outputs[i]));
  }
  if (kind != AnswerKind::kNone) fmt::print("wrote {}\n", arguments.output);
}

}  // namespace

void add_run(CLI::App& app, const Host& host) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("run", "Make predictions with a model");
  verb.footer("Examples:\n" + host.run_examples);
  verb.add_option("MODEL", arguments->model, "The model: " + host.files)->required(!host.own);
  verb.add_option("--input", arguments->feeds,
                  "What to feed: a .npy, .npz, .png, .jpg or .json file per input; the name may be left out where the "
                  "model has one input")
      ->type_name("[NAME=]FILE")
      ->take_all();
  verb.add_option("-o,--output", arguments->output,
                  "Write the outputs: .npz or .json, or .npy or .png for a single one")
      ->type_name("OUT");
  verb.add_option(
          "--pixels", arguments->pixels,
          "The range of a picture's values: auto (unit for floats, raw for integers), raw (0 to 255), unit (0 to "
          "1) or signed (-1 to 1)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, PixelRange>{{"auto", PixelRange::kAuto},
                                                                            {"raw", PixelRange::kRaw},
                                                                            {"unit", PixelRange::kUnit},
                                                                            {"signed", PixelRange::kSigned}})
                      .description(""))
      ->type_name("auto|raw|unit|signed");
  verb.add_option(
          "--watch", arguments->watch,
          "Answer each file in the folder as it arrives (.npz with all inputs, or any file for a model with one "
          "input), into the folder that -o names")
      ->type_name("DIR");
  verb.add_option("--format", arguments->format, "The ending of the answers that --watch writes")
      ->check(CLI::IsMember({"npz", "npy", "png", "json"}).description(""))
      ->capture_default_str()
      ->type_name("npz|npy|png|json");
  verb.add_flag("--once", arguments->once, "With --watch: end when all that is there is answered");
  verb.add_flag(
      "--stream", arguments->stream,
      "Read a JSON value a line from standard input ({\"NAME\": …}, or the bare value of the only input), and "
      "write an answer a line");
  verb.add_flag("--json", arguments->json, "Print the outputs as JSON, every value of them");
  add_custom_ops(verb, arguments->custom_ops);
  verb.callback([arguments, host, open = host.opener(verb)] { run(*arguments, host, open); });
}

}  // namespace onward::cli
