#include "formats/torch/pt2_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "formats/listing.h"
#include "support/pt2_files.h"

namespace onward::torchfile {
namespace {

using namespace testing_pt2;  // NOLINT: the files under test
using testing::ElementsAre;
using testing::HasSubstr;

template <class Work>
void expect_refused(Code code, const std::string& reason, const Work& work) {
  try {
    work();
    ADD_FAILURE() << "accepted; expected: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.message();
    EXPECT_THAT(error.message(), HasSubstr(reason));
  }
}

void read_all(const Bytes& file) {
  const Pt2Archive archive = Pt2Archive::open(file, "m.pt2");
  (void)archive.program();
  for (const NamedTensor& weight : archive.weights()) (void)weight.tensor.contiguous();
  for (const NamedTensor& constant : archive.constants()) (void)constant.tensor.contiguous();
}

TEST(Pt2Archive, ReadsTheProgram) {
  const ExportedProgram program = Pt2Archive::open(pt2(), "m.pt2").program();
  EXPECT_EQ(program.torch_version, "2.13.0");
  ASSERT_EQ(program.graph.nodes.size(), 2U);
  EXPECT_EQ(program.graph.nodes[0].target, "torch.ops.aten.mul.Tensor");
  EXPECT_EQ(program.graph.nodes[0].inputs[1].value.text, "p_w");
  EXPECT_EQ(program.graph.nodes[0].inputs[1].keyword, false);
  EXPECT_EQ(program.graph.tensors.at("x").sizes[0].expression, kSymbol);
  EXPECT_EQ(program.graph.tensors.at("x").sizes[1].value, 2);
  EXPECT_EQ(program.inputs[0].target, "layer.w");
  EXPECT_EQ(program.range_constraints.at("s0").high, 64);
}

TEST(Pt2Archive, RawWeightsAreViewsOfTheFile) {
  const Bytes file = pt2();
  const StridedTensor weight = *Pt2Archive::open(file, "m.pt2").weight("layer.w");
  EXPECT_THAT(weight.sizes, ElementsAre(2));
  const Bytes bytes = weight.contiguous();
  EXPECT_EQ(bytes.text(), kWeight);
  EXPECT_GE(bytes.data(), file.data());
  EXPECT_LE(bytes.data() + bytes.size(), file.data() + file.size());
}

TEST(Pt2Archive, ARecordWithoutBytesIsZeros) {
  const Bytes file = pt2(program(), "");
  EXPECT_EQ(Pt2Archive::open(file, "m.pt2").weight("layer.w")->contiguous().text(), std::string(8, '\0'));
}

TEST(Pt2Archive, SwapsBigEndianWeights) {
  const Bytes file = archive({{"m/byteorder", "big"},
                              {"m/models/model.json", program()},
                              {"m/data/weights/model_weights_config.json", weights_config()},
                              {"m/data/weights/weight_0", std::string("\x3f\x80\0\0\x40\0\0\0", 8)}});
  EXPECT_EQ(Pt2Archive::open(file, "m.pt2").weight("layer.w")->contiguous().text(), kWeight);
}

TEST(Pt2Archive, ReadsTheFlatFormOfOldVersions) {
  const Bytes file = archive({{"serialized_exported_program.json", program()}, {"extra_files/note", "hello"}});
  const Pt2Archive flat = Pt2Archive::open(file, "m.pt2");
  EXPECT_EQ(flat.program().graph.nodes.size(), 2U);
  EXPECT_FALSE(flat.weight("layer.w"));
  EXPECT_EQ(flat.extra_file("note")->text(), "hello");
}

TEST(Pt2Archive, ChoosesAmongPrograms) {
  const Bytes two = archive({{"m/models/a.json", program()}, {"m/models/b.json", program()}});
  EXPECT_EQ(Pt2Archive::open(two, "m.pt2", "b").program().graph.nodes.size(), 2U);
  expect_refused(Code::kInvalidArgument, "several programs: a, b", [&] { read_all(two); });
  expect_refused(Code::kNotFound, "no program \"c\"", [&] { (void)Pt2Archive::open(two, "m.pt2", "c"); });
}

TEST(Pt2Archive, RefusesCompiledCodeAndOtherSchemas) {
  expect_refused(Code::kUnimplemented, "only compiled code", [] {
    read_all(archive({{"m/archive_format", "pt2"}, {"m/data/aotinductor/model/x.so", "x"}}));
  });
  expect_refused(Code::kUnimplemented, "schema 9",
                 [] { read_all(pt2(replaced(program(), R"("major": 8)", R"("major": 9)"))); });
}

TEST(Pt2Archive, RefusesDamage) {
  const auto damaged = [](const std::string& from, const std::string& to, const std::string& reason) {
    expect_refused(Code::kDataLoss, reason, [&] { read_all(pt2(replaced(program(), from, to))); });
  };
  damaged("\"graph_module\"", "\"module\"", "graph_module");
  damaged(R"("sizes")", R"("size")", "sizes");
  damaged(R"({"as_int": 2})", R"({"as_int": 2, "as_bool": true})", "tags");
  damaged(R"({"user_output": )", R"({"user_output": {"arg": {"as_none": true}}}, {"user_output": )", "differ");
  expect_refused(Code::kDataLoss, "m.pt2", [] { read_all(pt2("{")); });
  expect_refused(Code::kDataLoss, "outside its storage", [] { read_all(pt2(program(), std::string(4, 'x'))); });
  expect_refused(Code::kDataLoss, "lacks its record", [] {
    read_all(
        archive({{"m/models/model.json", program()}, {"m/data/weights/model_weights_config.json", weights_config()}}));
  });
}

TEST(Pt2Archive, ListsItsTensors) {
  const WeightsListing listing = list_weights(pt2(), "m.pt2");
  EXPECT_EQ(listing.form, "torch.export");
  ASSERT_EQ(listing.tensors.size(), 1U);
  EXPECT_EQ(listing.tensors[0].name, "layer.w");
  EXPECT_EQ(listing.tensors[0].dtype, "float32");
  EXPECT_EQ(listing.tensors[0].sha256, sha256_hex(as_bytes(kWeight)));
}

TEST(Pt2Archive, RefusesGraphsNestedWithoutEnd) {
  std::string inner = program();
  for (int i = 0; i < 90; ++i) {
    const std::string graph = R"({"as_graph": {"name": "g", "graph": {"inputs": [], "outputs": [], "nodes": [NODE],
                                 "tensor_values": {}, "sym_int_values": {}}}})";
    const std::string nested = node("torch.ops.higher_order.wrap", argument("", graph), tensor("y"));
    inner = i == 0 ? program(nested) : replaced(inner, "NODE", nested);
  }
  expect_refused(Code::kDataLoss, "too deep", [&] { read_all(pt2(replaced(inner, "NODE", ""))); });
}

}  // namespace
}  // namespace onward::torchfile
