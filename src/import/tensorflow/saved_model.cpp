#include "formats/tensorflow/saved_model.h"

#include <algorithm>

#include "base/error.h"
#include "base/mapped_file.h"
#include "import/tensorflow/normalize/recurrent.h"
#include "import/tensorflow/object_paths.h"
#include "import/tensorflow/ports.h"
#include "import/tensorflow/tensorflow.h"

namespace onward::importer {
namespace {

using namespace tf;  // NOLINT: this file is the package's front
using tensorflow::MetaGraph;

constexpr std::string_view kInitSignature = "__saved_model_init_op";

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

const MetaGraph& choose_meta(const std::vector<MetaGraph>& metas, const std::string& tag) {
  const std::string wanted = tag.empty() ? "serve" : tag;
  std::string known;
  for (const MetaGraph& meta : metas) {
    if (std::find(meta.tags.begin(), meta.tags.end(), wanted) != meta.tags.end()) return meta;
    known += (known.empty() ? "" : "; ") + (meta.tags.empty() ? std::string("(none)") : joined(meta.tags));
  }
  if (tag.empty() && metas.size() == 1) return metas.front();
  fail_invalid("no graph of the file has the tag \"" + wanted + "\"", "choose with --tag; the tags are: " + known);
}

const tensorflow::Signature& choose_signature(const MetaGraph& meta, const std::string& name) {
  std::vector<std::string> known;
  for (const auto& entry : meta.signatures) {
    if (entry.first != kInitSignature && entry.first != "__saved_model_train_op") known.push_back(entry.first);
  }
  if (known.empty()) {
    fail_invalid("the SavedModel has no signature, so its inputs and outputs are not known",
                 "save it with signatures (tf.saved_model.save(model, path, signatures=…))");
  }
  std::string wanted = name.empty() ? "serving_default" : name;
  if (name.empty() && known.size() == 1) wanted = known.front();
  const auto found = meta.signatures.find(wanted);
  if (found != meta.signatures.end()) return found->second;
  fail_invalid("the SavedModel has no signature \"" + wanted + "\"",
               "choose with --signature; it has: " + joined(known));
}

void add_ports(const std::string& name, const tensorflow::TensorInfo& info, std::vector<Port>& ports) {
  if (info.components.empty()) {
    ports.push_back({name, info.name, info.type, info.shape});
    return;
  }
  static constexpr const char* kSparse[] = {"indices", "values", "dense_shape"};
  for (size_t i = 0; i < info.components.size(); ++i) {
    add_ports(name + "_" + (info.sparse ? kSparse[i] : std::to_string(i)), info.components[i], ports);
  }
}

std::vector<Port> ports_of(const std::map<std::string, tensorflow::TensorInfo>& tensors) {
  std::vector<Port> ports;
  for (const auto& [name, info] : tensors) add_ports(name, info, ports);
  return ports;
}

// An asset's path, which must lie in the model's folder.
std::string asset_path(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::path relative = std::filesystem::path(name).lexically_normal();
  if (name.empty() || relative.is_absolute() || *relative.begin() == "..") {
    fail_data("an asset lies outside the model's folder: " + name);
  }
  return (folder / "assets" / relative).string();
}

Item text_item(ir::Builder& b, const std::string& text) { return b.constant(ir::Tensor::of_strings({}, {text})); }

// What the file runs when it is loaded: variables are restored, then tables filled.
class Loader {
 public:
  Loader(const std::filesystem::path& folder, const MetaGraph& meta, Program& program, Scope& scope,
         const tensorflow::Bundle* bundle)
      : folder_(folder), meta_(meta), scope_(scope), evaluator_(program, scope.b, ignored_, bundle) {}

  void run() {
    for (const tensorflow::Asset& asset : meta_.assets) {
      if (!knows(asset.tensor)) continue;
      feed(scope_, asset.tensor, text_item(scope_.b, asset_path(folder_, asset.filename)));
    }
    if (knows(meta_.filename_tensor)) feed(scope_, meta_.filename_tensor, text_item(scope_.b, "checkpoint"));
    run(meta_.restore_op);
    const auto signature = meta_.signatures.find(std::string(kInitSignature));
    if (signature != meta_.signatures.end()) {
      for (const auto& output : signature->second.outputs) run(output.second.name);
    } else {
      for (const char* name : {"saved_model_main_op", "main_op", "legacy_init_op"}) run_collection(name);
    }
    run_collection("table_initializer");
    // What could not be run is only a blocker where the signature needs it.
    std::erase_if(scope_.results, [](const auto& entry) {
      const Items& items = entry.second;
      return std::any_of(items.begin(), items.end(), [](const Item& item) { return item.is_untranslated(); });
    });
    std::erase_if(scope_.state.variables, [](const auto& entry) { return entry.second.is_untranslated(); });
    bind_captures();
  }

 private:
  bool knows(const std::string& tensor) const {
    return !tensor.empty() && scope_.body.index.contains(tensor.substr(0, tensor.find(':')));
  }
  void run(const std::string& node) {
    if (knows(node)) evaluator_.run(scope_, scope_.body.find(node).node);
  }
  void run_collection(const char* name) {
    const auto found = meta_.collections.find(name);
    if (found == meta_.collections.end()) return;
    for (const std::string& node : found->second) run(node);
  }

  // Variables that a function captures are objects, too. Some files restore copies of them only: then the object's own
  // path tells where the value lies.
  void bind_captures() {
    if (evaluator_.bundle() == nullptr || meta_.objects.empty()) return;
    const std::vector<std::string> keys = checkpoint_keys(meta_.objects);
    for (const BodyNode& call : scope_.body.nodes) {
      const auto function = call.def->attrs.find("f");
      if (function == call.def->attrs.end()) continue;
      const auto* reference = function->second.get_if<tensorflow::FunctionRef>();
      const auto bound = reference != nullptr ? meta_.bound_inputs.find(reference->name) : meta_.bound_inputs.end();
      if (bound == meta_.bound_inputs.end() || bound->second.size() > call.inputs.size()) continue;
      const size_t first = call.inputs.size() - bound->second.size();
      for (size_t i = 0; i < bound->second.size(); ++i) {
        const int32_t object = bound->second[i];
        if (object >= 0 && static_cast<size_t>(object) < keys.size()) bind(call.inputs[first + i], keys[object]);
      }
    }
  }
  void bind(const Endpoint& handle, const std::string& key) {
    const tensorflow::Node* node = scope_.body.nodes[handle.node].def;
    if (node->op != "VarHandleOp" || !evaluator_.bundle()->contains(key)) return;
    const Item item = evaluator_.evaluate(scope_, handle);
    if (item.resource() == nullptr || scope_.state.variables.contains(item.resource())) return;
    auto stored = std::make_shared<Stored>();
    stored->key = key;
    scope_.state.variables[item.resource()] = std::shared_ptr<const Stored>(std::move(stored));
  }

  const std::filesystem::path& folder_;
  const MetaGraph& meta_;
  Scope& scope_;
  Blockers ignored_;
  Evaluator evaluator_;
};

// Inputs and outputs of a program whose nodes have been resolved.
struct Ports {
  std::vector<Port> inputs;
  std::vector<Port> outputs;
};

Ports signature_ports(const MetaGraph& meta, const std::string& name) {
  const tensorflow::Signature& signature = choose_signature(meta, name);
  return {ports_of(signature.inputs), ports_of(signature.outputs)};
}

// `folder` holds the assets, `prefix` is the checkpoint's.
struct Files {
  std::filesystem::path name;
  std::filesystem::path folder;
  std::filesystem::path prefix;
};

ir::Model read_meta(const MetaGraph& meta, const Files& files, Program& program, const Ports& ports,
                    const Options& options, const ir::Inference& inference) {
  std::optional<tensorflow::Bundle> bundle;
  if (std::filesystem::exists(files.prefix.string() + ".index")) bundle = tensorflow::Bundle::open(files.prefix);
  const tensorflow::Bundle* stored = bundle ? &*bundle : nullptr;
  ir::Model model;
  model.producer = "tensorflow " + meta.tensorflow_version;
  ir::Builder builder(*model.graph, inference);
  Blockers blockers;
  State state;
  Scope scope{program.main(), {}, builder, state};
  add_inputs(ports.inputs, options, scope);
  Loader(files.folder, meta, program, scope, stored).run();
  Evaluator evaluator(program, builder, blockers, stored);
  add_outputs(ports.outputs, evaluator, scope, files.name.string());
  recognise_recurrent(*model.graph, inference);
  model.graph->drop_unused_constants();
  return model;
}

// What the file "checkpoint" of a folder names as the newest one, by its name alone: it may have been moved.
std::filesystem::path newest_checkpoint(const std::filesystem::path& folder) {
  const Bytes file = map_file(folder / "checkpoint");
  const std::string text(file.text());
  const std::string key = "model_checkpoint_path: \"";
  const size_t start = text.find(key);
  const size_t end = start == std::string::npos ? start : text.find('"', start + key.size());
  if (end == std::string::npos) fail_data("its file \"checkpoint\" names no checkpoint");
  const std::string name = text.substr(start + key.size(), end - start - key.size());
  return folder / std::filesystem::path(name).filename();
}

std::filesystem::path checkpoint_prefix(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return newest_checkpoint(path);
  std::filesystem::path prefix = path;
  return path.extension() == ".meta" ? prefix.replace_extension() : prefix;
}

}  // namespace

ir::Model read_saved_model(const std::filesystem::path& folder, const Options& options,
                           const ir::Inference& inference) {
  const std::vector<MetaGraph> metas = tensorflow::read_saved_model(folder);
  const MetaGraph& meta = choose_meta(metas, options.tag);
  const Ports ports = signature_ports(meta, options.signature);
  Program program(meta.graph);
  return read_meta(meta, {folder, folder, folder / "variables" / "variables"}, program, ports, options, inference);
}

ir::Model read_checkpoint(const std::filesystem::path& path, const Options& options, const ir::Inference& inference) {
  const std::filesystem::path prefix = checkpoint_prefix(path);
  const std::filesystem::path file = prefix.string() + ".meta";
  if (!std::filesystem::exists(file)) {
    fail_unsupported(
        "a checkpoint that holds variables only: there is no graph beside it (" + file.filename().string() + ")",
        "save the model as a SavedModel (tf.saved_model.save, or model.export of Keras) and convert that");
  }
  const MetaGraph meta = tensorflow::read_meta_graph(map_file(file), file.string());
  const bool by_signature = options.outputs.empty() && !meta.signatures.empty();
  if (options.outputs.empty() && !by_signature) {
    fail_invalid("a checkpoint's graph does not tell what of it is the model",
                 "name its outputs with --outputs, and its inputs with --inputs where they are not all placeholders");
  }
  Program program(meta.graph);
  const Ports ports = by_signature
                          ? signature_ports(meta, options.signature)
                          : Ports{graph_inputs(program.main(), options), graph_outputs(program.main(), options)};
  return read_meta(meta, {path, prefix.parent_path(), prefix}, program, ports, options, inference);
}

}  // namespace onward::importer
