#include "import/torch/pt2.h"

#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "formats/torch/pt2_archive.h"
#include "import/common/complex.h"
#include "import/torch/export/frozen_sizes.h"
#include "import/torch/export/graph_reader.h"
#include "import/torch/export/output_names.h"
#include "import/torch/export/symbols.h"
#include "import/torch/renames.h"

namespace onward::importer {
namespace {

using namespace exported;  // NOLINT: this file is the package's front
using torchfile::ExportedArgument;
using torchfile::ExportedProgram;
using torchfile::InputSpec;
using torchfile::OutputSpec;
using torchfile::TensorMeta;

bool is_user_output(const OutputSpec& output) {
  return (output.kind == OutputSpec::Kind::kUser || output.kind == OutputSpec::Kind::kLoss) &&
         output.argument.kind != ExportedArgument::Kind::kNone;
}

// Reads the weights and constants that the program uses, once each.
class Weights {
 public:
  Weights(const torchfile::Pt2Archive& archive, const ExportedProgram& program, ir::Builder& builder)
      : archive_(archive), builder_(builder) {
    for (const InputSpec& input : program.inputs) {
      if (input.kind != InputSpec::Kind::kUser) specs_[input.argument.text] = &input;
    }
  }

  std::optional<Py> operator()(const std::string& name, const std::string& part) {
    const auto found = specs_.find(name);
    if (found == specs_.end()) return std::nullopt;
    const InputSpec& spec = *found->second;
    if (spec.kind == InputSpec::Kind::kToken) return Py(script::None{});
    if (spec.kind == InputSpec::Kind::kCustomObject) {
      fail_unsupported("it uses \"" + spec.target + "\", an object of the class " + spec.argument.other,
                       "only tensors can be constants of an ONNX model");
    }
    if (spec.kind == InputSpec::Kind::kConstant) return std::nullopt;
    if (!part.empty()) {
      const std::optional<torchfile::StridedTensor> inner = archive_.part(spec.target, part);
      return inner ? std::optional(load(*inner, spec.target + "." + part)) : std::nullopt;
    }
    std::optional<torchfile::StridedTensor> tensor = archive_.weight(spec.target);
    if (!tensor) tensor = archive_.constant(spec.target);
    if (!tensor) fail_data("the archive lacks the tensor \"" + spec.target + "\"");
    return load(*tensor, spec.target);
  }

 private:
  // Tensors that share their elements are one object, as in PyTorch.
  Py load(const torchfile::StridedTensor& tensor, const std::string& name) {
    std::string key = tensor.storage_key + ":" + tensor.dtype + ":" + std::to_string(tensor.offset);
    for (size_t i = 0; i < tensor.sizes.size(); ++i) {
      key += "," + std::to_string(tensor.sizes[i]) + "/" + std::to_string(tensor.strides[i]);
    }
    const bool shared = !tensor.storage_key.empty();
    if (const auto known = tied_.find(key); shared && known != tied_.end()) return known->second;
    const std::optional<ir::DType> dtype = ir::dtype_from_name(tensor.dtype);
    if (!dtype || tensor.quantizer) {
      fail_unsupported("the tensor \"" + name + "\" has elements of type " + tensor.dtype);
    }
    ir::Value* constant = builder_.constant(pairs_of(ir::Tensor(*dtype, tensor.sizes, tensor.contiguous())), name);
    constant->complex = ir::is_complex(*dtype);
    Py value = Py::tensor(constant);
    if (shared) tied_[key] = value;
    return value;
  }

  const torchfile::Pt2Archive& archive_;
  ir::Builder& builder_;
  std::map<std::string, const InputSpec*> specs_;
  std::map<std::string, Py> tied_;
};

class Import {
 public:
  // `frozen`: sizes of inputs that the export fixed; `open` tells whether `program` has symbols in their place.
  Import(const torchfile::Pt2Archive& archive, ExportedProgram program, FrozenSizes frozen, bool open,
         const Options& options, const ir::Inference& inference)
      : archive_(archive),
        options_(options),
        program_(std::move(program)),
        frozen_(std::move(frozen)),
        open_(open),
        renames_(read_renames(archive.extra_file("onward.json"), archive.what())),
        builder_(*model_.graph, inference),
        reader_(builder_, blockers_, symbols_) {}

  ir::Model run() {
    model_.producer = program_.torch_version.empty() ? "torch" : "torch " + program_.torch_version;
    set_sizes();
    Weights weights(archive_, program_, builder_);
    reader_.read_missing_from(
        [&weights](const std::string& name, const std::string& part) { return weights(name, part); });
    const Items inputs = make_inputs();
    add_outputs(reader_.run(program_.graph, inputs));
    blockers_.throw_if_any(archive_.what());
    add_metadata();
    model_.graph->drop_unused_constants();
    return std::move(model_);
  }

 private:
  // --- inputs --------------------------------------------------------------------------------------------------------

  static bool is_value(const ExportedArgument& argument) {
    return argument.kind == ExportedArgument::Kind::kTensor || argument.kind == ExportedArgument::Kind::kSymbol;
  }
  static bool is_number(const ExportedArgument& argument) {
    return argument.kind == ExportedArgument::Kind::kInt || argument.kind == ExportedArgument::Kind::kFloat ||
           argument.kind == ExportedArgument::Kind::kBool;
  }

  const TensorMeta& meta(const std::string& name) const {
    const auto found = program_.graph.tensors.find(name);
    if (found == program_.graph.tensors.end()) fail_data("the file does not describe its tensor \"" + name + "\"");
    return found->second;
  }

  // What the user calls the program with, with its names. Numbers that the export fixed stay inputs, which nothing
  // uses, so that calls keep their form; None and strings can be none.
  std::vector<std::pair<const InputSpec*, std::string>> user_inputs() const {
    std::vector<std::pair<const InputSpec*, std::string>> inputs;
    for (const InputSpec& input : program_.inputs) {
      const bool user = input.kind == InputSpec::Kind::kUser || input.kind == InputSpec::Kind::kConstant;
      if (!user || !(is_value(input.argument) || is_number(input.argument))) continue;
      const std::string& name = is_value(input.argument) ? input.argument.text : input.target;
      inputs.emplace_back(&input, name.empty() ? "input_" + std::to_string(inputs.size()) : name);
    }
    if (renames_.inputs.empty()) return inputs;
    check_renames("inputs", renames_.inputs.size(), inputs.size(), archive_.what());
    for (size_t i = 0; i < inputs.size(); ++i) inputs[i].second = renames_.inputs[i];
    return inputs;
  }

  // Takes the sizes that the user gave with --input, before any shape is looked at.
  void set_sizes() {
    std::set<std::string> names;
    for (const auto& [input, name] : user_inputs()) {
      names.insert(name);
      const auto wanted = options_.input_dims.find(name);
      if (wanted == options_.input_dims.end()) continue;
      if (input->argument.kind != ExportedArgument::Kind::kTensor) {
        fail_invalid("the input \"" + name + "\" is a number: it has no dimensions");
      }
      const TensorMeta& tensor = meta(input->argument.text);
      if (wanted->second.size() != tensor.sizes.size()) {
        fail_invalid("the input \"" + name + "\" has " + std::to_string(tensor.sizes.size()) + " dimensions, not " +
                     std::to_string(wanted->second.size()));
      }
      for (size_t i = 0; i < tensor.sizes.size(); ++i) {
        symbols_.set(tensor.sizes[i], wanted->second[i],
                     "dimension " + std::to_string(i) + " of the input \"" + name + "\"");
      }
    }
    for (const auto& [name, dims] : options_.input_dims) {
      if (names.contains(name)) continue;
      std::string known;
      for (const std::string& input : names) known += (known.empty() ? "" : ", ") + input;
      fail_invalid("the model has no input \"" + name + "\"", "its inputs are " + known);
    }
  }

  // One for each input of the program's graph; what is no input of the model's stands as None until it is asked for.
  Items make_inputs() {
    std::map<const InputSpec*, Py> made;
    for (const auto& [input, name] : user_inputs()) made[input] = make_input(input->argument, name);
    Items inputs;
    for (const InputSpec& spec : program_.inputs) {
      const auto found = made.find(&spec);
      inputs.push_back(found == made.end() ? Py(script::Uninitialized{}) : found->second);
    }
    return inputs;
  }

  Py make_input(const ExportedArgument& argument, const std::string& name) {
    ir::Graph& graph = *model_.graph;
    if (argument.kind == ExportedArgument::Kind::kTensor) {
      const TensorMeta& tensor = meta(argument.text);
      const std::optional<ir::DType> dtype = ir::dtype_from_name(tensor.dtype);
      if (!dtype || !tensor.strided) fail_unsupported("the input \"" + name + "\" has a type that ONNX lacks");
      check_dtype(options_, name, *dtype);
      return Py::tensor(add_input(graph, name, *dtype, symbols_.shape(tensor)));
    }
    if (is_number(argument)) {
      const ir::DType dtype = argument.kind == ExportedArgument::Kind::kFloat  ? ir::DType::kDouble
                              : argument.kind == ExportedArgument::Kind::kBool ? ir::DType::kBool
                                                                               : ir::DType::kInt64;
      graph.add_input(name, dtype, ir::Shape{});
      const bool real = dtype == ir::DType::kDouble;
      fixed_.set(name, real ? Json(argument.number) : Json(argument.integer));
      return script::Uninitialized{};
    }
    return script::Symbolic{graph.add_input(name, ir::DType::kInt64, ir::Shape{}), script::Symbolic::Kind::kInt};
  }

  // --- outputs -------------------------------------------------------------------------------------------------------

  void add_outputs(const Items& results) {
    const std::vector<std::optional<std::string>> paths = names_of_outputs(program_);
    std::vector<std::pair<const Py*, std::string>> outputs;
    size_t user = 0;
    for (size_t i = 0; i < program_.outputs.size(); ++i) {
      const OutputSpec& output = program_.outputs[i];
      const bool counted = output.kind == OutputSpec::Kind::kUser || output.kind == OutputSpec::Kind::kLoss;
      const std::optional<std::string> path = counted ? paths[user++] : std::nullopt;
      if (!is_user_output(output)) continue;
      outputs.emplace_back(&results[i], path ? *path : output.argument.text);
    }
    if (!renames_.outputs.empty()) {
      check_renames("outputs", renames_.outputs.size(), outputs.size(), archive_.what());
      for (size_t i = 0; i < outputs.size(); ++i) outputs[i].second = renames_.outputs[i];
    }
    for (const auto& [value, name] : outputs) add_output(*value, unique_output(name));
  }

  void add_output(const Py& value, const std::string& name) {
    if (value.is_tensor()) {
      model_.graph->add_output(reader_.value(value), name);
    } else if (value.is_number()) {
      ir::Value* number = reader_.scalar(value);
      model_.graph->add_output(value.is_float() ? builder_.Cast(number, ir::DType::kFloat) : number, name);
    } else if (value.is<script::Uninitialized>()) {
      fail_unsupported("the output \"" + name + "\" is a further result of its operator that is not translated");
    } else if (!value.is_none() && !value.is<std::string>()) {
      fail_unsupported("the output \"" + name + "\" is " + std::string(value.type_name()));
    }
  }

  std::string unique_output(const std::string& wanted) {
    std::string name = wanted.empty() ? "output" : wanted;
    for (int i = 1; !output_names_.insert(name).second; ++i) {
      name = (wanted.empty() ? "output" : wanted) + "_" + std::to_string(i);
    }
    return name;
  }

  // --- the rest ------------------------------------------------------------------------------------------------------

  void add_metadata() {
    Json ranges = Json::object();
    for (const auto& [symbol, range] : program_.range_constraints) {
      ranges.set(symbol, Json::array({range.low ? Json(*range.low) : Json(), range.high ? Json(*range.high) : Json()}));
    }
    if (ranges.size() > 0) model_.metadata["onward.ranges"] = ranges.dump();
    if (fixed_.size() > 0) model_.metadata["onward.fixed_inputs"] = fixed_.dump();
    const Json frozen = frozen_inputs();
    if (frozen.size() > 0) model_.metadata[open_ ? "onward.opened_sizes" : "onward.fixed_sizes"] = frozen.dump();
  }

  // {"x": {"1": 7}}: the input's dimension 1 was left open, and fixed to 7 all the same.
  Json frozen_inputs() const {
    Json frozen = Json::object();
    for (const auto& [input, name] : user_inputs()) {
      const auto found = frozen_.find(input->argument.text);
      if (found == frozen_.end()) continue;
      Json axes = Json::object();
      for (const auto& [axis, size] : found->second) axes.set(std::to_string(axis), size);
      frozen.set(name, std::move(axes));
    }
    return frozen;
  }

  const torchfile::Pt2Archive& archive_;
  const Options& options_;
  ExportedProgram program_;
  FrozenSizes frozen_;
  bool open_;
  Renames renames_;
  ir::Model model_;
  ir::Builder builder_;
  Blockers blockers_;
  Symbols symbols_;
  GraphReader reader_;
  std::set<std::string> output_names_;
  Json fixed_ = Json::object();  // inputs whose value the export fixed
};

}  // namespace

ir::Model read_pt2(const Bytes& file, std::string_view what, const Options& options, const ir::Inference& inference) {
  const torchfile::Pt2Archive archive = torchfile::Pt2Archive::open(file, what, options.signature);
  const ExportedProgram& program = archive.program();
  FrozenSizes frozen = frozen_sizes(program);
  if (only_inputs_are_frozen(program, frozen)) {
    try {
      return Import(archive, opened(program, frozen), frozen, true, options, inference).run();
    } catch (const Error& error) {  // some operators need the number after all
      if (error.code() != Code::kUnimplemented && error.code() != Code::kInvalidArgument) throw;
    }
  }
  return Import(archive, program, std::move(frozen), false, options, inference).run();
}

}  // namespace onward::importer
