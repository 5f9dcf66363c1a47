// Runs python/onward/bridge in the user's own Python: a class and its weights become an exported program with recorded
// samples. The Python files are part of this binary; python/README.md describes what they do and leave.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace onward::bridge {

enum class Framework { kTorch, kKeras };

struct Request {
  Framework framework = Framework::kTorch;
  std::filesystem::path weights;
  std::string reference;            // "module:Class"
  std::vector<std::string> inputs;  // "NAME[:DTYPE]=DIMS"
  std::string python = "python3";
  std::filesystem::path folder;  // exists; where everything is left
};

struct Exported {
  std::filesystem::path model;   // .pt2, TorchScript or a SavedModel folder
  std::filesystem::path inputs;  // .npz
  std::filesystem::path outputs;
  std::string framework;  // "torch 2.13.0", "keras 3.15.0"
  std::string python;     // "3.11.2"
  std::vector<std::string> notes;
};

// Throws Error with the bridge's own message and remedy; a user's exception comes with the user's file and line.
Exported run(const Request& request);

}  // namespace onward::bridge
