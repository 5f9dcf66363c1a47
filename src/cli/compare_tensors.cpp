#include "cli/compare_tensors.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_set>

#include "quantize/fidelity.h"
#include "quantize/probe.h"
#include "schema/schema_inference.h"
#include "tasks/loading.h"

namespace onward::cli {
namespace {

class Opener {
 public:
  explicit Opener(const Opened& opened)
      : inference_(opened.opset),
        host_{inference_,
              [&opened](ir::Model& model, const runtime::Watch& watch) {
                runtime::SessionOptions session = opened.session;
                session.watch = watch;
                return tasks::open_session(model, "the model", opened.opset, session);
              },
              {}} {}
  const quantize::Host& host() const { return host_; }

 private:
  schema::SchemaInference inference_;
  quantize::Host host_;
};

// What both compute, in the order of `a`.
std::vector<std::string> shared_names(ir::Graph& a, ir::Graph& b) {
  std::unordered_set<std::string> others;
  for (const ir::Node& node : b.nodes()) {
    for (const ir::Value* output : node.outputs()) others.insert(output->name);
  }
  std::vector<std::string> names;
  for (const ir::Node& node : a.nodes()) {
    for (const ir::Value* output : node.outputs()) {
      const bool floating = ir::is_floating(output->dtype);
      if (floating && !output->name.empty() && others.contains(output->name)) names.push_back(output->name);
    }
  }
  return names;
}

std::map<std::string, std::string> makers(const ir::Graph& graph) {
  std::map<std::string, std::string> operators;
  for (const ir::Node& node : graph.nodes()) {
    for (const ir::Value* output : node.outputs()) operators[output->name] = node.op_type;
  }
  return operators;
}

double largest_error(const ir::Tensor& expected, const ir::Tensor& got) {
  const std::vector<float> a = expected.floats();
  const std::vector<float> b = got.floats();
  double largest = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double error = std::abs(static_cast<double>(a[i]) - b[i]);
    if (std::isfinite(error)) largest = std::max(largest, error);
  }
  return largest;
}

}  // namespace

std::vector<TensorDifference> compare_tensors(const Opened& a, const std::vector<ir::Tensor>& inputs_a, const Opened& b,
                                              const std::vector<ir::Tensor>& inputs_b) {
  const std::vector<std::string> names = shared_names(*a.model.graph, *b.model.graph);
  if (names.empty()) return {};
  const std::map<std::string, std::string> made_by = makers(*a.model.graph);
  const Opener opener_a(a);
  const Opener opener_b(b);
  std::map<std::string, TensorDifference> found;
  quantize::visit_pairs(quantize::Probe(a.model, names, opener_a.host()), inputs_a,
                        quantize::Probe(b.model, names, opener_b.host()), inputs_b,
                        [&](const std::string& name, const ir::Tensor& expected, const ir::Tensor& got) {
                          if (expected.dims() != got.dims() || !ir::is_floating(got.dtype())) return;
                          quantize::Difference difference;
                          difference.add(expected, got);
                          found[name] = {name, made_by.at(name), difference.sqnr(), largest_error(expected, got)};
                        });
  std::vector<TensorDifference> differences;
  for (const std::string& name : names) {
    if (const auto one = found.find(name); one != found.end()) differences.push_back(one->second);
  }
  return differences;
}

}  // namespace onward::cli
