#include "harness.h"

#include <cmath>
#include <map>
#include <random>

#include "export/onnx_writer.h"
#include "runtime/session.h"

namespace onward::passes::testing {

std::vector<ir::Tensor> random_inputs(const ir::Graph& graph, unsigned seed) {
  std::mt19937 random(seed);
  std::map<std::string, int64_t> symbols;
  std::vector<ir::Tensor> tensors;
  for (const ir::Value* input : graph.inputs()) {
    ir::Dims dims;
    for (const ir::Dim& dim : input->shape.value_or(ir::Shape{})) {
      if (dim.is_known()) {
        dims.push_back(dim.value());
      } else if (dim.is_symbol()) {
        dims.push_back(symbols.emplace(dim.symbol(), static_cast<int64_t>(2 + symbols.size())).first->second);
      } else {
        dims.push_back(2);
      }
    }
    const auto count = static_cast<size_t>(ir::element_count(dims));
    if (ir::is_floating(input->dtype)) {
      std::vector<double> values;
      for (size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(random() % 4096) / 1024 - 2);
      tensors.push_back(ir::Tensor::from_doubles(input->dtype, dims, values));
    } else {
      std::vector<int64_t> values;
      for (size_t i = 0; i < count; ++i) values.push_back(static_cast<int64_t>(random() % 4));
      tensors.push_back(ir::Tensor::from_ints(input->dtype, dims, values));
    }
  }
  return tensors;
}

std::vector<ir::Tensor> run(ir::Model& model, const std::vector<ir::Tensor>& inputs, int opset) {
  const exporter::Serialized file = exporter::serialize(model, {.opset = opset});
  std::string bytes;
  for (const Bytes& part : file.parts) bytes += part.text();
  const auto session = runtime::Session::from_bytes(Bytes::from_string(std::move(bytes)), "test",
                                                    {.rewrites = runtime::Rewrites::kNone});
  return session.run(inputs);
}

std::string difference(const std::vector<ir::Tensor>& got, const std::vector<ir::Tensor>& wanted, double tolerance) {
  if (got.size() != wanted.size()) return "another number of outputs";
  for (size_t i = 0; i < got.size(); ++i) {
    const std::string which = "output " + std::to_string(i) + ": ";
    if (got[i].dtype() != wanted[i].dtype()) return which + "another dtype";
    if (got[i].dims() != wanted[i].dims()) {
      return which + ir::shape_text(ir::to_shape(got[i].dims())) + " instead of " +
             ir::shape_text(ir::to_shape(wanted[i].dims()));
    }
    if (got[i].dtype() == ir::DType::kString) {
      if (got[i].strings() != wanted[i].strings()) return which + "other strings";
      continue;
    }
    const std::vector<double> a = got[i].doubles();
    const std::vector<double> b = wanted[i].doubles();
    for (size_t k = 0; k < a.size(); ++k) {
      if ((std::isnan(a[k]) && std::isnan(b[k])) || a[k] == b[k]) continue;
      if (!(std::fabs(a[k] - b[k]) <= tolerance * (1 + std::fabs(b[k])))) {
        return which + "element " + std::to_string(k) + " is " + std::to_string(a[k]) + " instead of " +
               std::to_string(b[k]);
      }
    }
  }
  return "";
}

}  // namespace onward::passes::testing
