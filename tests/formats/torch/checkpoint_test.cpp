#include "formats/torch/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/listing.h"
#include "formats/zip.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string text(const std::string& value) { return "\x8c" + std::string(1, static_cast<char>(value.size())) + value; }
std::string number(int value) { return "K" + std::string(1, static_cast<char>(value)); }

// _rebuild_tensor_v2 of a float storage `key` of `count` elements.
std::string tensor(const std::string& key, int count, const std::string& sizes, const std::string& strides,
                   int offset = 0, const std::string& type = "FloatStorage") {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\n" + type + "\n" + text(key) +
         text("cpu") + number(count) + "tQ" + number(offset) + sizes + strides + "\x89" +
         "ccollections\nOrderedDict\n)Rt" + "R";
}
std::string tuple(std::initializer_list<int> numbers) {
  std::string out = "(";
  for (const int value : numbers) out += number(value);
  return out + "t";
}

Bytes checkpoint(const std::string& pickled, std::vector<std::pair<std::string, std::string>> members = {}) {
  zip::Writer writer;
  writer.add("m/data.pkl", Bytes::from_string("\x80\x02" + pickled + "."));
  for (auto& [name, data] : members) writer.add("m/" + name, Bytes::from_string(data));
  std::string file;
  for (const ByteView part : writer.parts()) file += as_text(part);
  return Bytes::from_string(file);
}

std::vector<std::string> names(const Bytes& file) {
  std::vector<std::string> names;
  for (const auto& tensor : torchfile::read_checkpoint(file, "m.pth").tensors) names.push_back(tensor.name);
  return names;
}

void expect_refused(const Bytes& file, Code code, const std::string& reason) {
  try {
    (void)torchfile::read_checkpoint(file, "m.pth");
    ADD_FAILURE() << "accepted; expected: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(reason));
  }
}

const std::string kFour(16, 'x');

TEST(Checkpoint, NamesTensorsByTheirPath) {
  const std::string t = tensor("0", 4, tuple({4}), tuple({1}));
  const auto file = checkpoint("}(" + text("a") + "](" + t + number(3) + "e" + text("b") + "}(" + number(7) + t + "uu",
                               {{"data/0", kFour}});
  EXPECT_THAT(names(file), ElementsAre("a.0", "b.7"));
}

TEST(Checkpoint, TheRootMayBeTheTensor) {
  EXPECT_THAT(names(checkpoint(tensor("0", 4, tuple({2, 2}), tuple({2, 1})), {{"data/0", kFour}})), ElementsAre(""));
}

TEST(Checkpoint, ReadsStridedViewsAsContiguousBytes) {
  const auto file = checkpoint(tensor("0", 6, tuple({2, 2}), tuple({1, 2}), 1, "CharStorage"), {{"data/0", "abcdef"}});
  const auto read = torchfile::read_checkpoint(file, "m.pth");
  EXPECT_EQ(read.tensors[0].tensor.contiguous().text(), "bdce");
  EXPECT_EQ(list_weights(file, "m.pth").tensors[0].dtype, "int8");
}

TEST(Checkpoint, SwapsBigEndianStorages) {
  const auto file =
      checkpoint(tensor("0", 2, tuple({2}), tuple({1}), 0, "ShortStorage"), {{"byteorder", "big"}, {"data/0", "abcd"}});
  EXPECT_EQ(torchfile::read_checkpoint(file, "m.pth").tensors[0].tensor.contiguous().text(), "badc");
}

TEST(Checkpoint, ListsAModuleAsItsStateDict) {
  const std::string t = tensor("0", 4, tuple({4}), tuple({1}));
  const std::string inner = "cmodel\nInner\n)\x81}(" + text("_parameters") + "}" + text("w") + t + "s" +
                            text("_buffers") + "}(" + text("kept") + t + text("hidden") + t + "u" + text("_modules") +
                            "}" + text("_non_persistent_buffers_set") + "\x8f(" + text("hidden") + "\x90" +
                            text("other") + t + "ub";
  const std::string outer = "cmodel\nNet\n)\x81}(" + text("_parameters") + "}" + text("_buffers") + "}" +
                            text("_modules") + "}" + text("layer") + inner + "sub";
  EXPECT_THAT(names(checkpoint(outer, {{"data/0", kFour}})), ElementsAre("layer.w", "layer.kept"));
}

TEST(Checkpoint, RefusesCalls) {
  const std::vector<std::string> globals = {"posix\nsystem", "os\nsystem",    "builtins\neval", "subprocess\nPopen",
                                            "torch\nload",   "model\nhelper", "numpy\nload",    "torch.hub\nload"};
  for (std::string global : globals) {
    const auto file = checkpoint("c" + global + "\n" + text("touch x") + "\x85R");
    global[global.find('\n')] = '.';
    expect_refused(file, Code::kPermissionDenied, global);
  }
  expect_refused(checkpoint("cos\nsystem\n"), Code::kPermissionDenied, "os.system");
  expect_refused(checkpoint("cbuiltins\ngetattr\n"), Code::kPermissionDenied, "builtins.getattr");
}

TEST(Checkpoint, RefusesImpossibleTensors) {
  const auto refuse = [](const std::string& pickled, const std::string& reason) {
    expect_refused(checkpoint(pickled, {{"data/0", kFour}}), Code::kDataLoss, reason);
  };
  refuse(tensor("0", 4, tuple({5}), tuple({1})), "outside its storage");
  refuse(tensor("0", 4, tuple({4}), tuple({1}), 1), "outside its storage");
  refuse(tensor("0", 4, tuple({4}), tuple({1, 1})), "1 sizes and 2 strides");
  refuse(tensor("0", 5, tuple({5}), tuple({1})), "16 bytes");
  refuse(tensor("9", 4, tuple({4}), tuple({1})), "not in the archive");
  refuse(tensor("../x", 4, tuple({4}), tuple({1})), "not in the archive");
  refuse(tensor("0", 4, "(J\xff\xff\xff\xfft", tuple({1})), "negative");
  refuse(tensor("0", 4, "(\x8a\x07\xff\xff\xff\xff\xff\xff\x7f\x8a\x07\xff\xff\xff\xff\xff\xff\x7ft", tuple({0, 0})),
         "more elements");
}

TEST(Checkpoint, EndsOnCyclesAndBombs) {
  EXPECT_THAT(names(checkpoint("]q\x01h\x01"
                               "a")),
              ElementsAre());
  std::string bomb =
      "]q\x01"
      "0";
  for (char level = 2; level < 60; ++level) {
    bomb += "](";
    for (int i = 0; i < 40; ++i) bomb += std::string("h") + static_cast<char>(level - 1);
    bomb += std::string("eq") + level + "0";
  }
  EXPECT_THAT(names(checkpoint(bomb + "h\x3b")), ElementsAre());
}

TEST(Checkpoint, ReadsTheLegacyForm) {
  const std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
  const std::string system = "\x80\x02}" + text("little_endian") + "\x88s.";
  const std::string object = "\x80\x02}" + text("w") + tensor("77", 4, tuple({4}), tuple({1}), 0, "ByteStorage") + "s.";
  const std::string keys = "\x80\x02](" + text("77") + "e.";
  const std::string storage = "\x04\0\0\0\0\0\0\0abcd"s;
  const std::string head = magic + "\x80\x02M\xe9\x03." + system + object + keys;
  const auto read = torchfile::read_checkpoint(Bytes::from_string(head + storage), "m.pth");
  EXPECT_EQ(read.form, "torch.save (legacy)");
  EXPECT_EQ(read.tensors[0].tensor.contiguous().text(), "abcd");
  expect_refused(Bytes::from_string(head + storage.substr(0, 11)), Code::kDataLoss, "claims 4 elements");
  expect_refused(Bytes::from_string("\x80\x02K\x05."), Code::kUnimplemented, "not one of torch.save");
}

}  // namespace
}  // namespace onward
