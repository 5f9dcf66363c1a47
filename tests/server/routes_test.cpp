#include "server/routes.h"

#include <gtest/gtest.h>

#include <set>

namespace onward::server {
namespace {

TEST(Routes, AreNamedOnceAndDescribed) {
  std::set<std::string> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert(std::string(route.method) + std::string(route.path)).second) << route.path;
    EXPECT_FALSE(route.summary.empty()) << route.path;
    EXPECT_FALSE(route.tag.empty()) << route.path;
    EXPECT_NE(route.handler, nullptr) << route.path;
  }
}

TEST(Routes, OnlyAdminsChangeAnything) {
  for (const Route& route : routes()) {
    const bool changes = route.path.ends_with("load") || (route.tag == "operation" && route.method == "POST");
    EXPECT_TRUE(!changes || route.role == Role::kAdmin) << route.path;
  }
}

}  // namespace
}  // namespace onward::server
