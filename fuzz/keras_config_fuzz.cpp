// A model's config alone, translated without weights: mutations of JSON reach further than those of whole files.
#include "base/json.h"
#include "fuzz.h"
#include "import/keras/graph_builder.h"
#include "schema/schema_inference.h"

namespace {

using namespace onward;
namespace keras = importer::keras;

// What the layer says of its input; something like a batch of images where it says nothing.
ir::Shape shape_of(const keras::Layer* layer) {
  ir::Shape shape{ir::Dim("n")};
  const Json* given = layer == nullptr ? nullptr : layer->config.find("batch_shape");
  if (given == nullptr || !given->is_array() || given->size() == 0) return {ir::Dim("n"), 4, 6, 3};
  for (size_t i = 1; i < given->size() && i < 8; ++i) {
    const Json& dim = (*given)[i];
    const bool known = dim.is_number() && dim.as_int() > 0 && dim.as_int() < 100;
    shape.emplace_back(known ? ir::Dim(dim.as_int()) : ir::Dim("d" + std::to_string(i)));
  }
  return shape;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const schema::SchemaInference kInference;
  return fuzz_one(data, size, [](const Bytes& file) {
    const keras::Model model = keras::read_model(Json::parse(file.text()));
    ir::Graph graph;
    ir::Builder builder(graph, kInference);
    ir::Values inputs;
    const auto add = [&](const keras::Layer* layer) {
      inputs.push_back(graph.add_input("x" + std::to_string(inputs.size()), ir::DType::kFloat, shape_of(layer)));
    };
    if (model.kind == keras::Model::Kind::kSequential) {
      add(model.layers.empty() ? nullptr : &model.layers.front());
    } else {
      for (size_t i = 0; i < model.inputs.size() && i < 8; ++i) add(model.find(model.inputs[i].layer));
    }
    importer::Blockers blockers;
    const keras::Weights weights;
    const keras::Assets assets;
    keras::Session session{builder, weights, assets, blockers};
    (void)keras::GraphBuilder(session).build(model, inputs, "");
  });
}
