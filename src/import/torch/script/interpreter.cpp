#include "import/torch/script/interpreter.h"

#include <algorithm>

#include "base/error.h"
#include "import/common/complex.h"

namespace onward::importer::script {
namespace {

constexpr int kMaxCalls = 200;
constexpr int kMaxObjects = 64;

std::string joined(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

}  // namespace

// --- the object graph ------------------------------------------------------------------------------------------------

Py Interpreter::load_root() { return load(archive_.root(), archive_.tensors(), ""); }

Py Interpreter::load_tensor(const torchfile::StridedTensor& tensor, const std::string& name) {
  if (tensor.quantizer) {
    fail_unsupported("the tensor \"" + name + "\" is quantized",
                     "export the model with torch.export's quantization (PT2E), which keeps plain integers");
  }
  std::string key = tensor.storage_key + ":" + tensor.dtype + ":" + std::to_string(tensor.offset);
  for (size_t i = 0; i < tensor.sizes.size(); ++i) {
    key += "," + std::to_string(tensor.sizes[i]) + "/" + std::to_string(tensor.strides[i]);
  }
  const bool shared = !tensor.storage_key.empty();
  if (const auto known = tied_.find(key); shared && known != tied_.end()) return Py::tensor(known->second);
  const std::optional<ir::DType> dtype = ir::dtype_from_name(tensor.dtype);
  if (!dtype) fail_unsupported("the tensor \"" + name + "\" has elements of type " + tensor.dtype);
  ir::Value* value = root_builder_.constant(pairs_of(ir::Tensor(*dtype, tensor.sizes, tensor.contiguous())), name);
  value->complex = ir::is_complex(*dtype);
  if (shared) tied_[key] = value;
  return Py::tensor(value);
}

Py Interpreter::load(const pickle::Value& tagged, const torchfile::TensorReader& reader, const std::string& path) {
  const pickle::Value& value = torchscript::untagged(tagged);
  if (const auto known = loaded_.find(&value); known != loaded_.end()) return known->second;
  if (std::count(path.begin(), path.end(), '.') > kMaxObjects) fail_data("the module is nested too deeply");
  if (const auto tensor = reader.tensor(value)) {
    // Constants have numbers in place of paths: their keys must not mix with those of parameters.
    torchfile::StridedTensor own = *tensor;
    if (!own.storage_key.empty() && &reader == &archive_.constant_tensors()) own.storage_key = "c" + own.storage_key;
    return loaded_[&value] = load_tensor(own, path);
  }
  const auto items = [&](const pickle::Items& from) {
    Items out;
    for (size_t i = 0; i < from.size(); ++i) out.push_back(load(*from[i], reader, joined(path, std::to_string(i))));
    return out;
  };
  switch (value.kind) {
    case pickle::Kind::kNone:
      return None{};
    case pickle::Kind::kBool:
      return value.as_bool();
    case pickle::Kind::kInt:
      return value.as_int();
    case pickle::Kind::kFloat:
      return value.as_float();
    case pickle::Kind::kString:
      return value.text();
    case pickle::Kind::kList:
      return loaded_[&value] = Py::list(items(value.items()));
    case pickle::Kind::kTuple:
      return Py::tuple(items(value.items()));
    case pickle::Kind::kDict: {
      std::vector<std::pair<Py, Py>> entries;
      for (const auto& [key, item] : value.entries()) {
        const std::string name = key->is_string() ? key->text() : std::to_string(entries.size());
        entries.emplace_back(load(*key, reader, path), load(*item, reader, joined(path, name)));
      }
      return loaded_[&value] = Py::dict(std::move(entries));
    }
    case pickle::Kind::kObject:
      break;
    default:
      fail_unsupported("the archive holds " + std::string(pickle::kind_name(value.kind)) + " at " + path);
  }
  const pickle::Object& source = value.object();
  const std::string name(pickle::callable_name(source));
  if (name == "torch.device") return Device{source.args->items().empty() ? "cpu" : source.args->items()[0]->text()};
  if (name.starts_with("__torch__.torch.classes.")) {
    fail_unsupported("\"" + path + "\" is a packed object of " + name.substr(10),
                     "export the model with torch.export's quantization (PT2E), which keeps plain integers");
  }
  auto object = std::make_shared<Object>();
  object->type_name = name;
  object->type = archive_.find_class(name);
  object->path = path;
  loaded_[&value] = object;
  if (source.state != nullptr) {
    const pickle::Value& state = torchscript::untagged(*source.state);
    const pickle::Entries* entries = pickle::mapping_entries(state);
    if (entries == nullptr) fail_unsupported("the object at \"" + path + "\" keeps its state in a form of its own");
    for (const auto& [key, item] : *entries) {
      object->attributes[key->text()] = load(*item, reader, joined(path, key->text()));
    }
  }
  return object;
}

Py Interpreter::constant(size_t index) {
  const auto known = constants_.find(index);
  if (known != constants_.end()) return known->second;
  const pickle::Items& all = archive_.constants();
  if (index >= all.size()) fail_data("the code names the constant c" + std::to_string(index) + ", which is not there");
  Py value = load(*all[index], archive_.constant_tensors(), "c" + std::to_string(index));
  if (value.is_tensor() && archive_.traced_inputs("forward") != nullptr) {
    const ir::Value* tensor = value.box()->value;
    if (tensor->rank() == 0 && tensor->dtype == ir::DType::kDouble) numbers_.insert(tensor);
  }
  return constants_[index] = std::move(value);
}

// --- calls -----------------------------------------------------------------------------------------------------------

void Interpreter::bind(const torchscript::Function& function, Items args, Kwargs kwargs, Frame& frame) {
  if (args.size() > function.parameters.size()) fail_data("too many arguments for " + function.name);
  for (size_t i = 0; i < function.parameters.size(); ++i) {
    const torchscript::Parameter& parameter = function.parameters[i];
    if (i < args.size()) {
      frame.names[parameter.name] = std::move(args[i]);
      continue;
    }
    const auto given =
        std::find_if(kwargs.begin(), kwargs.end(), [&](const auto& k) { return k.first == parameter.name; });
    if (given != kwargs.end()) {
      frame.names[parameter.name] = given->second;
    } else if (parameter.default_value) {
      frame.names[parameter.name] = eval(*parameter.default_value, frame);
    } else {
      fail_data(function.name + " is called without its argument \"" + parameter.name + "\"");
    }
  }
}

// Puts back, at the end of a call, where its caller was.
class Interpreter::Called {
 public:
  explicit Called(Interpreter& in) : in_(in), place_(in.place_), offset_(in.place_offset_) { ++in_.depth_; }
  Called(const Called&) = delete;
  Called& operator=(const Called&) = delete;
  ~Called() {
    --in_.depth_;
    in_.place_ = place_;
    in_.place_offset_ = offset_;
  }

 private:
  Interpreter& in_;
  const Frame* place_;
  uint32_t offset_;
};

Py Interpreter::call(const Callable& callable, Items args, Kwargs kwargs) {
  if (callable.type.definition != nullptr) return construct(callable, std::move(args), std::move(kwargs));
  if (callable.function.definition == nullptr) fail_data("the archive does not define " + callable.name);
  const Called called(*this);
  if (depth_ > kMaxCalls) fail_unsupported("the calls are nested too deeply (recursion?)");
  Frame frame;
  frame.file = callable.function.file;
  frame.function = callable.function.definition;
  if (callable.self) {
    args.insert(args.begin(), Py(callable.self));
    frame.path = callable.self->path;
  } else if (place_ != nullptr) {
    frame.path = place_->path;
  }
  frame.caller = place_;
  place_ = &frame;
  bind(*callable.function.definition, std::move(args), std::move(kwargs), frame);
  run(callable.function.definition->body, 0, frame);
  return frame.result.value_or(None{});
}

Py Interpreter::construct(const Callable& type, Items args, Kwargs kwargs) {
  const torchscript::Class& definition = *type.type.definition;
  if (definition.base == "NamedTuple") {
    std::vector<std::string> names;
    for (const torchscript::Attribute& attribute : definition.attributes) names.push_back(attribute.name);
    for (auto& [name, value] : kwargs) args.push_back(std::move(value));
    names.resize(args.size());
    return Py::tuple(std::move(args), std::move(names));
  }
  auto object = std::make_shared<Object>();
  object->type = type.type;
  object->type_name = type.name;
  if (const torchscript::Function* init = definition.find_method("__init__")) {
    Callable method;
    method.function = {init, type.type.file};
    method.self = object;
    call(method, std::move(args), std::move(kwargs));
  }
  return object;
}

Py Interpreter::call_method(const Py& object, const std::string& name, Items args) {
  const Py method = attribute(object, name);
  const auto* callable = method.get_if<std::shared_ptr<Callable>>();
  if (callable == nullptr) fail_data("\"" + name + "\" is no method");
  return call(**callable, std::move(args));
}

// --- services --------------------------------------------------------------------------------------------------------

void Interpreter::set_place(const Frame& frame, uint32_t offset, std::string op) {
  place_ = &frame;
  place_offset_ = offset;
  op_ = std::move(op);
}

std::shared_ptr<const ir::Origin> Interpreter::origin() const {
  auto origin = std::make_shared<ir::Origin>();
  origin->op = op_;
  if (place_ != nullptr) {
    origin->path = place_->path;
    if (place_->file != nullptr) origin->source = place_->file->source(place_offset_);
  }
  return origin;
}

// A module's class tells the dimensions of its images: InstanceNorm3d has three, a batch and channels before them.
// "max_pool2d" and "MaxPool2d" have a batch, channels and two dimensions more.
static std::optional<int64_t> rank_in_name(std::string_view name) {
  for (const char digit : {'1', '2', '3'}) {
    if (name.ends_with(std::string(1, digit) + "d")) return digit - '0' + 2;
  }
  return std::nullopt;
}

std::optional<int64_t> Interpreter::likely_rank() const {
  for (const Frame* frame = place_; frame != nullptr; frame = frame->caller) {
    if (const auto rank = rank_in_name(frame->function->name)) return rank;
    const auto self = frame->names.find("self");
    if (self == frame->names.end()) continue;
    if (!self->second.is<std::shared_ptr<Object>>()) return std::nullopt;
    return rank_in_name(self->second.object()->type_name);
  }
  return std::nullopt;
}

}  // namespace onward::importer::script
