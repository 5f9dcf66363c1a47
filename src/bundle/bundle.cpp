#include "bundle/bundle.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "bundle/payload.h"

namespace onward::bundle {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> places_to_unpack() {
  std::vector<fs::path> places;
  const auto add = [&](const char* variable, const char* below) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value != '\0') places.push_back(fs::path(value) / below);
  };
  add("ONWARD_UNPACK", "");
  add("XDG_CACHE_HOME", "");
  add("HOME", ".cache");
  std::error_code error;
  const fs::path temporary = fs::temp_directory_path(error);
  if (!error) places.push_back(temporary);
  return places;
}

// A folder that somebody else may write could hold somebody else's program.
bool only_mine(const fs::path& folder) {
  struct stat info {};
  return ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() &&
         (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool is_whole(const fs::path& folder, const zip::Archive& archive) {
  return only_mine(folder) && std::all_of(archive.entries().begin(), archive.entries().end(), [&](const auto& entry) {
           std::error_code error;
           return fs::file_size(folder / entry.name, error) == entry.size && !error;
         });
}

fs::path unpacked(const fs::path& program) {
  const Payload payload = open_payload(program);
  const Json description = Json::parse(payload.archive.read(kDescription).text());
  const std::string name = "onward-" + description.at("id").as_string();
  std::string tried;
  for (const fs::path& place : places_to_unpack()) {
    const fs::path folder = place / name;
    if (is_whole(folder, payload.archive)) return folder;
    try {
      fs::create_directories(place);
      if (!fs::exists(folder)) unpack(program, payload, folder);
      if (is_whole(folder, payload.archive)) return folder;
      tried += "\n  " + folder.string() + ": is there, but not as it should be; remove it";
    } catch (const std::exception& error) {
      tried += "\n  " + place.string() + ": " + error.what();
    }
  }
  throw Error(Code::kPermissionDenied, "this program could not unpack its libraries and models:" + tried,
              "set ONWARD_UNPACK to a folder that can be written");
}

}  // namespace

std::optional<Bundle> Bundle::of(const fs::path& program) {
  Bundle bundle(program);
  std::error_code error;
  if (fs::exists(program.parent_path() / kDescription, error)) {
    bundle.folder_ = program.parent_path();
  } else if (!has_payload(program)) {
    return std::nullopt;
  }
  return bundle;
}

const fs::path& Bundle::folder() {
  if (folder_.empty()) folder_ = unpacked(program_);
  return folder_;
}

std::vector<Model> Bundle::models() {
  const fs::path file = folder() / kDescription;
  std::vector<Model> models;
  try {
    const Bytes text = map_file(file);
    const Json description = Json::parse(text.text());
    for (const Json& model : description.at("models").as_array()) {
      models.push_back({model.at("name").as_string(), folder() / model.at("file").as_string()});
    }
  } catch (const Error& error) {
    fail_data(file.string() + ": " + error.message(), "make the bundle anew: onward bundle");
  }
  return models;
}

}  // namespace onward::bundle
