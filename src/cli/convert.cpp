#include "convert/convert.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <optional>

#include "base/error.h"
#include "base/mapped_file.h"
#include "cli/convert_class.h"
#include "cli/notes.h"
#include "cli/options.h"
#include "cli/predict/printing.h"
#include "cli/verbs.h"
#include "tasks/describe.h"
#include "tasks/output.h"

namespace onward::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::string source;
  std::string output;
  std::string report;
  std::optional<int> opset;
  std::string layout;
  bool quiet = false;
  ClassArguments by_class;
  ImportArguments import;
};

// Milliseconds of each step, in order.
class Stopwatch {
 public:
  void lap(const char* step) {
    const auto now = Clock::now();
    steps_.set(step, milliseconds(now - last_));
    last_ = now;
  }
  Json steps() const {
    Json steps = steps_;
    return steps.set("total", total());
  }
  double total() const { return milliseconds(last_ - start_); }

 private:
  using Clock = std::chrono::steady_clock;
  static double milliseconds(Clock::duration duration) {
    const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
    return static_cast<double>(microseconds) / 1000;
  }
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  Json steps_ = Json::object();
};

// What happened, step by step; becomes the summary line and the report.
struct Conversion {
  Json source = Json::object();
  Json passes = Json::array();
  std::optional<bridge::Exported> exported;
  std::vector<runtime::Comparison> verified;
  int opset = convert::kDefaultOpset;
  Stopwatch watch;
};

Json verification(const Conversion& conversion) {
  if (conversion.verified.empty()) return {};
  Json outputs = Json::array();
  for (const runtime::Comparison& one : conversion.verified) {
    outputs.push(Json::object({{"name", one.output}, {"values", one.values}, {"largest_error", one.largest_error}}));
  }
  return Json::object({{"against", conversion.exported->framework}, {"outputs", std::move(outputs)}});
}

Json to_json(const Arguments& arguments, const Conversion& conversion, const ir::Model& model) {
  const tasks::Weights weights = tasks::count_weights(*model.graph);
  Json notes = Json::array();
  for (const std::string& note : notes_on(model)) notes.push(note);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return Json::object({{"source", conversion.source},
                       {"output", Json::object({{"file", arguments.output},
                                                {"bytes", tasks::bytes_on_disk(arguments.output)},
                                                {"opset", conversion.opset},
                                                {"inputs", tasks::describe_inputs(*model.graph)},
                                                {"outputs", tasks::describe_outputs(*model.graph)},
                                                {"operators", tasks::count_operators(*model.graph)},
                                                {"tensors", weights.tensors},
                                                {"tensor_bytes", weights.bytes}})},
                       {"notes", notes},
                       {"passes", conversion.passes},
                       {"verification", verification(conversion)},
                       {"milliseconds", conversion.watch.steps()},
                       {"peak_memory_bytes", size_t(usage.ru_maxrss) * 1024}});
}

void summarize(const Arguments& arguments, const Conversion& conversion, const ir::Model& model) {
  const tasks::Weights weights = tasks::count_weights(*model.graph);
  fmt::print("{} -> {}: {}, {}, {}, opset {}, in {:.0f} ms\n", arguments.source, arguments.output,
             counted(model.graph->nodes().size(), "node"), counted(weights.tensors, "tensor"),
             size_text(tasks::bytes_on_disk(arguments.output)), conversion.opset, conversion.watch.total());
  if (!arguments.opset && conversion.opset != convert::kDefaultOpset) {
    fmt::print("note: opset {} and not {}, for some of its operators are newer\n", conversion.opset,
               convert::kDefaultOpset);
  }
  for (const std::string& note : notes_on(model)) fmt::print("note: {}\n", note);
  if (!conversion.exported) return;
  for (const std::string& note : conversion.exported->notes) fmt::print("note: {}\n", note);
  if (conversion.verified.empty()) return;
  double largest = 0;
  size_t values = 0;
  for (const runtime::Comparison& one : conversion.verified) {
    largest = std::max(largest, one.largest_error);
    values += one.values;
  }
  fmt::print("verified against {} on a sample: {} agree, largest error {:.2g}\n", conversion.exported->framework,
             counted(values, "value"), largest);
}

std::string refuse_opset(const std::string& text) {
  try {
    convert::check_opset(std::stoi(text));
    return "";
  } catch (const Error& error) {
    return error.message() + "\n" + error.hint();
  } catch (const std::exception&) {
    return text + " is no opset\ngive a number, e.g. --opset 18";
  }
}

// Optimizes, and notes which passes changed the graph, in order: {name, how many nodes it had before and after}.
void optimize(ir::Model& model, const convert::Options& options, Conversion& conversion) {
  size_t nodes = model.graph->nodes().size();
  std::vector<passes::PassRun> runs;
  conversion.opset = convert::optimize(model, options, &runs);
  for (const passes::PassRun& run : runs) {
    if (run.changed) {
      conversion.passes.push(Json::object({{"name", run.name}, {"nodes_before", nodes}, {"nodes_after", run.nodes}}));
    }
    nodes = run.nodes;
  }
  conversion.watch.lap("optimize");
}

ir::Model import_class(const Arguments& arguments, const convert::Options& options, Conversion& conversion) {
  const ExportedClass exported(arguments.by_class, arguments.source, arguments.import.input_dims);
  conversion.watch.lap("export");
  conversion.exported = exported.exported();
  ir::Model model = exported.import();
  conversion.watch.lap("import");
  conversion.source.set("source_operators", tasks::count_source_operators(*model.graph));
  optimize(model, options, conversion);
  if (!arguments.by_class.unchecked) conversion.verified = exported.verify(model, conversion.opset);
  conversion.watch.lap("verify");
  return model;
}

ir::Model import_graph(const Arguments& arguments, const convert::Options& options, Conversion& conversion) {
  ir::Model model = convert::import_file(arguments.source, options.import);
  conversion.watch.lap("import");
  if (!arguments.report.empty()) {
    conversion.source.set("source_operators", tasks::count_source_operators(*model.graph));
  }
  optimize(model, options, conversion);
  return model;
}

void write_report(const Arguments& arguments, const Conversion& conversion, const ir::Model& model) {
  const std::string text = to_json(arguments, conversion, model).dump(2) + "\n";
  const ByteView parts[] = {as_bytes(text)};
  write_file(arguments.report, parts);
}

// Weights come and go, layer by layer: memory that is kept for the next one need not be cleared by the system again.
void keep_freed_memory() {
#ifdef __GLIBC__
  ::mallopt(M_MMAP_THRESHOLD, 1 << 30);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 30);
  ::mallopt(M_TOP_PAD, 16 << 20);
#endif
}

void run(const Arguments& arguments) {
  keep_freed_memory();
  convert::Options options;
  options.opset = arguments.opset;
  if (arguments.layout == "nchw") options.layout = convert::Layout::kNchw;
  tasks::check_output(arguments.source, arguments.output);
  Conversion conversion;
  const bool by_class = !arguments.by_class.reference.empty();
  if (!by_class) options.import = arguments.import.options();
  ir::Model model =
      by_class ? import_class(arguments, options, conversion) : import_graph(arguments, options, conversion);
  exporter::write_onnx(model, arguments.output, {.opset = conversion.opset});
  conversion.watch.lap("write");
  if (!arguments.report.empty()) {
    conversion.source.set("file", arguments.source);
    conversion.source.set("format", std::string(convert::format_name(convert::detect(arguments.source))));
    conversion.source.set("producer", model.producer);
    conversion.source.set("bytes", tasks::bytes_on_disk(arguments.source));
    write_report(arguments, conversion, model);
  }
  if (!arguments.quiet) summarize(arguments, conversion, model);
}

}  // namespace

void add_convert(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App& verb = *app.add_subcommand("convert", "Turn a Keras, TensorFlow or PyTorch file into ONNX");
  verb.footer(
      "Examples:\n"
      "  onward convert Model.keras -o Model.onnx\n"
      "  onward convert saved_model/ -o Model.onnx --signature serving_default --opset 16\n"
      "  onward convert Model.pth --class model:Model --input \"input image=1,1,512,512\" -o Model.onnx\n"
      "The same input gives the same bytes. Files that hold weights only (.pth, .safetensors, weights.h5) need "
      "--class: it\n"
      "runs the model's own code in your Python, and checks the result against what the model answers there.");
  verb.add_option("SRC", arguments->source, "The model file or SavedModel folder")->required();
  verb.add_option("-o,--output", arguments->output, "The ONNX file to write")->required()->type_name("OUT.onnx");
  verb.add_option(
          "--opset", arguments->opset,
          fmt::format("ONNX opset of the result, {} to the newest; without it {}, or newer where the model needs it",
                      convert::kOldestOpset, convert::kDefaultOpset))
      ->check(refuse_opset, "");
  verb.add_option("--layout", arguments->layout, "nchw: image inputs and outputs become NCHW")
      ->check(CLI::IsMember({"nchw"}).description(""))
      ->type_name("nchw");
  CLI::Option* reference = verb.add_option("--class", arguments->by_class.reference,
                                           "The model's class, or a function that builds it, for a file of weights; "
                                           "--input then tells what it is fed: NAME[:DTYPE]=DIMS")
                               ->type_name("module:Class");
  verb.add_option("--python", arguments->by_class.python, "The Python that --class runs in")
      ->type_name("PYTHON")
      ->capture_default_str()
      ->needs(reference);
  verb.add_flag("--no-verify", arguments->by_class.unchecked, "Do not check the result of --class")->needs(reference);
  verb.add_option("--report", arguments->report, "Write what was done, as JSON")->type_name("R.json");
  verb.add_flag("-q,--quiet", arguments->quiet, "Print nothing but errors");
  arguments->import.add_to(verb);
  verb.callback([arguments] { run(*arguments); });
}

}  // namespace onward::cli
