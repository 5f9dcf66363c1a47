#include "tasks/feeds/sample_files.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

namespace onward::tasks {

namespace fs = std::filesystem;

bool is_npz(const std::string& file) { return fs::path(file).extension() == ".npz"; }

std::vector<std::string> sample_files(const std::string& folder) {
  static const std::set<std::string> kEndings{".npz", ".npy", ".png", ".jpg", ".jpeg", ".json"};
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    std::string ending = entry.path().extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
    if (entry.is_regular_file() && kEndings.contains(ending)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<std::string> sample_feeds(const std::string& file, const std::vector<runtime::ValueInfo>& inputs) {
  if (!is_npz(file)) return {file};
  std::vector<std::string> feeds;
  for (const runtime::ValueInfo& input : inputs) feeds.push_back(input.name + "=" + file);
  return feeds;
}

}  // namespace onward::tasks
