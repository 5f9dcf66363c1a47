// A program that brings its models along, as a folder or as one executable file.
//
// The folder holds the program, bundle.json, the libraries it loads and models/. The single file is the program with a
// zip of the rest behind it; a program can't load libraries from inside itself, so that zip is unpacked where it starts
// for the first time (see Bundle::folder), and later starts use what is there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace onward::bundle {

struct Member {
  std::string name;  // its path in the folder
  Bytes content;
};

struct Contents {
  std::string program_name;
  Bytes program;
  std::vector<Member> libraries;
  std::vector<Member> models;  // named as users call them, with the ending of their format: "cells.onnx"
};

// Each appears whole or not at all, and takes the place of an older bundle at `path`. Throws Error(kAlreadyExists)
// where something else is there, else with the system's reason.
void write_folder(const std::filesystem::path& path, const Contents& contents);
void write_single_file(const std::filesystem::path& path, const Contents& contents);

struct Model {
  std::string name;
  std::filesystem::path file;
};

// What a program brought along. Not for several threads.
class Bundle {
 public:
  // None for a program without one. Reads nothing but what is needed to tell. Throws Error(kDataLoss) for a single file
  // that is cut off.
  static std::optional<Bundle> of(const std::filesystem::path& program);

  // The bundle's folder. That of a single file is, of the first of these that can be written, DIR/onward-<id>:
  // $ONWARD_UNPACK, $XDG_CACHE_HOME, ~/.cache, the folder for temporary files. Only its owner can write there; what
  // others can write is not used. Throws Error(kPermissionDenied) where there is none.
  const std::filesystem::path& folder();

  // By name. Throws Error(kDataLoss) when bundle.json is damaged.
  std::vector<Model> models();

 private:
  explicit Bundle(std::filesystem::path program) : program_(std::move(program)) {}

  std::filesystem::path program_;
  std::filesystem::path folder_;  // empty until it is known
};

}  // namespace onward::bundle
