#include "formats/zip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <functional>

#include "base/error.h"

namespace onward {
namespace {

using testing::HasSubstr;

std::string join(const std::vector<ByteView>& parts) {
  std::string file;
  for (const ByteView part : parts) file += as_text(part);
  return file;
}

std::string archive_of(const std::vector<std::pair<std::string, std::string>>& members) {
  zip::Writer writer;
  for (const auto& [name, data] : members) writer.add(name, as_bytes(data));
  return join(writer.parts());
}

void expect_refused(const std::string& file, const std::string& reason) {
  try {
    const auto archive = zip::Archive::open(Bytes::from_string(file));
    for (const auto& entry : archive.entries()) (void)archive.read(entry);
    FAIL() << "accepted; expected: " << reason;
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr(reason));
  }
}

// Replaces every occurrence, which keeps local header and central directory in step.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// One deflated member, its header saying `claimed` bytes.
std::string deflated(const std::string& data, uint32_t claimed) {
  std::string packed(compressBound(data.size()) + 64, '\0');
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  std::string file = archive_of({{"m", packed}});
  const uint32_t crc = zip::crc32(as_bytes(data));
  for (const size_t header : {size_t{0}, file.find("PK\x01\x02")}) {
    const size_t shift = header == 0 ? 0 : 2;
    file[header + 8 + shift] = 8;
    file.replace(header + 14 + shift, 4, reinterpret_cast<const char*>(&crc), 4);
    file.replace(header + 22 + shift, 4, reinterpret_cast<const char*>(&claimed), 4);
  }
  return file;
}

TEST(Zip, ReadsBackWhatItWrote) {
  const auto archive = zip::Archive::open(Bytes::from_string(archive_of({{"a/b", "hello"}, {"empty", ""}})));
  EXPECT_THAT(archive.names(), testing::ElementsAre("a/b", "empty"));
  EXPECT_EQ(archive.read("a/b").text(), "hello");
  EXPECT_EQ(archive.read("empty").size(), 0U);
  EXPECT_EQ(archive.find("nothing"), nullptr);
  EXPECT_THROW((void)archive.read("nothing"), Error);
}

TEST(Zip, StoredMembersAreViewsOfTheFile) {
  const Bytes file = Bytes::from_string(archive_of({{"a", "hello"}}));
  const Bytes member = zip::Archive::open(file).read("a");
  EXPECT_GE(member.data(), file.data());
  EXPECT_LE(member.data() + member.size(), file.data() + file.size());
}

TEST(Zip, InflatesDeflatedMembers) {
  const std::string data(5000, 'x');
  EXPECT_EQ(zip::Archive::open(Bytes::from_string(deflated(data, 5000))).read("m").text(), data);
}

TEST(Zip, EveryTruncationIsRefused) {
  const std::string file = archive_of({{"a", "hello"}, {"b", "world"}});
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_THROW((void)zip::Archive::open(Bytes::from_string(file.substr(0, size))), Error) << size;
  }
}

TEST(Zip, RefusesHostileArchives) {
  const std::string good = archive_of({{"aaaa", "hello"}, {"bbbb", "world"}});
  const size_t central = good.find("PK\x01\x02");
  const auto changed = [&](const std::function<void(std::string&)>& change) {
    std::string file = good;
    change(file);
    return file;
  };
  expect_refused("PK", "too short");
  expect_refused(std::string(100, 'x'), "no end-of-archive record");
  expect_refused(replaced(good, "aaaa", "../a"), "leaves the archive");
  expect_refused(replaced(good, "aaaa", "a\\.."), "leaves the archive");
  expect_refused(replaced(good, "aaaa", "/etc"), "is absolute");
  expect_refused(replaced(good, "aaaa", "C:\\x"), "is absolute");
  expect_refused(replaced(good, "aaaa", std::string("a\0bc", 4)), "zero byte");
  expect_refused(replaced(good, "aaaa", "bbbb"), "two members");
  expect_refused(changed([](std::string& f) { f[30] = 'x'; }), "disagree on the name");
  expect_refused(changed([](std::string& f) { f[34] = 'H'; }), "wrong checksum");
  expect_refused(changed([&](std::string& f) { f[central + 8] |= 1; }), "is encrypted");
  expect_refused(changed([](std::string& f) { f[22] = 4; }), "disagree on the size");
  expect_refused(changed([&](std::string& f) { f[central + 10] = 12; }), "compression method 12");
  expect_refused(changed([&](std::string& f) { f[central + 24] = 9; }), "disagree on the size");
  // The second directory record points at the first member: "bbbb" there is "aaaa".
  const size_t second = good.find("PK\x01\x02", central + 1);
  expect_refused(changed([&](std::string& f) { f.replace(second + 42, 4, 4, '\0'); }), "disagree on the name");
}

TEST(Zip, RefusesOverlap) {
  // A whole archive inside a member, and a directory record that points into it.
  const std::string inner = archive_of({{"in", "x"}});
  std::string file = archive_of({{"out", inner}, {"in", "x"}});
  const size_t last = file.rfind("PK\x01\x02");
  const uint32_t inside = 30 + 3;
  file.replace(last + 42, 4, reinterpret_cast<const char*>(&inside), 4);
  expect_refused(file, "overlaps");
}

TEST(Zip, RefusesBombsBeforeInflating) {
  const std::string zeros(1 << 20, '\0');
  expect_refused(deflated(zeros, 0x7fffffff), "claims");
  zip::Limits limits;
  limits.free_size = 1 << 16;
  EXPECT_THROW((void)zip::Archive::open(Bytes::from_string(deflated(zeros, 1 << 20)), "x", limits), Error);
  expect_refused(deflated(zeros, (1 << 20) - 1), "does not inflate");
  expect_refused(deflated(zeros, (1 << 20) + 1), "does not inflate");
}

}  // namespace
}  // namespace onward
