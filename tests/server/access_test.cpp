#include "server/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "errors.h"

namespace onward::server {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

std::string check(const ServeOptions& options, Role needed, std::string_view authorization, std::string_view key = {}) {
  return message_of([&] { check_access(KeyRing(options.keys), options.admin, needed, authorization, key); });
}

TEST(Access, WithoutKeysOnlyManagingIsClosed) {
  EXPECT_THAT(check({}, Role::kInfer, ""), IsEmpty());
  EXPECT_THAT(check({}, Role::kAdmin, ""), HasSubstr("managing models by request is off"));
  ServeOptions options;
  options.admin = true;
  EXPECT_THAT(check(options, Role::kAdmin, ""), IsEmpty());
}

TEST(Access, RolesOfKeys) {
  ServeOptions options;
  options.admin = true;
  options.keys = {{"abc", Role::kInfer}, {"xyz", Role::kAdmin}};
  EXPECT_THAT(check(options, Role::kOpen, ""), IsEmpty());
  EXPECT_THAT(check(options, Role::kInfer, ""), HasSubstr("an API key is wanted"));
  EXPECT_THAT(check(options, Role::kInfer, "Bearer ab"), HasSubstr("not known"));
  EXPECT_THAT(check(options, Role::kInfer, "Basic abc"), HasSubstr("an API key is wanted"));
  EXPECT_THAT(check(options, Role::kInfer, "bearer abc"), IsEmpty());
  EXPECT_THAT(check(options, Role::kInfer, "", "abc"), IsEmpty());
  EXPECT_THAT(check(options, Role::kAdmin, "Bearer abc"), HasSubstr("may not manage"));
  EXPECT_THAT(check(options, Role::kAdmin, "", "xyz"), IsEmpty());
}

TEST(Access, KeysCanBeReplaced) {
  KeyRing ring({{"old", Role::kInfer}});
  ring.replace({{"new", Role::kInfer}});
  const auto check = [&](std::string_view key) {
    return message_of([&] { check_access(ring, false, Role::kInfer, "", key); });
  };
  EXPECT_THAT(check("old"), HasSubstr("not known"));
  EXPECT_THAT(check("new"), IsEmpty());
}

}  // namespace
}  // namespace onward::server
