#include <algorithm>

#include "base/error.h"
#include "import/torch/script/interpreter.h"

namespace onward::importer::script {
namespace {

using torchscript::dotted;
using torchscript::Expr;

// "torch.add" → "aten::add"; "ops.prim.NumToTensor" → "prim::NumToTensor"; "" for what names no operator.
std::string operator_name(const std::string& path) {
  if (path.starts_with("ops.")) {
    std::string name = path.substr(4);
    const size_t dot = name.find('.');
    if (dot == std::string::npos) return {};
    return name.replace(dot, 1, "::");
  }
  if (path.starts_with("torch.")) return "aten::" + path.substr(6);
  return {};
}

}  // namespace

Py Interpreter::eval(const Expr& expr, Frame& frame) {
  switch (expr.kind) {
    case Expr::Kind::kNone:
      return None{};
    case Expr::Kind::kTrue:
      return true;
    case Expr::Kind::kFalse:
      return false;
    case Expr::Kind::kInt:
      return expr.integer;
    case Expr::Kind::kFloat:
      return expr.number;
    case Expr::Kind::kComplex:
      return std::complex<double>(0, expr.number);
    case Expr::Kind::kString:
      return expr.text;
    case Expr::Kind::kName: {
      const auto found = frame.names.find(expr.text);
      if (found == frame.names.end()) fail_data("the code uses the name \"" + expr.text + "\" before it has a value");
      return found->second;
    }
    case Expr::Kind::kNegate:
      return call_operator("aten::neg", {eval(expr.items[0], frame)});
    case Expr::Kind::kAttr:
      return eval_attribute(expr, frame);
    case Expr::Kind::kSubscript:
      return eval_subscript(expr, frame);
    case Expr::Kind::kCall:
      return eval_call(expr, frame);
    case Expr::Kind::kList:
    case Expr::Kind::kTuple: {
      Items items;
      for (const Expr& item : expr.items) items.push_back(eval(item, frame));
      return expr.kind == Expr::Kind::kList ? Py::list(std::move(items)) : Py::tuple(std::move(items));
    }
    case Expr::Kind::kDict: {
      std::vector<std::pair<Py, Py>> entries;
      for (size_t i = 0; i + 1 < expr.items.size(); i += 2) {
        Py key = eval(expr.items[i], frame);
        entries.emplace_back(std::move(key), eval(expr.items[i + 1], frame));
      }
      return Py::dict(std::move(entries));
    }
    case Expr::Kind::kSlice:
      break;
  }
  fail_data("a slice stands where a value is due");
}

Py Interpreter::eval_attribute(const Expr& expr, Frame& frame) {
  if (expr.items[0].is_name("CONSTANTS")) {
    if (expr.text.size() < 2 || expr.text[0] != 'c' ||
        expr.text.find_first_not_of("0123456789", 1) != std::string::npos || expr.text.size() > 9) {
      fail_data("unknown constant " + expr.text);
    }
    return constant(std::stoul(expr.text.substr(1)));
  }
  const std::string path = dotted(expr);
  if (path.starts_with("__torch__.")) return global(path);
  if (path.starts_with("torch.") && !frame.names.contains("torch")) {
    return call_operator("torch." + expr.text, {});  // torch.float32 and the like of early versions
  }
  return attribute(eval(expr.items[0], frame), expr.text);
}

Py Interpreter::global(const std::string& qualified) {
  auto callable = std::make_shared<Callable>();
  callable->name = qualified;
  callable->function = archive_.find_function(qualified);
  if (callable->function.definition != nullptr) return callable;
  callable->type = archive_.find_class(qualified);
  if (callable->type.definition != nullptr) return callable;
  // A member of an enum, or a constant of a class.
  const size_t dot = qualified.rfind('.');
  const torchscript::Archive::ClassRef owner = archive_.find_class(qualified.substr(0, dot));
  const torchscript::Attribute* member =
      owner.definition == nullptr ? nullptr : owner.definition->find_attribute(qualified.substr(dot + 1));
  if (member == nullptr || !member->value) fail_data("the archive does not define " + qualified);
  Frame empty;
  auto object = std::make_shared<Object>();
  object->type = owner;
  object->type_name = qualified.substr(0, dot);
  object->attributes["name"] = member->name;
  object->attributes["value"] = eval(*member->value, empty);
  return object;
}

Py Interpreter::attribute(const Py& base, const std::string& name) {
  if (base.is<std::shared_ptr<Tuple>>()) {
    const std::shared_ptr<Tuple> tuple = base.tuple();
    const auto found = std::find(tuple->names.begin(), tuple->names.end(), name);
    if (found != tuple->names.end()) return tuple->items[static_cast<size_t>(found - tuple->names.begin())];
  }
  if (!base.is<std::shared_ptr<Object>>()) return call_operator("prim::" + name, {base});
  const std::shared_ptr<Object> object = base.object();
  const auto found = object->attributes.find(name);
  if (found != object->attributes.end()) return found->second;
  const torchscript::Class* type = object->type.definition;
  if (type != nullptr) {
    if (const torchscript::Function* method = type->find_method(name)) {
      auto callable = std::make_shared<Callable>();
      callable->name = object->type_name + "." + name;
      callable->function = {method, object->type.file};
      callable->self = object;
      return callable;
    }
    const torchscript::Attribute* constant = type->find_attribute(name);
    if (constant != nullptr && constant->value) {
      Frame empty;
      return eval(*constant->value, empty);
    }
  }
  fail_data("an object of " + object->type_name + " has no attribute \"" + name + "\"");
}

Py Interpreter::eval_subscript(const Expr& expr, Frame& frame) {
  const Py base = eval(expr.items[0], frame);
  const Expr& index = expr.items[1];
  if (index.kind == Expr::Kind::kSlice) {
    Items args{base};
    for (const Expr& bound : index.items) args.push_back(eval(bound, frame));
    return call_operator("aten::slice", std::move(args));
  }
  return call_operator("aten::__getitem__", {base, eval(index, frame)});
}

// A scripted torch.autocast changes types only when PyTorch runs the program: its file has those from before.
static void refuse_autocast(const Py& enter) {
  const auto* callable = enter.get_if<std::shared_ptr<Callable>>();
  if (callable == nullptr || (*callable)->self == nullptr || !(*callable)->self->type_name.ends_with(".autocast"))
    return;
  const auto enabled = (*callable)->self->attributes.find("_enabled");
  if (enabled != (*callable)->self->attributes.end() && enabled->second.is_bool() && !enabled->second.as_bool()) return;
  fail_unsupported("torch.autocast in a scripted module: the file does not hold the types that it chooses",
                   "save the module with torch.export, or script it without autocast");
}

Py Interpreter::eval_call(const Expr& expr, Frame& frame) {
  const Expr& callee = expr.items[0];
  const std::string path = dotted(callee);
  const bool local = frame.names.contains(path.substr(0, path.find('.')));
  if (!local) {
    bool handled = false;
    Py special = eval_special(path, expr, frame, handled);
    if (handled) return special;
  }
  Items args;
  for (size_t i = 1; i < expr.items.size(); ++i) args.push_back(eval(expr.items[i], frame));
  Kwargs kwargs;
  for (size_t i = 0; i < expr.keywords.size(); ++i) {
    kwargs.emplace_back(expr.keywords[i], eval(expr.keyword_values[i], frame));
  }
  place_ = &frame;
  place_offset_ = expr.offset;
  const std::string name = local ? std::string() : operator_name(path);
  if (!name.empty()) return call_operator(name, std::move(args), std::move(kwargs));
  if (callee.kind == Expr::Kind::kName && !local) {
    return call_operator("python::" + callee.text, std::move(args), std::move(kwargs));
  }
  const Py function = eval(callee, frame);
  place_offset_ = expr.offset;
  if (callee.text == "__enter__") {
    op_ = "with";
    refuse_autocast(function);
  }
  const auto* callable = function.get_if<std::shared_ptr<Callable>>();
  if (callable != nullptr) return call(**callable, std::move(args), std::move(kwargs));
  if (function.is<std::shared_ptr<Object>>()) {
    const Py forward = attribute(function, "forward");
    return call(*forward.get_if<std::shared_ptr<Callable>>()->get(), std::move(args), std::move(kwargs));
  }
  fail_data("something that is no function is called: " + path);
}

// Calls whose arguments are types or names.
Py Interpreter::eval_special(const std::string& name, const Expr& expr, Frame& frame, bool& handled) {
  handled = true;
  const size_t count = expr.items.size() - 1;
  if (name == "annotate" && count == 2) {
    Py value = eval(expr.items[2], frame);
    // annotate(Optional[float], 1) and the like: a literal takes the annotated type.
    if (value.is<int64_t>() && expr.items[1].is_name("float")) return static_cast<double>(value.as_int());
    if (value.is_tensor() && expr.items[1].is_name("number")) return call_operator("aten::item", {value});
    return value;
  }
  if (name == "unchecked_cast" && count == 2) {
    return eval(expr.items[2], frame);
  }
  if (name == "uninitialized") return Uninitialized{};
  if (name == "getattr" && count == 2) return attribute(eval(expr.items[1], frame), expr.items[2].text);
  if (name == "isinstance" && count == 2) {
    const Py value = eval(expr.items[1], frame);
    const std::vector<Expr> one{expr.items[2]};
    const bool several = expr.items[2].kind == Expr::Kind::kTuple || expr.items[2].kind == Expr::Kind::kList;
    for (const Expr& type : several ? expr.items[2].items : one) {
      const std::string wanted = type.kind == Expr::Kind::kSubscript ? dotted(type.items[0]) : dotted(type);
      const bool is = (wanted == "Tensor" && value.is_tensor()) || (wanted == "int" && value.is_int()) ||
                      (wanted == "float" && value.is_float()) || (wanted == "bool" && value.is_bool()) ||
                      (wanted == "str" && value.is<std::string>()) ||
                      ((wanted == "List" || wanted == "list") && value.is<std::shared_ptr<List>>()) ||
                      ((wanted == "Tuple" || wanted == "tuple") && value.is<std::shared_ptr<Tuple>>()) ||
                      ((wanted == "Dict" || wanted == "dict") && value.is<std::shared_ptr<Dict>>()) ||
                      (wanted == "NoneType" && value.is_none()) ||
                      (value.is<std::shared_ptr<Object>>() && value.object()->type_name == wanted);
      if (is) return true;
    }
    return false;
  }
  if (name.ends_with(".__new__") && count == 1) {
    const Py type = eval(expr.items[1], frame);
    const auto* callable = type.get_if<std::shared_ptr<Callable>>();
    if (callable == nullptr || (*callable)->type.definition == nullptr)
      fail_data("__new__ of something that is no class");
    auto object = std::make_shared<Object>();
    object->type = (*callable)->type;
    object->type_name = (*callable)->name;
    return object;
  }
  if (name == "fork" || name == "ops.prim.fork") {
    Items args;
    for (size_t i = 2; i < expr.items.size(); ++i) args.push_back(eval(expr.items[i], frame));
    const Py function = eval(expr.items[1], frame);
    const auto* callable = function.get_if<std::shared_ptr<Callable>>();
    if (callable == nullptr) fail_data("fork of something that is no function");
    return call(**callable, std::move(args));
  }
  handled = false;
  return {};
}

}  // namespace onward::importer::script
