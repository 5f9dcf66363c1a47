// How many CPUs this process may use.
#pragma once

#include <filesystem>

namespace onward::runtime {

// The smallest of the CPU affinity, the cgroup quota (v2 `cpu.max` of this group and its parents, v1
// `cpu.cfs_quota_us`), rounded up; at least 1. Read anew at each call.
int cpu_budget();

// The same with given roots, for tests: `proc` stands for /proc, `cgroup` for /sys/fs/cgroup, `affinity` for the number
// of CPUs the scheduler allows.
int cpu_budget_under(const std::filesystem::path& proc, const std::filesystem::path& cgroup, int affinity);

}  // namespace onward::runtime
