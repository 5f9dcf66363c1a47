#include "bundle/payload.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "base/error.h"
#include "base/mapped_file.h"

namespace onward::bundle {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTrailer = sizeof(uint64_t) + kMark.size();
constexpr size_t kPiece = size_t{1} << 16;

void copy_out(std::ifstream& from, uint64_t offset, uint64_t size, const fs::path& to) {
  fs::create_directories(to.parent_path());
  std::ofstream file(to, std::ios::binary);
  std::array<char, kPiece> piece{};
  from.seekg(static_cast<std::streamoff>(offset));
  while (size > 0 && from && file) {
    const auto count = static_cast<std::streamsize>(std::min<uint64_t>(size, piece.size()));
    from.read(piece.data(), count);
    file.write(piece.data(), from.gcount());
    size -= static_cast<uint64_t>(count);
  }
  file.close();
  if (!from || !file) throw Error(Code::kResourceExhausted, "can't unpack " + to.string(), "is there room?");
}

}  // namespace

bool has_payload(const fs::path& program) {
  std::ifstream file(program, std::ios::binary);
  std::array<char, kMark.size()> mark{};
  file.seekg(-static_cast<std::streamoff>(kMark.size()), std::ios::end);
  return file.read(mark.data(), mark.size()) && std::string_view(mark.data(), mark.size()) == kMark;
}

Payload open_payload(const fs::path& program) {
  const Bytes file = map_file(program);
  if (file.size() < kTrailer) fail_data(program.string() + " is cut off");
  ByteReader reader(file.view(), program.string());
  reader.seek(file.size() - kTrailer);
  const auto size = reader.read<uint64_t>();
  if (size > file.size() - kTrailer) fail_data(program.string() + " is cut off: its models are not whole");
  const uint64_t offset = file.size() - kTrailer - size;
  return {offset, zip::Archive::open(file.slice(offset, size), program.string())};
}

void unpack(const fs::path& program, const Payload& payload, const fs::path& folder) {
  const fs::path part = folder.string() + "." + std::to_string(::getpid());
  fs::create_directory(part);
  fs::permissions(part, fs::perms::owner_all);
  try {
    std::ifstream file(program, std::ios::binary);
    for (const zip::Entry& entry : payload.archive.entries()) {
      copy_out(file, payload.offset + entry.data_offset, entry.size, part / entry.name);
    }
    std::error_code taken;
    fs::rename(part, folder, taken);
    if (taken) fs::remove_all(part);  // another process was faster
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(part, ignored);
    throw;
  }
}

}  // namespace onward::bundle
