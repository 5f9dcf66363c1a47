#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/mapped_file.h"
#include "bundle/bundle.h"
#include "bundle/payload.h"
#include "formats/array.h"

namespace onward::bundle {
namespace {

namespace fs = std::filesystem;

std::string model_file(const Member& model) { return "models/" + model.name; }

// All but the program, bundle.json first. The id is of what is in it, so that the same bundle is unpacked once.
std::vector<Member> members_of(const Contents& contents) {
  std::vector<Member> members = contents.libraries;
  Json models = Json::array();
  for (const Member& model : contents.models) {
    models.push(Json::object({{"name", fs::path(model.name).stem().string()}, {"file", model_file(model)}}));
    members.push_back({model_file(model), model.content});
  }
  std::string digests;
  for (const Member& member : members) digests += member.name + " " + sha256_hex(member.content.view()) + "\n";
  const Json description =
      Json::object({{"id", sha256_hex(as_bytes(digests)).substr(0, 16)}, {"models", std::move(models)}});
  members.insert(members.begin(), {kDescription, Bytes::from_string(description.dump(2) + "\n")});
  return members;
}

void write_member(const fs::path& path, const Bytes& content) {
  fs::create_directories(path.parent_path());
  const ByteView parts[] = {content.view()};
  write_file(path, parts);
}

void make_executable(const fs::path& path) {
  fs::permissions(path, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec, fs::perm_options::add);
}

[[noreturn]] void fail_exists(const fs::path& path) {
  throw Error(Code::kAlreadyExists, path.string() + " exists and is no bundle", "remove it, or name another output");
}

}  // namespace

void write_folder(const fs::path& path, const Contents& contents) {
  if (fs::exists(path) && !fs::exists(path / kDescription)) fail_exists(path);
  const fs::path part = path.string() + ".part";
  fs::remove_all(part);
  try {
    for (const Member& member : members_of(contents)) write_member(part / member.name, member.content);
    write_member(part / contents.program_name, contents.program);
    make_executable(part / contents.program_name);
    fs::remove_all(path);
    fs::rename(part, path);
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(part, ignored);
    throw;
  }
}

void write_single_file(const fs::path& path, const Contents& contents) {
  if (fs::exists(path) && (!fs::is_regular_file(path) || !has_payload(path))) fail_exists(path);
  zip::Writer writer;
  for (Member& member : members_of(contents)) writer.add(std::move(member.name), std::move(member.content));
  std::vector<ByteView> parts{contents.program.view()};
  uint64_t size = 0;
  for (const ByteView part : writer.parts()) {
    parts.push_back(part);
    size += part.size();
  }
  parts.push_back(std::as_bytes(std::span(&size, 1)));
  parts.push_back(as_bytes(kMark));
  write_file(path, parts);
  make_executable(path);
}

}  // namespace onward::bundle
