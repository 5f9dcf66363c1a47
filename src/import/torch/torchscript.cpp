#include "import/torch/torchscript.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "import/common/complex.h"
#include "import/torch/renames.h"
#include "import/torch/script/builtins.h"
#include "import/torch/script/interpreter.h"
#include "import/torch/script/operators.h"
#include "import/torch/script/structure.h"

namespace onward::importer {
namespace {

using namespace script;  // NOLINT: this file is the package's front
using torchscript::Expr;

constexpr size_t kMaxAttempts = 64;
constexpr std::string_view kRefused = "the program raises an exception for every input: ";

// What is assumed of inputs that the archive says nothing of.
struct Assumption {
  std::optional<int64_t> rank;
  ir::DType dtype = ir::DType::kFloat;
};
using Assumptions = std::map<std::string, Assumption>;

// Where a `raise` of the program, or an operator, rules an assumption out, the next rank is tried: images come first,
// and most programs check for a batched input, which is the larger of the ranks they allow.
constexpr int64_t kRanksTried[] = {4, 3, 5, 2, 1, 0};

// Which sizes of a trace's inputs are taken to be those it was made with, by axis and rank.
using FixedSizes = bool (*)(size_t axis, size_t rank);

struct Openness {
  FixedSizes fixed;
  const char* note;  // of what is fixed; null where nothing is
};
// What is tried until the program can be translated: a trace may hold what only works for some of its sizes.
constexpr Openness kOpenness[] = {
    {[](size_t, size_t) { return false; }, nullptr},
    {[](size_t axis, size_t rank) { return axis + 1 == rank; },
     "the last size of each input is that of the inputs that the model was traced with"},
    {[](size_t axis, size_t rank) { return rank > 2 ? axis == 1 : axis + 1 == rank; },
     "the second size of each input is that of the inputs that the model was traced with"},
    {[](size_t axis, size_t) { return axis != 0; },
     "all sizes but the first are those of the inputs that the model was traced with"},
    {[](size_t axis, size_t) { return axis != 1; },
     "all sizes but the second are those of the inputs that the model was traced with"},
    {[](size_t, size_t) { return true; }, "the sizes are those of the inputs that the model was traced with"},
};

class Attempt {
 public:
  Attempt(const torchscript::Archive& archive, const Options& options, const ir::Inference& inference,
          const Assumptions& assumptions, FixedSizes fixed)
      : archive_(archive), options_(options), inference_(inference), assumptions_(assumptions), fixed_(fixed) {}

  // Throws NeedsType (with `input_name` set), Raised or Error.
  ir::Model run() {
    ir::Model model;
    model.producer = "torch (TorchScript)";
    ir::Builder builder(*model.graph, inference_);
    Blockers blockers;
    Interpreter interpreter(archive_, builder, blockers, table_operators(blockers));
    const Py root = interpreter.load_root();
    const Py method = interpreter.attribute_of(root, "forward");
    const auto* callable = method.get_if<std::shared_ptr<Callable>>();
    if (callable == nullptr) fail_unsupported("the module has no method \"forward\"");
    Items args;
    const torchscript::Function& forward = *(*callable)->function.definition;
    for (size_t i = 1; i < forward.parameters.size(); ++i) {
      args.push_back(make_input(interpreter, forward.parameters[i], i - 1));
    }
    check_options();
    try {
      add_outputs(interpreter, interpreter.call(**callable, std::move(args)), "output");
    } catch (const NeedsType& needs) {
      input_name = needs.input->name;
      throw;
    } catch (const Error& error) {
      if (error.code() != Code::kUnimplemented && error.code() != Code::kInvalidArgument) throw;
      blockers.add(*interpreter.failure(), error);
    }
    blockers.throw_if_any(archive_.what());
    model.graph->drop_unused_constants();
    rename(*model.graph);
    return model;
  }

  // A rank that was only assumed is not written into the model.
  void forget_assumed_ranks(ir::Graph& graph) const {
    for (ir::Value* input : graph.inputs()) {
      if (assumed_ranks_.contains(input->name)) input->shape = std::nullopt;
    }
    for (ir::Value* output : graph.outputs()) output->shape = std::nullopt;
  }

  std::string input_name;

 private:
  // --- inputs --------------------------------------------------------------------------------------------------------

  static bool is_optional(const Expr& type) {
    return type.kind == Expr::Kind::kSubscript && type.items[0].is_name("Optional");
  }

  Py make_input(Interpreter& interpreter, const torchscript::Parameter& parameter, size_t index) {
    const Expr* type = parameter.type ? &*parameter.type : nullptr;
    Expr tensor;
    tensor.kind = Expr::Kind::kName;
    tensor.text = "Tensor";
    if (type == nullptr) type = &tensor;
    const bool wanted = options_.input_dims.contains(parameter.name);
    if (is_optional(*type)) {
      const bool traced = traced_input(index) != nullptr;
      if (!wanted && !traced) return None{};
      type = &type->items[1];
    } else if (parameter.default_value && !wanted) {
      if (const std::optional<Py> value = plain_default(*parameter.default_value)) return *value;
    }
    return input_of_type(interpreter, *type, parameter.name, index);
  }

  static std::optional<Py> plain_default(const Expr& value) {
    switch (value.kind) {
      case Expr::Kind::kNone:
        return Py();
      case Expr::Kind::kTrue:
        return Py(true);
      case Expr::Kind::kFalse:
        return Py(false);
      case Expr::Kind::kInt:
        return Py(value.integer);
      case Expr::Kind::kFloat:
        return Py(value.number);
      case Expr::Kind::kString:
        return Py(value.text);
      default:
        return std::nullopt;
    }
  }

  Py input_of_type(Interpreter& interpreter, const Expr& type, const std::string& name, size_t index) {
    if (type.is_name("Tensor")) return tensor_input(interpreter, name, index);
    ir::Builder& builder = interpreter.b();
    const bool integer = type.is_name("int");
    const bool real = type.is_name("float");
    if (integer || real || type.is_name("bool")) {
      const ir::DType dtype = integer ? ir::DType::kInt64 : real ? ir::DType::kFloat : ir::DType::kBool;
      check_dtype(options_, name, dtype);
      ir::Value* value = builder.graph().add_input(unique(name), dtype, ir::Shape{});
      if (real) return Symbolic{builder.Cast(value, ir::DType::kDouble), Symbolic::Kind::kFloat};
      return Symbolic{value, integer ? Symbolic::Kind::kInt : Symbolic::Kind::kBool};
    }
    if (type.kind == Expr::Kind::kSubscript && type.items[0].is_name("Tuple")) {
      Items items;
      const bool several = type.items[1].kind == Expr::Kind::kTuple;
      const std::vector<Expr> one{type.items[1]};
      for (const Expr& item : several ? type.items[1].items : one) {
        items.push_back(input_of_type(interpreter, item, name + "_" + std::to_string(items.size()), SIZE_MAX));
      }
      return Py::tuple(std::move(items));
    }
    if (type.kind == Expr::Kind::kSubscript && (type.items[0].is_name("List") || type.items[0].is_name("Dict"))) {
      return container_input(interpreter, type, name);
    }
    if (is_optional(type)) return None{};
    fail_unsupported("the input \"" + name + "\" has a type that no ONNX input can have: " + torchscript::dotted(type),
                     "export the model with torch.export, or wrap it in a module that takes tensors");
  }

  // A list's or dict's length is not in the archive: the user's --input names tell it ("xs_0", "xs_1"; "d_key").
  Py container_input(Interpreter& interpreter, const Expr& type, const std::string& name) {
    const bool list = type.items[0].is_name("List");
    const Expr& item = list ? type.items[1] : type.items[1].items.at(1);
    Items items;
    std::vector<std::pair<Py, Py>> entries;
    for (const auto& [given, dims] : options_.input_dims) {
      if (!given.starts_with(name + "_")) continue;
      Py value = input_of_type(interpreter, item, given, SIZE_MAX);
      entries.emplace_back(given.substr(name.size() + 1), value);
      items.push_back(std::move(value));
    }
    if (items.empty()) {
      fail_unsupported("the input \"" + name + "\" is a " + (list ? "list" : "dict") + " of unknown length",
                       "name its items with --input " + name + "_0=DIMS --input " + name + "_1=DIMS …");
    }
    return list ? Py::list(std::move(items)) : Py::dict(std::move(entries));
  }

  const torchscript::TracedInput* traced_input(size_t index) const {
    const auto* traced = archive_.traced_inputs("forward");
    if (traced == nullptr || index >= traced->size() || !(*traced)[index]) return nullptr;
    return &*(*traced)[index];
  }

  std::string unique(const std::string& name) {
    std::string result = name;
    for (int i = 1; !names_.insert(result).second; ++i) result = name + "_" + std::to_string(i);
    return result;
  }

  Py tensor_input(Interpreter& interpreter, const std::string& given_name, size_t index) {
    const std::string name = unique(given_name);
    ir::DType dtype = ir::DType::kFloat;
    std::optional<ir::Shape> shape;
    if (const torchscript::TracedInput* traced = traced_input(index)) {
      dtype = ir::dtype_from_name(traced->dtype).value_or(ir::DType::kFloat);
      check_dtype(options_, name, dtype);
      shape.emplace();
      for (size_t i = 0; i < traced->sizes.size(); ++i) {
        shape->push_back(fixed_(i, traced->sizes.size()) ? ir::Dim(traced->sizes[i])
                                                         : ir::Dim(name + "_dim_" + std::to_string(i)));
      }
    }
    if (const auto assumed = assumptions_.find(name); assumed != assumptions_.end()) {
      if (assumed->second.rank && !shape) {
        shape.emplace();
        for (int64_t i = 0; i < *assumed->second.rank; ++i) {
          shape->push_back(ir::Dim(name + "_dim_" + std::to_string(i)));
        }
        assumed_ranks_.insert(name);
      }
      if (assumed->second.dtype != ir::DType::kFloat) dtype = assumed->second.dtype;
    }
    if (const auto dims = options_.input_dims.find(name); dims != options_.input_dims.end()) {
      shape = dims->second;
      for (size_t i = 0; i < shape->size(); ++i) {
        if ((*shape)[i].is_unknown()) (*shape)[i] = ir::Dim(name + "_dim_" + std::to_string(i));
      }
      assumed_ranks_.erase(name);
    }
    const auto told = options_.input_dtypes.find(name);
    if (told != options_.input_dtypes.end()) dtype = told->second;
    ir::Value* input = add_input(interpreter.b().graph(), name, dtype, shape);
    if (traced_input(index) == nullptr && told == options_.input_dtypes.end()) interpreter.assume_dtype(input);
    return Py::tensor(input);
  }

  void check_options() const {
    for (const auto& [name, dims] : options_.input_dims) {
      if (names_.contains(name)) continue;
      std::string known;
      for (const std::string& input : names_) known += (known.empty() ? "" : ", ") + input;
      fail_invalid("the model has no input \"" + name + "\"", "its inputs are " + known);
    }
  }

  // --- outputs -------------------------------------------------------------------------------------------------------

  void add_outputs(Interpreter& interpreter, const Py& value, const std::string& name) {
    const auto add = [&](ir::Value* output) {
      if (output == nullptr) fail_left_out();
      if (output->is_input() || output->is_constant() || output->is_output()) {
        output = interpreter.b().op("Identity", {output});
        if (output->is_constant()) output = identity_node(interpreter, output);
      }
      const size_t index = interpreter.b().graph().outputs().size();
      const bool renamed = index < renames_.outputs.size();
      interpreter.b().graph().add_output(output, renamed ? renames_.outputs[index] : unique_output(name));
    };
    if (value.is_tensor()) {
      add(interpreter.value(value));
    } else if (value.is_number()) {
      ir::Value* number = interpreter.scalar(value);
      add(value.is_float() ? interpreter.b().Cast(number, ir::DType::kFloat) : number);
    } else if (value.is<std::shared_ptr<List>>() && value.list()->stacked != nullptr) {
      fail_unsupported("the output \"" + name + "\" is a list whose length only the run will know",
                       "let the model stack the list into one tensor");
    } else if (value.has_items()) {
      const auto* tuple = value.get_if<std::shared_ptr<Tuple>>();
      for (size_t i = 0; i < value.items().size(); ++i) {
        const bool named = tuple != nullptr && i < (*tuple)->names.size() && !(*tuple)->names[i].empty();
        const std::string own = named ? (*tuple)->names[i] : std::to_string(i);
        add_outputs(interpreter, value.items()[i], name + "_" + own);
      }
    } else if (value.is<std::shared_ptr<Dict>>()) {
      for (const auto& [key, item] : value.dict()->entries) {
        const std::string own = key.is<std::string>() ? key.text() : std::to_string(key.as_int());
        add_outputs(interpreter, item, name + "_" + own);
      }
    } else if (!value.is_none() && !value.is<std::string>()) {
      fail_unsupported("the model returns " + std::string(value.type_name()));
    }
  }

  static ir::Value* identity_node(Interpreter& interpreter, ir::Value* value) {
    ir::Node* node = interpreter.b().graph().add_node("", "Identity", {value}, 1);
    node->output()->dtype = value->dtype;
    node->output()->shape = value->shape;
    return node->output();
  }

  std::string unique_output(const std::string& name) {
    std::string result = name;
    for (int i = 1; names_.contains(result) || !output_names_.insert(result).second; ++i) {
      result = name + "_" + std::to_string(i);
    }
    return result;
  }

  // The user's names for the inputs; those of the outputs were given when they were added.
  void rename(ir::Graph& graph) const {
    check_renames("inputs", renames_.inputs.size(), graph.inputs().size(), archive_.what());
    check_renames("outputs", renames_.outputs.size(), graph.outputs().size(), archive_.what());
    for (size_t i = 0; i < renames_.inputs.size(); ++i) graph.inputs()[i]->name = renames_.inputs[i];
  }

  const torchscript::Archive& archive_;
  const Options& options_;
  const ir::Inference& inference_;
  const Assumptions& assumptions_;
  FixedSizes fixed_ = nullptr;
  Renames renames_ = read_renames(archive_.extra_file("onward.json"), archive_.what());
  std::set<std::string> names_;
  std::set<std::string> output_names_;
  std::set<std::string> assumed_ranks_;
};

// Tries until no further assumption is needed.
class Search {
 public:
  Search(const torchscript::Archive& archive, const Options& options, const ir::Inference& inference)
      : archive_(archive), options_(options), inference_(inference) {}

  ir::Model run(FixedSizes fixed) {
    Assumptions assumptions;
    return run(assumptions, fixed);
  }

 private:
  ir::Model run(Assumptions& assumptions, FixedSizes fixed) {
    if (++attempts_ > kMaxAttempts) {
      fail_unsupported("the shapes of the inputs could not be guessed", "give them with --input NAME=DIMS");
    }
    Attempt attempt(archive_, options_, inference_, assumptions, fixed);
    try {
      ir::Model model = attempt.run();
      if (other_ranks_work(assumptions, fixed, *model.graph)) attempt.forget_assumed_ranks(*model.graph);
      return model;
    } catch (const Raised& raised) {
      fail_unsupported(std::string(kRefused) + raised.message);
    } catch (const NeedsType& needs) {
      const std::string input = attempt.input_name;
      Assumption& assumption = assumptions[input];
      if (needs.dtype != ir::DType::kUndefined) {
        check_dtype(options_, input, needs.dtype);
        if (assumption.dtype == needs.dtype) fail_unsupported("the type of the input \"" + input + "\" is not clear");
        assumption.dtype = needs.dtype;
        return run(assumptions, fixed);
      }
      if (assumption.rank) fail_unsupported("the rank of the input \"" + input + "\" is not clear");
      if (needs.rank) {
        assumption.rank = needs.rank;
        return run(assumptions, fixed);
      }
      return try_ranks(assumptions, input, needs.likely, fixed);
    }
  }

  // Whether the program is the same for the ranks next to those that were assumed, as an element-wise one is.
  bool other_ranks_work(const Assumptions& assumptions, FixedSizes fixed, const ir::Graph& graph) const {
    const std::string expected = structure(graph);
    for (const auto& [input, assumption] : assumptions) {
      if (!assumption.rank) continue;
      for (const int64_t rank : {*assumption.rank - 1, *assumption.rank + 1}) {
        if (rank < 1) continue;
        Assumptions own = assumptions;
        own[input].rank = rank;
        try {
          if (structure(*Attempt(archive_, options_, inference_, own, fixed).run().graph) != expected) return false;
        } catch (const Error&) {
          return false;
        } catch (const NeedsType&) {
          return false;
        } catch (const Raised&) {
          return false;
        }
      }
    }
    return true;
  }

  ir::Model try_ranks(const Assumptions& assumptions, const std::string& input, std::optional<int64_t> likely,
                      FixedSizes fixed) {
    std::vector<int64_t> ranks(std::begin(kRanksTried), std::end(kRanksTried));
    if (likely) ranks.insert(ranks.begin(), *likely);
    std::optional<Error> first;
    for (const int64_t rank : ranks) {
      Assumptions own = assumptions;
      own[input].rank = rank;
      try {
        return run(own, fixed);
      } catch (const Error& error) {
        if (error.code() != Code::kUnimplemented && error.code() != Code::kInvalidArgument) throw;
        // What the program itself refuses tells less than what could not be translated.
        const bool refused = error.message().starts_with(kRefused);
        if (!first || (first->message().starts_with(kRefused) && !refused)) first = error;
      }
    }
    throw Error(first->code(), first->message(),
                "the archive does not tell the shape of \"" + input + "\": give it with --input " + input + "=DIMS");
  }

  const torchscript::Archive& archive_;
  const Options& options_;
  const ir::Inference& inference_;
  size_t attempts_ = 0;
};

}  // namespace

ir::Model read_torchscript(const Bytes& file, std::string_view what, const Options& options,
                           const ir::Inference& inference) {
  const torchscript::Archive archive = torchscript::Archive::open(file, what);
  std::optional<Error> first;
  for (const Openness& openness : kOpenness) {
    try {
      ir::Model model = Search(archive, options, inference).run(openness.fixed);
      if (openness.note != nullptr) model.metadata["onward.fixed_sizes"] = openness.note;
      return model;
    } catch (const Error& error) {
      const bool traced = archive.traced_inputs("forward") != nullptr;
      if (!first && (!traced || error.code() != Code::kUnimplemented)) throw;
      if (!first) first = error;
    }
  }
  throw Error(*first);
}

}  // namespace onward::importer
