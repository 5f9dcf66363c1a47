// The subcommands of `onward`: each file src/cli/<verb>.cpp adds its own to the application and says what it
// runs; `run` and `serve` are in src/cli/predict/.
#pragma once

namespace CLI {
class App;
}

namespace onward::cli {

// Each adds a subcommand whose callback does the work and throws onward::Error when it fails. `convert` and the like
// share option texts through src/cli/options.h.
void add_bench(CLI::App& app);
void add_bundle(CLI::App& app);
void add_compare(CLI::App& app);
void add_convert(CLI::App& app);
void add_inspect(CLI::App& app);
void add_list_ops(CLI::App& app);
void add_optimize(CLI::App& app);
void add_quantize(CLI::App& app);
void add_verify(CLI::App& app);

}  // namespace onward::cli
