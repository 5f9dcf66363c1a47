// What every program of Onward does around its verbs: parse, run, report.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace onward::cli {

// For what the user wrote wrongly on the command line: run_program prints it, names --help and ends with 2.
[[noreturn]] void fail_usage(const std::string& what, const std::string& remedy);

// --custom-ops LIB.so, repeatable.
void add_custom_ops(CLI::App& verb, std::vector<std::filesystem::path>& libraries);

// Parses the arguments, which runs the chosen verb, and prints what fails to stderr. Returns the exit status: 0 done;
// 1 the work failed; 2 wrong usage.
int run_program(CLI::App& app, int argc, char** argv);

}  // namespace onward::cli
