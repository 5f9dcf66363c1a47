#include "runtime/cpu_budget.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <optional>
#include <string>
#include <thread>

namespace onward::runtime {
namespace {

namespace fs = std::filesystem;

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

double quota_v2(const fs::path& group) {
  std::ifstream file(group / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return kUnlimited;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_v1(const fs::path& group) {
  double quota = -1;
  double period = 0;
  std::ifstream(group / "cpu.cfs_quota_us") >> quota;
  std::ifstream(group / "cpu.cfs_period_us") >> period;
  return quota > 0 && period > 0 ? quota / period : kUnlimited;
}

// The strictest quota of `group` and its parents up to the mount. Inside a container the path of the host's group often
// does not exist: the mount's own root is then the container's group.
template <class Quota>
double strictest(const fs::path& mount, const fs::path& group, const Quota& quota) {
  double strictest = quota(mount);
  fs::path current = mount;
  for (const fs::path& part : group.relative_path()) {
    current /= part;
    strictest = std::min(strictest, quota(current));
  }
  return strictest;
}

double cgroup_quota(const fs::path& proc, const fs::path& cgroup) {
  double cpus = std::min(quota_v2(cgroup), std::min(quota_v1(cgroup / "cpu"), quota_v1(cgroup / "cpu,cpuacct")));
  std::ifstream groups(proc / "self" / "cgroup");
  for (std::string line; std::getline(groups, line);) {
    const size_t first = line.find(':');
    const size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const fs::path group = line.substr(second + 1);
    if (controllers.empty()) {
      cpus = std::min(cpus, strictest(cgroup, group, quota_v2));
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      cpus = std::min(cpus, strictest(cgroup / controllers, group, quota_v1));
      cpus = std::min(cpus, strictest(cgroup / "cpu", group, quota_v1));
    }
  }
  return cpus;
}

}  // namespace

int cpu_budget_under(const fs::path& proc, const fs::path& cgroup, int affinity) {
  const double quota = cgroup_quota(proc, cgroup);
  const int limit = std::max(1, affinity);
  return quota >= limit ? limit : std::max(1, static_cast<int>(std::ceil(quota)));
}

int cpu_budget() {
  int affinity = static_cast<int>(std::thread::hardware_concurrency());
  cpu_set_t cpus;
  CPU_ZERO(&cpus);
  if (sched_getaffinity(0, sizeof cpus, &cpus) == 0) affinity = CPU_COUNT(&cpus);
  return cpu_budget_under("/proc", "/sys/fs/cgroup", affinity);
}

}  // namespace onward::runtime
