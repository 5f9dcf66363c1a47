#include "serving/repository.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"

namespace onward::serving {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

fs::path fixture(const std::string& name) {
  return fs::path(ONWARD_SOURCE_DIR) / "tests" / "fixtures" / "models" / (name + ".onnx");
}

class RepositoryTest : public testing::Test {
 protected:
  RepositoryTest()
      : folder_(fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~RepositoryTest() override { fs::remove_all(folder_); }

  void place(const std::string& model, int version, const std::string& name) const {
    const fs::path path = folder_ / model / std::to_string(version) / "model.onnx";
    fs::create_directories(path.parent_path());
    if (name.empty()) {
      std::ofstream(path) << "no model";
    } else {
      fs::copy_file(fixture(name), path, fs::copy_options::overwrite_existing);
    }
  }
  void configure(const std::string& model, const std::string& text) const {
    std::ofstream(folder_ / model / "model.yaml") << text;
  }
  RepositoryOptions options() const { return {.models = {}, .folder = folder_, .convert = {}}; }

  fs::path folder_;
};

std::vector<int64_t> numbers(const std::vector<ModelPtr>& models) {
  std::vector<int64_t> numbers;
  for (const ModelPtr& model : models) numbers.push_back(model->version());
  return numbers;
}

std::vector<std::string> names(const std::vector<ModelPtr>& models) {
  std::vector<std::string> names;
  for (const ModelPtr& model : models) names.push_back(model->name());
  return names;
}

template <class Action>
Error error_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::kOk, "no error");
}

TEST_F(RepositoryTest, ServesTheNewestVersionUnlessToldOtherwise) {
  place("m", 1, "linear");
  place("m", 2, "linear_v2");
  place("m", 10, "linear");
  Repository repository(options());
  repository.load_all();
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(10));
  configure("m", "versions: {latest: 2}\nlabels: {stable: 2}");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(2, 10));
  EXPECT_EQ(repository.find("m", "stable")->version(), 2);
  EXPECT_EQ(repository.find("m", "2")->version(), 2);
  EXPECT_EQ(repository.find("m", "0")->version(), 10);
  EXPECT_EQ(error_of([&] { repository.find("m", "1"); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { repository.find("m", "canary"); }).code(), Code::kNotFound);
  configure("m", "versions: all");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(1, 2, 10));
  configure("m", "versions: [1]");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(1));
}

TEST_F(RepositoryTest, KeepsAGoodVersionWhenANewOneFails) {
  place("m", 1, "linear");
  Repository repository(options());
  repository.load_all();
  place("m", 2, "");
  EXPECT_EQ(repository.poll().size(), 1U);
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(1));
  EXPECT_THAT(repository.poll(), IsEmpty()) << "a bad file is tried once, until it changes";
  place("m", 3, "linear_v2");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(3));
  configure("m", "max_batch: none");
  EXPECT_THAT(repository.poll().at(0).reason, HasSubstr("model.yaml:1: max_batch must be a whole number"));
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(3));
}

TEST_F(RepositoryTest, ClassesAreOfTheModelsOutputs) {
  place("m", 1, "linear");
  configure("m", "classes: {z: [cat, dog]}");
  Repository repository(options());
  EXPECT_THAT(error_of([&] { repository.load_all(); }).message(),
              HasSubstr("names classes of \"z\", which is no output of the model"));
  configure("m", "classes: {y: [cat, dog]}");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(numbers(repository.versions("m")), ElementsAre(1));
}

TEST_F(RepositoryTest, OneBadModelDoesNotStopTheOthers) {
  place("bad", 1, "");
  place("good", 1, "linear");
  Repository repository(options());
  repository.load_all();
  EXPECT_THAT(names(repository.models()), ElementsAre("good"));
  const Error error = error_of([&] { repository.find("bad"); });
  EXPECT_EQ(error.code(), Code::kUnavailable);
  EXPECT_THAT(error.message(), HasSubstr("not a valid ONNX file"));
  EXPECT_FALSE(repository.serves("bad"));
  EXPECT_TRUE(repository.serves("good"));
}

TEST_F(RepositoryTest, ForgetsWhatVanished) {
  place("a", 1, "linear");
  place("b", 1, "linear");
  Repository repository(options());
  repository.load_all();
  fs::remove_all(folder_ / "a");
  repository.poll();
  EXPECT_THAT(names(repository.models()), ElementsAre("b"));
}

TEST_F(RepositoryTest, LeavesUnloadedModelsAloneUntilLoaded) {
  place("m", 1, "linear");
  Repository repository(options());
  repository.load_all();
  repository.unload("m");
  EXPECT_EQ(error_of([&] { repository.find("m"); }).message(), "model \"m\" is not ready: unloaded");
  repository.poll();
  EXPECT_FALSE(repository.serves("m"));
  repository.load("m");
  EXPECT_EQ(repository.find("m")->version(), 1);
  EXPECT_EQ(error_of([&] { repository.load("other"); }).code(), Code::kNotFound);
}

class BudgetTest : public RepositoryTest {
 protected:
  BudgetTest() {
    for (const char* name : {"a", "b", "c"}) place(name, 1, "linear");
  }
  RepositoryOptions room_for(double models) const {
    RepositoryOptions given = options();
    given.heap_bytes = [] { return uint64_t{0}; };  // so that the file's size counts
    given.memory_bytes = static_cast<uint64_t>(static_cast<double>(fs::file_size(fixture("linear"))) * models);
    return given;
  }
};

std::string parked_by(const Repository& repository, const std::string& name) {
  try {
    repository.find(name);
  } catch (const Parked& parked) {
    return parked.name;
  }
  return {};
}

TEST_F(BudgetTest, LoadsOnDemandInPlaceOfTheLeastRecentlyUsed) {
  Repository repository(room_for(2.5));
  repository.load_all();
  EXPECT_THAT(names(repository.models()), ElementsAre("a", "b"));
  EXPECT_TRUE(repository.serves("c"));
  repository.find("a");
  EXPECT_EQ(parked_by(repository, "c"), "c");
  repository.wake({"c", 1});
  EXPECT_THAT(names(repository.models()), ElementsAre("a", "c"));
  EXPECT_EQ(parked_by(repository, "b"), "b");
  EXPECT_EQ(repository.parked().size(), 1U);
  repository.wake({"c", 1});  // another request did it already
  EXPECT_THAT(names(repository.models()), ElementsAre("a", "c"));
}

TEST_F(BudgetTest, KeepsRunningRequestsModels) {
  Repository repository(room_for(1.5));
  repository.load_all();
  const ModelPtr held = repository.find("a");
  repository.wake({"b", 1});
  const std::vector<ir::Tensor> inputs{ir::Tensor::of<float>({1, 3}, {1, 2, 3})};
  EXPECT_THAT(held->session().run(inputs).at(0).floats(), ElementsAre(3, 5, 7));
}

TEST_F(BudgetTest, RefusesWhatIsLargerThanTheBudget) {
  Repository repository(room_for(0.5));
  const Error error = error_of([&] { repository.load_all(); });
  EXPECT_EQ(error.code(), Code::kResourceExhausted);
  EXPECT_THAT(error.message(), HasSubstr("more than the memory budget"));
}

TEST_F(BudgetTest, SwapsANewVersionEvenWhereThereIsNoRoomBeside) {
  Repository repository(room_for(1.5));
  repository.load_all();
  place("a", 2, "linear_v2");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_EQ(repository.find("a")->version(), 2);
}

TEST_F(BudgetTest, CountsWhatTheHeapGrewBy) {
  RepositoryOptions given = options();
  given.memory_bytes = 2500;
  uint64_t held = 0;
  given.heap_bytes = [&held] { return held += 1000; };
  Repository repository(given);
  repository.load_all();
  EXPECT_EQ(repository.models().size(), 2U) << "of 1000 bytes each";
  for (const ModelPtr& model : repository.models()) EXPECT_EQ(model->bytes(), 1000U);
  given.memory_bytes = 900;
  Repository small(given);
  EXPECT_THAT(error_of([&] { small.load_all(); }).message(),
              HasSubstr("takes 1000 bytes, more than the memory budget"));
}

TEST_F(RepositoryTest, NamedModelsComeAndGo) {
  place("m", 1, "linear");
  Repository repository(options());
  repository.load_all();
  repository.add({"n", fixture("linear_v2")});
  EXPECT_THAT(names(repository.models()), ElementsAre("m", "n"));
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_EQ(error_of([&] { repository.add({"n", fixture("linear")}); }).code(), Code::kAlreadyExists);
  EXPECT_EQ(error_of([&] { repository.add({"m", fixture("linear")}); }).code(), Code::kAlreadyExists);
  EXPECT_EQ(error_of([&] { repository.add({"lost", folder_ / "lost.onnx"}); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { repository.add({"a/b", fixture("linear")}); }).code(), Code::kInvalidArgument);
  EXPECT_EQ(repository.index().size(), 2U) << "what failed leaves nothing behind";
  repository.remove("n");
  EXPECT_EQ(error_of([&] { (void)repository.find("n"); }).code(), Code::kNotFound);
  EXPECT_EQ(error_of([&] { repository.remove("n"); }).code(), Code::kNotFound);
  repository.remove("m");
  EXPECT_EQ(error_of([&] { (void)repository.find("m"); }).code(), Code::kUnavailable) << "the folder still has it";
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_THAT(repository.models(), IsEmpty());
}

TEST_F(RepositoryTest, ALibraryOfCustomOperatorsThatIsMissingIsToldByName) {
  place("m", 1, "linear");
  configure("m", "custom_ops: missing.so");
  Repository repository(options());
  EXPECT_THAT(error_of([&] { repository.load_all(); }).message(), HasSubstr((folder_ / "m" / "missing.so").string()));
}

TEST_F(RepositoryTest, MeasuresTheHeap) {
  place("m", 1, "wide");
  Repository repository(options());
  repository.load_all();
  EXPECT_GE(repository.find("m")->bytes(), fs::file_size(fixture("wide")));
}

TEST_F(RepositoryTest, FreesReplacedModelsWhenNoRequestUsesThem) {
  place("m", 1, "linear");
  Repository repository(options());
  repository.load_all();
  ModelPtr held = repository.find("m");
  const std::weak_ptr<const Model> first = held;
  place("m", 2, "linear_v2");
  EXPECT_THAT(repository.poll(), IsEmpty());
  EXPECT_EQ(repository.find("m")->version(), 2);
  EXPECT_TRUE(repository.has_retired());
  held.reset();
  EXPECT_FALSE(first.expired()) << "a request's end frees nothing";
  repository.free_retired();
  EXPECT_TRUE(first.expired());
  EXPECT_FALSE(repository.has_retired());
}

}  // namespace
}  // namespace onward::serving
