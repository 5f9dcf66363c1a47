"""A PyTorch model as an exported program, or as a trace where that is all that works."""

import inspect
import json
import os

from .errors import BridgeError, from_user
from .specs import InputSpec, is_example, sample_sizes
from .torch_samples import sample_inputs, tensor_leaves


def export(torch, model, specs, values, call, out, output_names, notes):
    """Writes model.pt2, or model.pt (a trace) where torch.export can't do it; returns (file name, format)."""
    args, kwargs = call(values)
    names = {"onward.json": json.dumps({"inputs": [spec.name for spec in specs], "outputs": output_names})}
    try:
        program = _program(torch, model, specs, args, kwargs, call)
    except BridgeError as error:
        traced = _trace_instead(torch, model, specs, values, call, error)
        notes.append("torch.export failed, so this is a trace: " + error.what)
        return _save_trace(torch, traced, out, names)
    traced = _freer_trace(torch, model, program, specs, values, call) if is_example(specs) else None
    if traced is not None:
        notes.append("torch.export fixed sizes that the model lets vary, so this is a trace")
        return _save_trace(torch, traced, out, names)
    if hasattr(program, "_example_inputs"):
        program._example_inputs = None  # would be stored once more
    torch.export.save(program, os.path.join(out, "model.pt2"), extra_files=names)
    return "model.pt2", "pt2"


def _save_trace(torch, traced, out, names):
    torch.jit.save(traced, os.path.join(out, "model.pt"), _extra_files=names)
    return "model.pt", "torchscript"


def _trace_instead(torch, model, specs, values, call, error):
    """A trace that answers as the model does, also at other sizes where some may vary."""
    fixed = any(spec.dynamic() for spec in specs) and _fixed_dimension(error.what)
    try:
        traced = _trace(torch, model, specs, values, call, error)
        _check_varying(torch, model, traced, specs, call)
    except BridgeError:
        if fixed:  # the first reason names the dimension
            raise _cannot_vary(error.what, error.where) from error
        raise
    return traced


def _freer_trace(torch, model, program, specs, values, call):
    """A trace where the export fixed a size of the example that the model itself lets vary; None where it did not."""
    for index, axis in _fixed_axes(torch, program, specs):
        dims = list(specs[index].dims)
        dims[axis] += dims[axis] // 2 + 1
        changed = list(specs)
        changed[index] = InputSpec(specs[index].name, specs[index].dtype, dims)
        sample = sample_inputs(torch, changed, 1, largest=2)
        try:
            _run(torch, model, sample, call)
        except Exception:
            continue  # the model wants this size
        try:
            traced = _trace(torch, model, specs, values, call, BridgeError(""))
            return traced if _same(torch, model, traced, sample, call) else None
        except Exception:
            return None
    return None


def _fixed_axes(torch, program, specs):
    """(input, axis) of sizes above 1 that are plain numbers in the exported program."""
    wanted = list(program.graph_signature.user_inputs)
    found = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    if len(wanted) != len(specs):
        return []
    return [
        (index, axis)
        for index, name in enumerate(wanted)
        for axis, size in enumerate(getattr(found.get(name), "shape", ()))
        if str(size).isdigit() and int(size) > 1  # a SymInt may stand for a number
    ]


def _run(torch, model, sample, call):
    args, kwargs = call(sample)
    with torch.no_grad():
        return tensor_leaves(torch, model(*args, **kwargs))


def _same(torch, model, traced, sample, call):
    expected, got = _run(torch, model, sample, call), _run(torch, traced, sample, call)
    return len(got) == len(expected) and all(
        a.shape == b.shape and torch.allclose(a.float(), b.float(), 1e-3, 1e-4, equal_nan=True)
        for a, b in zip(got, expected)
        if not a.is_complex()
    )


def _program(torch, model, specs, args, kwargs, call):
    exporter = getattr(getattr(torch, "export", None), "export", None)
    if exporter is None or not hasattr(torch.export, "save"):
        raise BridgeError("torch {} has no torch.export".format(torch.__version__))
    options = [{}]
    if any(spec.dynamic() for spec in specs):
        options = [{"dynamic_shapes": _dynamic_shapes(torch, model, specs, call)}]
    elif is_example(specs) and hasattr(torch.export.Dim, "AUTO"):
        options.insert(0, {"dynamic_shapes": _dynamic_shapes(torch, model, specs, call)})
    modes = [{}]
    if "strict" in inspect.signature(exporter).parameters:
        modes = [{"strict": False}, {"strict": True}]
    first = None
    for option in options:
        for mode in modes:
            try:
                with torch.no_grad():
                    return exporter(model, args, kwargs or None, **option, **mode)
            except Exception as error:  # the exporter raises whatever it meets; the first reason is the one to tell
                first = first or error
    raise from_user(first, "torch.export failed") from first


def _dynamic_shapes(torch, model, specs, call):
    """What torch.export wants in the structure of (args, kwargs), by parameter name."""
    dimension = torch.export.Dim
    anything = getattr(dimension, "DYNAMIC", None)
    example = is_example(specs)
    made = {}

    def of(spec):
        if example:
            return {axis: dimension.AUTO for axis, size in enumerate(spec.dims) if size > 1}
        if anything is not None:
            return {axis: anything for axis in spec.dynamic()}
        return {axis: made.setdefault(symbol, dimension(symbol)) for axis, symbol in spec.dynamic().items()}

    positional, named = call([of(spec) for spec in specs])
    parameters = inspect.signature(model.forward).parameters
    shapes, rest = {}, list(positional)
    for parameter in parameters.values():
        if parameter.kind == parameter.VAR_POSITIONAL:
            shapes[parameter.name] = tuple(rest)
            rest = []
        elif rest and parameter.kind != parameter.KEYWORD_ONLY:
            shapes[parameter.name] = rest.pop(0)
    shapes.update(named)
    return shapes


def _fixed_dimension(text):
    text = text.lower()
    return any(
        sign in text for sign in ("constraintviolation", "constraints violated", "specialized", "marked as dynamic")
    )


def _cannot_vary(reason, where=None):
    return BridgeError(
        "a dimension of --input cannot vary in this model: " + reason,
        "give that dimension a number, or make forward independent of it",
        where,
    )


def _trace(torch, model, specs, values, call, reason):
    args, kwargs = call(values)
    given = {"example_inputs": args}
    if kwargs:  # only where every input is called like its parameter; the tracer takes one kind or the other
        given = {"example_kwarg_inputs": {spec.name: value for spec, value in zip(specs, values)}}
    try:
        with torch.no_grad():
            return torch.jit.trace(model, strict=False, check_trace=False, **given)
    except Exception as error:
        traced_reason = from_user(error, "tracing failed too").what
        hint = "rewrite what the message names, or use torch 2.5 or newer, which exports more (this is {})"
        raise BridgeError(
            reason.what + "; " + traced_reason, hint.format(torch.__version__), reason.where
        ) from error


def _check_varying(torch, model, traced, specs, call):
    """A trace may have frozen a size that should vary: compares it with the model at other sizes."""
    if not any(spec.dynamic() for spec in specs):
        return
    other = {symbol: size + size // 2 for symbol, size in sample_sizes(specs).items()}
    sizes = ", ".join('"{}" {}'.format(spec.name, spec.sizes(other)) for spec in specs)
    try:
        same = _same(torch, model, traced, sample_inputs(torch, specs, 1, largest=2, chosen=other), call)
    except Exception as error:
        failed = from_user(error, "it failed at {}".format(sizes))
        raise _cannot_vary(failed.what, failed.where) from error
    if not same:
        raise _cannot_vary("its trace answers otherwise than the model at {}".format(sizes))
