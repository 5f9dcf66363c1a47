#include "bridge/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"

extern char** environ;

namespace onward::bridge {
namespace {

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void open(int descriptor, const char* path, int flags) {
    posix_spawn_file_actions_addopen(&actions_, descriptor, path, flags, 0600);
  }
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

// The terminal sends an interrupt to both processes: the child ends by it, then this one reports and cleans up.
class IgnoredInterrupts {
 public:
  IgnoredInterrupts() {
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGINT, &ignore, &old_);
  }
  ~IgnoredInterrupts() { sigaction(SIGINT, &old_, nullptr); }
  IgnoredInterrupts(const IgnoredInterrupts&) = delete;
  IgnoredInterrupts& operator=(const IgnoredInterrupts&) = delete;

 private:
  struct sigaction old_ {};
};

// Spawned with interrupts as a program expects them, whatever this process does about its own.
pid_t spawn(const std::vector<std::string>& command, const FileActions& actions) {
  std::vector<char*> arguments;
  for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, arguments[0], actions.get(), &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    throw Error(error == ENOENT ? Code::kNotFound : Code::kPermissionDenied,
                fmt::format("cannot run \"{}\": {}", command[0], std::strerror(error)),
                "name the Python that the model is trained with: --python /path/to/python");
  }
  return pid;
}

}  // namespace

Finished run_program(const std::vector<std::string>& command, const std::filesystem::path& output,
                     const std::filesystem::path& errors) {
  FileActions actions;
  constexpr int kCreate = O_WRONLY | O_CREAT | O_TRUNC;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.open(STDOUT_FILENO, output.c_str(), kCreate);
  actions.open(STDERR_FILENO, errors.c_str(), kCreate);
  const IgnoredInterrupts ignored;
  const pid_t pid = spawn(command, actions);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) throw Error(Code::kInternal, fmt::format("cannot wait for {}", command[0]));
  }
  if (WIFSIGNALED(status)) return {-1, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

}  // namespace onward::bridge
