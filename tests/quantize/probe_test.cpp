#include "quantize/probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "graphs.h"

namespace onward::quantize {
namespace {

using testing::ElementsAre;

// A net with named values, opened once as a probe wants it.
ir::Model opened(ir::Model model) {
  host().open(model);
  return model;
}

std::vector<std::string> results(const ir::Model& model, std::string_view type) {
  std::vector<std::string> names;
  for (const ir::Node& node : model.graph->nodes()) {
    if (node.op_type == type) names.push_back(node.output()->name);
  }
  return names;
}

TEST(Probe, ShowsWhatIsComputedInItsOrder) {
  const ir::Model model = opened(product_net());
  const std::string relu = results(model, "Relu").front();
  const std::string first = results(model, "Add").front();
  const ir::Tensor x = random_tensor({2, 7, 40}, 1);
  std::vector<std::string> seen;
  std::vector<float> before;
  std::vector<float> after;
  Probe(model, {relu, "no such value", first, "x"}, host())
      .run({x}, [&](const std::string& name, const ir::Tensor& tensor) {
        seen.push_back(name);
        if (name == "x") {
          EXPECT_TRUE(tensor.same_content(x));
        }
        if (name == first) before = tensor.floats();
        if (name == relu) after = tensor.floats();
      });
  EXPECT_THAT(seen, ElementsAre("x", first, relu));
  for (float& value : before) value = std::max(value, 0.0F);
  EXPECT_EQ(before, after);
}

TEST(Probe, PassesOnWhatAVisitThrowsAndGoesOn) {
  const ir::Model model = opened(product_net());
  const Probe probe(model, results(model, "Add"), host());
  const std::vector<ir::Tensor> inputs{random_tensor({1, 7, 40}, 1)};
  int calls = 0;
  EXPECT_THROW(probe.run(inputs,
                         [&](const std::string&, const ir::Tensor&) {
                           ++calls;
                           fail_invalid("enough");
                         }),
               Error);
  EXPECT_EQ(calls, 1);
  calls = 0;
  probe.run(inputs, [&](const std::string&, const ir::Tensor&) { ++calls; });
  EXPECT_EQ(calls, 3);

  // A run that fails takes nothing along to the next one.
  calls = 0;
  EXPECT_THROW(probe.run({random_tensor({1, 7, 41}, 1)}, [&](const std::string&, const ir::Tensor&) { ++calls; }),
               Error);
  probe.run(inputs, [&](const std::string&, const ir::Tensor&) { ++calls; });
  EXPECT_EQ(calls, 3);
}

TEST(Probe, PairsAreOfTheSameNames) {
  const ir::Model model = opened(conv_net());
  std::vector<std::string> names = results(model, "Conv");
  const Probe all(model, names, host());
  const std::string left_out = names.back();
  names.pop_back();
  const Probe some(model, names, host());
  const std::vector<ir::Tensor> inputs{random_tensor({1, 3, 16, 16}, 1)};
  std::multiset<std::string> seen;
  visit_pairs(all, inputs, some, inputs, [&](const std::string& name, const ir::Tensor& a, const ir::Tensor& b) {
    seen.insert(name);
    EXPECT_TRUE(a.same_content(b)) << name;
  });
  EXPECT_EQ(seen, std::multiset<std::string>(names.begin(), names.end()));
}

}  // namespace
}  // namespace onward::quantize
