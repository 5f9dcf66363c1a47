// Files for the tests of the public API.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>

#include "onward/onward.hpp"

namespace onward {

inline std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (name + ".onnx");
}

// Folders that go when the test program ends.
class Scratch {
 public:
  ~Scratch() {
    for (const auto& folder : folders_) std::filesystem::remove_all(folder, ignored_);
  }
  void add(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    folders_.insert(folder);
  }

 private:
  std::set<std::filesystem::path> folders_;
  std::error_code ignored_;  // what stays behind is no failure of the test
};

// In the test's own folder.
inline std::filesystem::path scratch(const std::string& name) {
  static Scratch made;
  const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / (std::string(test.test_suite_name()) + "." + test.name());
  made.add(folder);
  return folder / name;
}

inline std::filesystem::path written(const std::string& name, std::string_view content) {
  const std::filesystem::path path = scratch(name);
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

// A GraphDef y = `op`(x) with x of [batch, 2]; `attributes` in protobuf's text form.
inline std::string graphdef(const std::string& op, const std::string& attributes = "") {
  return "node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } } "
         "attr { key: 'shape' value { shape { dim { size: -1 } dim { size: 2 } } } } }\n"
         "node { name: 'y' op: '" +
         op + "' input: 'x' " + attributes + "}\n";
}

inline Tensor floats(Dims dims, std::vector<float> values) { return *Tensor::from(std::move(dims), std::move(values)); }

}  // namespace onward
