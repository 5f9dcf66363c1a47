// A model's config alone, translated without weights: mutations of JSON reach further than those of whole files.
#include "base/json.h"
#include "fuzz.h"
#include "import/keras/graph_builder.h"
#include "schema/schema_inference.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace onward;
  namespace keras = importer::keras;
  static const schema::SchemaInference kInference;
  return fuzz_one(data, size, [](const Bytes& file) {
    const keras::Model model = keras::read_model(Json::parse(file.text()));
    ir::Graph graph;
    ir::Builder builder(graph, kInference);
    ir::Values inputs;
    const size_t count = model.kind == keras::Model::Kind::kSequential ? 1 : model.inputs.size();
    for (size_t i = 0; i < count && i < 8; ++i) {
      inputs.push_back(graph.add_input("x" + std::to_string(i), ir::DType::kFloat, ir::Shape{ir::Dim("n"), 4, 6}));
    }
    importer::Blockers blockers;
    const keras::Weights weights;
    const keras::Assets assets;
    keras::Session session{builder, weights, assets, blockers};
    (void)keras::GraphBuilder(session).build(model, inputs, "");
  });
}
