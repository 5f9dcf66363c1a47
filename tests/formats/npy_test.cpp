#include "formats/npy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace onward {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

std::string npy_file(const std::string& dict, const std::string& data, char version = 1) {
  std::string file = "\x93NUMPY"s + version + '\0';
  const auto length = static_cast<uint32_t>(dict.size());
  file.append(reinterpret_cast<const char*>(&length), version == 1 ? 2 : 4);
  return file + dict + data;
}

Array read(const std::string& file) { return npy::read(Bytes::from_string(file), "a.npy"); }

TEST(Npy, ReadsNumbers) {
  const Array array =
      read(npy_file("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }\n", "\x01\x00\x02\x00"s));
  EXPECT_EQ(array.dtype, "int16");
  EXPECT_THAT(array.shape, ElementsAre(2, 1));
  EXPECT_EQ(array.data.text(), "\x01\x00\x02\x00"s);
}

TEST(Npy, TurnsBigEndianAndFortranOrderAround) {
  EXPECT_EQ(read(npy_file("{'descr':'>u2','fortran_order':False,'shape':(2,)}", "\x01\x02\x03\x04", 2)).data.text(),
            "\x02\x01\x04\x03");
  EXPECT_EQ(read(npy_file("{'shape': (2, 3), 'fortran_order': True, 'descr': '|u1'}", "adbecf", 3)).data.text(),
            "abcdef");
  EXPECT_EQ(read(npy_file("{'descr':'>c8','fortran_order':False,'shape':()}", "abcdefgh")).data.text(), "dcbahgfe");
}

TEST(Npy, ReadsStrings) {
  const std::string wide = "a\0\0\0\xac\x20\0\0"s + "b\0\0\0\0\0\0\0"s;
  EXPECT_THAT(read(npy_file("{'descr':'<U2','fortran_order':False,'shape':(2,)}", wide)).strings,
              ElementsAre("a€", "b"));
  EXPECT_THAT(read(npy_file("{'descr':'|S2','fortran_order':False,'shape':(2,)}", "abc\0"s)).strings,
              ElementsAre("ab", "c"));
}

TEST(Npy, RefusesWhatItCannotRead) {
  const auto refuse = [](const std::string& file, const std::string& reason) {
    try {
      (void)read(file);
      ADD_FAILURE() << "accepted; expected: " << reason;
    } catch (const Error& error) {
      EXPECT_THAT(error.message(), HasSubstr(reason));
    }
  };
  refuse("nothing", "not an .npy file");
  refuse(npy_file("{'descr':'|O','fortran_order':False,'shape':(1,)}", "\x80\x04N."), "pickled objects");
  refuse(npy_file("{'descr':[('a','<f4')],'fortran_order':False,'shape':(1,)}", "abcd"), "a structured dtype");
  refuse(npy_file("{'descr':'<M8[s]','fortran_order':False,'shape':(1,)}", "abcdefgh"), "'<M8[s]'");
  refuse(npy_file("{'descr':'<f4','fortran_order':False,'shape':(2,)}", "abcd"), "needs 8 bytes");
  refuse(npy_file("{'descr':'<f4','fortran_order':False,'shape':(-2,)}", "abcd"), "negative");
  refuse(npy_file("{'descr':'<f4','fortran_order':False,'shape':(4611686018427387904,4)}", "abcd"), "more elements");
  refuse(npy_file("{'descr':'<f4','fortran_order':False}", "abcd"), "damaged .npy header");
  refuse(npy_file("{'descr':'<f4','fortran_order':False,'shape':(1", "abcd"), "damaged .npy header");
  refuse(npy_file("{'descr':'<U0','fortran_order':False,'shape':(2000000000,)}", ""), "too many empty strings");
  refuse("\x93NUMPY\x01\x00\xff\xff{"s, "unexpected end");
}

TEST(Npy, ReadsBackWhatItWrote) {
  const Array numbers{"float32", {2, 2}, Bytes::from_string("0123456789abcdef"), {}};
  const Array scalar{"int8", {}, Bytes::from_string("x"), {}};
  const Array strings{"string", {3}, {}, {"a", "héé", ""}};
  const auto arrays = npy::read_npz(npy::encode_npz({{"n", numbers}, {"0", scalar}, {"s", strings}}), "x.npz");
  ASSERT_EQ(arrays.size(), 3U);
  EXPECT_EQ(arrays[0].first, "n");
  EXPECT_EQ(arrays[0].second.data.text(), "0123456789abcdef");
  EXPECT_THAT(arrays[0].second.shape, ElementsAre(2, 2));
  EXPECT_THAT(arrays[1].second.shape, ElementsAre());
  EXPECT_EQ(arrays[2].second.strings, strings.strings);
  EXPECT_EQ(npy::encode(numbers).header.size() % 64, 0U);
}

}  // namespace
}  // namespace onward
