// Files that a task writes.
#pragma once

#include <string>

namespace onward::tasks {

// Told before minutes of work: an output's folder that is not there, or an output that would overwrite the source.
void check_output(const std::string& source, const std::string& output);

}  // namespace onward::tasks
