#include "formats/torch/globals.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace onward::torchfile {
namespace {

// Callables that torch.load knows as safe, or that plain Python values in checkpoints are made with.
constexpr std::array kCallable = std::to_array<std::string_view>({
    "collections.OrderedDict",
    "collections.Counter",
    "collections.defaultdict",
    "collections.deque",
    "copy_reg._reconstructor",
    "copyreg._reconstructor",
    "_codecs.encode",
    "codecs.encode",
    "datetime.date",
    "datetime.datetime",
    "datetime.time",
    "datetime.timedelta",
    "datetime.timezone",
    "decimal.Decimal",
    "fractions.Fraction",
    "functools.partial",
    "pathlib.Path",
    "pathlib.PosixPath",
    "pathlib.PurePath",
    "pathlib.PurePosixPath",
    "pathlib.PureWindowsPath",
    "pathlib.WindowsPath",
    "pathlib._local.PosixPath",
    "pathlib._local.WindowsPath",
    "uuid.UUID",
    "numpy.dtype",
    "numpy.ndarray",
    "numpy.core.multiarray._reconstruct",
    "numpy.core.multiarray.scalar",
    "numpy._core.multiarray._reconstruct",
    "numpy._core.multiarray.scalar",
    "numpy.core.numeric._frombuffer",
    "numpy._core.numeric._frombuffer",
    "torch.Size",
    "torch.device",
    "torch.Tensor",
    "torch._C._nn.Buffer",
    "torch._tensor._rebuild_from_type",
    "torch._tensor._rebuild_from_type_v2",
    "torch.tensor._rebuild_from_type",
    "torch.nn.parameter.Parameter",
    "torch.nn.parameter.Buffer",
    "torch.serialization._get_layout",
    "torch.storage._load_from_bytes",
    "torch.torch_version.TorchVersion",
    "torch.jit._pickle.build_boollist",
    "torch.jit._pickle.build_doublelist",
    "torch.jit._pickle.build_intlist",
    "torch.jit._pickle.build_tensor_from_id",
    "torch.jit._pickle.build_tensorlist",
    "torch.jit._pickle.restore_type_tag",
    "torch._C.Generator",
});

constexpr std::array kBuiltins = std::to_array<std::string_view>(
    {"bool", "bytearray", "bytes",   "complex", "dict",     "float",    "frozenset",
     "int",  "list",      "long",    "object",  "range",    "set",      "slice",
     "str",  "tuple",     "unicode", "xrange",  "Ellipsis", "NoneType", "NotImplemented"});

// Modules whose functions act on the machine: no checkpoint has a use for them, not even as a mention.
constexpr std::array kDangerous = std::to_array<std::string_view>({"os",
                                                                   "posix",
                                                                   "nt",
                                                                   "subprocess",
                                                                   "commands",
                                                                   "sys",
                                                                   "shutil",
                                                                   "socket",
                                                                   "pty",
                                                                   "ctypes",
                                                                   "importlib",
                                                                   "runpy",
                                                                   "code",
                                                                   "codeop",
                                                                   "pickle",
                                                                   "_pickle",
                                                                   "cPickle",
                                                                   "dill",
                                                                   "cloudpickle",
                                                                   "joblib",
                                                                   "webbrowser",
                                                                   "signal",
                                                                   "multiprocessing",
                                                                   "threading",
                                                                   "asyncio",
                                                                   "http",
                                                                   "urllib",
                                                                   "urllib2",
                                                                   "requests",
                                                                   "ftplib",
                                                                   "smtplib",
                                                                   "ssl",
                                                                   "tempfile",
                                                                   "builtin",
                                                                   "imp",
                                                                   "pip",
                                                                   "pdb",
                                                                   "bdb",
                                                                   "timeit",
                                                                   "profile",
                                                                   "cProfile",
                                                                   "trace",
                                                                   "platform",
                                                                   "popen2",
                                                                   "marshal",
                                                                   "gc",
                                                                   "inspect",
                                                                   "_posixsubprocess",
                                                                   "glob",
                                                                   "fileinput",
                                                                   "zipimport",
                                                                   "pkgutil",
                                                                   "linecache",
                                                                   "distutils",
                                                                   "setuptools",
                                                                   "doctest",
                                                                   "idlelib",
                                                                   "pydoc",
                                                                   "venv",
                                                                   "ensurepip",
                                                                   "test"});

template <size_t N>
bool holds(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_builtins(std::string_view module) { return module == "builtins" || module == "__builtin__"; }

bool is_callable(std::string_view global) {
  const size_t dot = global.rfind('.');
  const std::string_view module = global.substr(0, dot);
  if (is_builtins(module)) return holds(kBuiltins, global.substr(dot + 1));
  if (module == "torch._utils") return global.substr(dot + 1).starts_with("_rebuild_");
  if (module == "numpy.dtypes") return true;  // classes of dtypes
  // Classes and enumerations that say how a tensor was quantized.
  if (module.starts_with("torchao.quantization.")) return global[dot + 1] >= 'A' && global[dot + 1] <= 'Z';
  if (global.starts_with("torch.") && global.ends_with("Storage")) return true;
  return holds(kCallable, global);
}

[[noreturn]] void refuse(std::string_view what, std::string_view global, std::string_view verb) {
  throw Error(Code::kPermissionDenied,
              std::string(what) + ": unsafe pickle: it " + std::string(verb) + " " + std::string(global),
              "nothing in the file was run; an honest checkpoint needs no such call. Ask its maker for a plain state "
              "dict or a safetensors file");
}

}  // namespace

std::string_view class_name(const pickle::Object& object) {
  const pickle::Value* callable = object.callable;
  // A legacy file holds ('module', class, source file, source) in place of a class.
  if (callable != nullptr && callable->kind == pickle::Kind::kPersistent && callable->persistent_id().is_sequence()) {
    const pickle::Items& parts = callable->persistent_id().items();
    if (parts.size() >= 2 && parts[0]->is_string() && parts[0]->text() == "module") callable = parts[1];
  }
  if (callable == nullptr || callable->kind != pickle::Kind::kGlobal) return {};
  return callable->text();
}

void require_harmless_global(std::string_view what, std::string_view global) {
  const std::string_view module = global.substr(0, global.rfind('.'));
  const std::string_view name = global.substr(global.rfind('.') + 1);
  if (is_builtins(module) ? !holds(kBuiltins, name) : holds(kDangerous, global.substr(0, global.find('.')))) {
    refuse(what, global, "names");
  }
  if (global.starts_with("numpy.testing.") || global.starts_with("numpy.f2py.") ||
      global.starts_with("numpy.distutils.")) {
    refuse(what, global, "names");
  }
}

void require_harmless_calls(std::string_view what, const pickle::Document& document) {
  for (const pickle::Value& value : document.values()) {
    if (value.kind != pickle::Kind::kObject) continue;
    const pickle::Object& object = value.object();
    const std::string_view name = class_name(object);
    if (name.empty()) refuse(what, "something that is not a name", "calls");
    if (!object.created && !is_callable(name)) refuse(what, name, "calls");
  }
}

}  // namespace onward::torchfile
