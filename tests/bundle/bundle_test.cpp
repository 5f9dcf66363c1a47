#include "bundle/bundle.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "base/error.h"
#include "base/temporary_folder.h"

namespace onward::bundle {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

Contents contents() {
  Contents contents;
  contents.program_name = "app";
  contents.program = Bytes::from_string("#!/bin/sh\nexit 7\n");
  contents.libraries = {{"lib.so.1", Bytes::from_string("a library")}};
  contents.models = {{"cells.onnx", Bytes::from_string("weights")}, {"v1.2.ort", Bytes::from_string("more")}};
  return contents;
}

class BundleTest : public testing::Test {
 protected:
  BundleTest() : places_(temporary_.path() / "unpacked") {
    fs::create_directory(places_);
    setenv("ONWARD_UNPACK", places_.c_str(), 1);
  }
  ~BundleTest() override { unsetenv("ONWARD_UNPACK"); }

  fs::path single_file() {
    const fs::path path = temporary_.path() / "app.run";
    write_single_file(path, contents());
    return path;
  }

  TemporaryFolder temporary_;
  fs::path places_;
};

void expect_models(Bundle& bundle) {
  const std::vector<Model> models = bundle.models();
  ASSERT_EQ(models.size(), 2U);
  EXPECT_EQ(models[0].name, "cells");
  EXPECT_EQ(text_of(models[0].file), "weights");
  EXPECT_EQ(models[1].name, "v1.2");
  EXPECT_EQ(text_of(models[1].file), "more");
  EXPECT_EQ(text_of(bundle.folder() / "lib.so.1"), "a library");
}

TEST_F(BundleTest, FolderHoldsTheProgramLibrariesAndModels) {
  const fs::path folder = temporary_.path() / "app";
  write_folder(folder, contents());
  EXPECT_NE(fs::status(folder / "app").permissions() & fs::perms::owner_exec, fs::perms::none);
  auto bundle = Bundle::of(folder / "app");
  ASSERT_TRUE(bundle);
  EXPECT_EQ(bundle->folder(), folder);
  expect_models(*bundle);
}

TEST_F(BundleTest, SingleFileUnpacksOnceToAFolderOfOnesOwn) {
  const fs::path program = single_file();
  EXPECT_TRUE(text_of(program).starts_with("#!/bin/sh"));
  auto bundle = Bundle::of(program);
  ASSERT_TRUE(bundle);
  expect_models(*bundle);
  EXPECT_EQ(bundle->folder().parent_path(), places_);
  EXPECT_EQ(fs::status(bundle->folder()).permissions(), fs::perms::owner_all);
  const auto made = fs::last_write_time(bundle->folder() / "lib.so.1");
  auto again = Bundle::of(program);
  EXPECT_EQ(again->folder(), bundle->folder());
  EXPECT_EQ(fs::last_write_time(again->folder() / "lib.so.1"), made);
}

TEST_F(BundleTest, PassesOverAFolderThatOthersCanWrite) {
  auto first = Bundle::of(single_file());
  const fs::path planted = first->folder();
  fs::permissions(planted, fs::perms::all);
  setenv("XDG_CACHE_HOME", (temporary_.path() / "cache").c_str(), 1);
  auto bundle = Bundle::of(temporary_.path() / "app.run");
  EXPECT_EQ(bundle->folder().parent_path(), temporary_.path() / "cache");
  unsetenv("XDG_CACHE_HOME");
}

TEST_F(BundleTest, PassesOverAnUnpackedFolderThatIsNotWhole) {
  auto first = Bundle::of(single_file());
  fs::remove(first->folder() / "lib.so.1");
  setenv("XDG_CACHE_HOME", (temporary_.path() / "cache").c_str(), 1);
  auto bundle = Bundle::of(temporary_.path() / "app.run");
  EXPECT_EQ(text_of(bundle->folder() / "lib.so.1"), "a library");
  unsetenv("XDG_CACHE_HOME");
}

TEST_F(BundleTest, OtherModelsAreUnpackedElsewhere) {
  auto first = Bundle::of(single_file());
  const fs::path before = first->folder();
  Contents other = contents();
  other.models[0].content = Bytes::from_string("Weights");
  write_single_file(temporary_.path() / "app.run", other);
  auto bundle = Bundle::of(temporary_.path() / "app.run");
  EXPECT_NE(bundle->folder(), before);
}

TEST_F(BundleTest, ProgramsAloneHaveNone) {
  write_text(temporary_.path() / "program", "no bundle");
  EXPECT_FALSE(Bundle::of(temporary_.path() / "program"));
  write_text(temporary_.path() / "empty", "");
  EXPECT_FALSE(Bundle::of(temporary_.path() / "empty"));
}

TEST_F(BundleTest, TellsACutFile) {
  const std::string whole = text_of(single_file());
  // The front is gone: the zip's size is more than there is.
  write_text(temporary_.path() / "cut", whole.substr(whole.size() - 100));
  auto bundle = Bundle::of(temporary_.path() / "cut");
  ASSERT_TRUE(bundle);
  EXPECT_THROW(bundle->folder(), Error);
  // A mark with nothing before it.
  write_text(temporary_.path() / "mark", whole.substr(whole.size() - 8));
  auto mark = Bundle::of(temporary_.path() / "mark");
  ASSERT_TRUE(mark);
  EXPECT_THROW(mark->folder(), Error);
}

TEST_F(BundleTest, ReplacesABundleButNothingElse) {
  const fs::path folder = temporary_.path() / "app";
  fs::create_directory(folder);
  write_text(folder / "thesis.txt", "years of work");
  EXPECT_THROW(write_folder(folder, contents()), Error);
  EXPECT_EQ(text_of(folder / "thesis.txt"), "years of work");
  EXPECT_THROW(write_single_file(folder / "thesis.txt", contents()), Error);
  EXPECT_THROW(write_single_file(folder, contents()), Error);
  fs::remove_all(folder);
  write_folder(folder, contents());
  Contents other = contents();
  other.libraries.clear();
  write_folder(folder, other);
  EXPECT_FALSE(fs::exists(folder / "lib.so.1"));
}

}  // namespace
}  // namespace onward::bundle
