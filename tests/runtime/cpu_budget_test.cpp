#include "runtime/cpu_budget.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace onward::runtime {
namespace {

namespace fs = std::filesystem;

class CpuBudget : public testing::Test {
 protected:
  void SetUp() override {
    root_ = fs::path(testing::TempDir()) /
            ("cpu_budget_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(root_);
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }
  int budget(int affinity) { return cpu_budget_under(root_ / "proc", root_ / "cgroup", affinity); }

  fs::path root_;
};

TEST_F(CpuBudget, IsTheAffinityWithoutAQuota) { EXPECT_EQ(budget(6), 6); }

TEST_F(CpuBudget, RoundsAV2QuotaUp) {
  write("proc/self/cgroup", "0::/\n");
  write("cgroup/cpu.max", "150000 100000\n");
  EXPECT_EQ(budget(64), 2);
}

TEST_F(CpuBudget, TakesTheStrictestParent) {
  write("proc/self/cgroup", "0::/slice/unit\n");
  write("cgroup/slice/cpu.max", "300000 100000\n");
  write("cgroup/slice/unit/cpu.max", "max 100000\n");
  EXPECT_EQ(budget(64), 3);
}

TEST_F(CpuBudget, ReadsV1) {
  write("proc/self/cgroup", "4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n");
  write("cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
  write("cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(budget(8), 1);
}

TEST_F(CpuBudget, IgnoresNoQuotaAndNonsense) {
  write("cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  write("cgroup/cpu/cpu.cfs_period_us", "100000\n");
  write("cgroup/cpu.max", "nonsense");
  EXPECT_EQ(budget(4), 4);
  EXPECT_EQ(budget(0), 1);
}

}  // namespace
}  // namespace onward::runtime
