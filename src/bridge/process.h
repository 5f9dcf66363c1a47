// Inside src/bridge only: another program, run to its end.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace onward::bridge {

struct Finished {
  int exit_status = 0;  // -1 where a signal ended it
  int signal = 0;
};

// Runs `command` (found on PATH) with nothing on its standard input; what it prints goes to the two files. Interrupts
// reach the program; this process outlives them until it has ended. Throws Error(kNotFound) where there is no such
// program.
Finished run_program(const std::vector<std::string>& command, const std::filesystem::path& output,
                     const std::filesystem::path& errors);

}  // namespace onward::bridge
