#include "import/tensorflow/object_paths.h"

#include <deque>

namespace onward::importer::tf {
namespace {

// A name as one part of a path.
std::string escaped(const std::string& name) {
  std::string text;
  for (const char c : name) text += c == '.' ? ".." : c == '/' ? ".S" : std::string(1, c);
  return text;
}

}  // namespace

// The shortest path from the root (object 0), as TensorFlow names what several paths lead to.
std::vector<std::string> checkpoint_keys(const std::vector<tensorflow::TrackedObject>& objects) {
  std::vector<std::string> keys(objects.size());
  std::vector<bool> seen(objects.size(), false);
  std::deque<std::pair<size_t, std::string>> open;
  if (!objects.empty()) {
    open.emplace_back(0, "");
    seen[0] = true;
  }
  while (!open.empty()) {
    const auto [number, path] = open.front();
    open.pop_front();
    keys[number] = path + ".ATTRIBUTES/VARIABLE_VALUE";
    for (const tensorflow::TrackedObject::Child& child : objects[number].children) {
      if (child.node >= objects.size() || seen[child.node]) continue;
      seen[child.node] = true;
      open.emplace_back(child.node, path + escaped(child.name) + "/");
    }
  }
  return keys;
}

}  // namespace onward::importer::tf
