"""PyTorch: a class and a state dict -> an exported program, sample inputs and outputs."""

import ctypes
import inspect
import json
import os
import pickle
import sys

from . import loading, npz, report
from .errors import BridgeError, from_user
from .specs import InputSpec, is_example, parse_inputs, sample_sizes

_NESTED = ("state_dict", "model_state_dict", "model", "module", "net", "network", "weights", "params")
_PREFIXES = ("module.", "_orig_mod.", "model.", "net.")


def run(options):
    try:
        import torch
    except ImportError as error:
        raise BridgeError(
            "this Python ({}) has no torch: {}".format(sys.executable, error),
            "name the Python that the model is trained with by --python, or install torch",
        ) from error
    loading.check_file(options.file)
    specs = parse_inputs(options.input)
    if not specs:
        raise BridgeError(
            "a PyTorch class does not say what it is fed",
            'add --input "NAME=DIMS" for every input of forward, e.g. --input "image=1,3,224,224"',
        )
    torch.manual_seed(options.seed)
    found = loading.find(options.class_, options.file)
    model = loading.create(found, options.class_, lambda value: isinstance(value, torch.nn.Module))
    load_state(torch, model, options.file)
    model.eval()

    specs, call = arrange(model, specs)
    values = sample_inputs(torch, specs, options.seed)
    notes = []
    outputs, specs, values = answer(torch, model, specs, values, call, options.seed, notes)
    output_names = name_outputs(torch, model, outputs)
    file, kind = export(torch, model, specs, values, call, options.out, output_names, notes)

    leaves = tensor_leaves(torch, outputs)
    report.write(
        options.out,
        {
            "framework": "torch",
            "version": str(torch.__version__),
            "class": options.class_,
            "model": file,
            "format": kind,
            "inputs": [{"name": spec.name, "dtype": spec.dtype, "shape": spec.dims} for spec in specs],
            "outputs": [
                {"name": name, "dtype": _dtype(leaf), "shape": list(leaf.shape)}
                for name, leaf in zip(output_names, leaves)
            ],
            "notes": notes,
        },
        {spec.name: _record(torch, value) for spec, value in zip(specs, values)},
        {name: _record(torch, leaf) for name, leaf in zip(output_names, leaves)},
    )


# --- weights ---------------------------------------------------------------------------------------------------


def load_state(torch, model, path):
    """Loads the state dict strictly; nothing in the file is executed."""
    state = fit_prefixes(find_state(torch, _read(torch, path), path), set(model.state_dict()))
    try:
        model.load_state_dict(state, strict=True)
    except (RuntimeError, AttributeError, TypeError) as error:
        raise BridgeError(_mismatch(model, state, path, error), "load it with the class that wrote it") from error


def _read(torch, path):
    if path.endswith(".safetensors"):
        try:
            from safetensors.torch import load_file
        except ImportError as error:
            raise BridgeError(
                "reading {} needs the package safetensors".format(path), "pip install safetensors"
            ) from error
        return load_file(path)
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise BridgeError(
            '"{}" holds more than tensors, and loading that would run code from the file: {}'.format(
                path, " ".join(str(error).split())[:300]
            ),
            "save the state dict alone: torch.save(model.state_dict(), {!r})".format(os.path.basename(path)),
        ) from error
    except Exception as error:
        hint = "is it a state dict written by torch.save?"
        if "torchscript" in str(error).lower() or "torch.jit" in str(error):
            hint = "this is a TorchScript file: convert it directly, without --class"
        raise from_user(error, 'reading "{}" failed'.format(path), hint) from error


def find_state(torch, loaded, path):
    """The state dict in what torch.load gave: itself, or under one of the names that checkpoints use."""
    for _ in range(4):
        if isinstance(loaded, torch.nn.Module):
            return loaded.state_dict()
        if not isinstance(loaded, dict):
            break
        if loaded and all(isinstance(value, torch.Tensor) for value in loaded.values()):
            return loaded
        nested = [key for key in _NESTED if isinstance(loaded.get(key), dict)]
        if not nested:
            if any(isinstance(value, torch.Tensor) for value in loaded.values()):
                return loaded
            break
        loaded = loaded[nested[0]]
    held = ", ".join(map(str, list(loaded)[:10])) if isinstance(loaded, dict) else type(loaded).__name__
    raise BridgeError(
        '"{}" holds no state dict; it holds: {}'.format(path, held or "nothing"),
        "save it with torch.save(model.state_dict(), …)",
    )


def fit_prefixes(state, expected):
    """Strips what wrappers put before every name (DataParallel, torch.compile, Lightning) when the model lacks it."""
    while state and not set(state) & expected:
        prefix = next((p for p in _PREFIXES if all(str(key).startswith(p) for key in state)), None)
        if prefix is None:
            break
        metadata = getattr(state, "_metadata", None)
        state = type(state)((key[len(prefix) :], value) for key, value in state.items())
        if metadata is not None:
            bare = prefix[:-1]
            state._metadata = {
                ("" if key == bare else key[len(prefix) :] if key.startswith(prefix) else key): value
                for key, value in metadata.items()
                if key != ""
            }
    return state


def _mismatch(model, state, path, error):
    expected = model.state_dict()
    missing = [key for key in expected if key not in state]
    unexpected = [str(key) for key in state if key not in expected]
    shapes = [
        "{} is {} in the file, {} in the class".format(key, list(state[key].shape), list(value.shape))
        for key, value in expected.items()
        if key in state and hasattr(value, "shape") and getattr(state[key], "shape", None) != value.shape
    ]
    told = [
        "{}: {}".format(label, ", ".join(keys[:8]) + (" and {} more".format(len(keys) - 8) if len(keys) > 8 else ""))
        for label, keys in (("not in the file", missing), ("not in the class", unexpected), ("shape", shapes))
        if keys
    ]
    return '"{}" does not fit {}: {}'.format(
        path, type(model).__name__, "; ".join(told) or " ".join(str(error).split())[:400]
    )


# --- inputs and outputs ----------------------------------------------------------------------------------------


def arrange(model, specs):
    """Specs in the order of forward's parameters, and a function values -> (args, kwargs).

    Inputs that are all called like parameters are matched by name, otherwise by position.
    """
    try:
        parameters = inspect.signature(model.forward).parameters
    except (TypeError, ValueError):
        parameters = {}
    names = [spec.name for spec in specs]
    if not names or any(name not in parameters for name in names):
        limit = [p for p in parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        variable = any(p.kind == p.VAR_POSITIONAL for p in parameters.values())
        if parameters and not variable and len(names) > len(limit):
            raise BridgeError(
                "{} --input options, but forward takes {}: {}".format(
                    len(names), len(limit), ", ".join(p.name for p in limit)
                ),
                "give one --input for each, in that order",
            )
        return specs, lambda values: (tuple(values), {})
    order = [name for name in parameters if name in names]
    specs = sorted(specs, key=lambda spec: order.index(spec.name))
    positional = 0
    for index, (name, parameter) in enumerate(parameters.items()):
        if index >= len(order) or order[index] != name or parameter.kind == parameter.KEYWORD_ONLY:
            break
        positional += 1
    return specs, lambda values: (tuple(values[:positional]), dict(zip(order[positional:], values[positional:])))


def sample_inputs(torch, specs, seed, largest=8, chosen=None):
    """Seeded values: floats in [0, 1), integers in [0, largest); `chosen` gives other sizes to what may vary."""
    generator = torch.Generator().manual_seed(seed)
    chosen = chosen or sample_sizes(specs)
    values = []
    for spec in specs:
        dtype, sizes = getattr(torch, spec.dtype), spec.sizes(chosen)
        if dtype == torch.bool:
            value = torch.randint(0, 2, sizes, generator=generator).bool()
        elif dtype.is_complex:
            value = torch.complex(torch.rand(sizes, generator=generator), torch.rand(sizes, generator=generator))
        elif dtype.is_floating_point:
            value = torch.rand(sizes, generator=generator)
        else:
            value = torch.randint(0, largest, sizes, generator=generator)
        values.append(value.to(dtype))
    return values


def answer(torch, model, specs, values, call, seed, notes):
    """(outputs, specs, sample): of other samples where the model refuses the first one and the user left that open."""
    try:
        return _ask(torch, model, values, call), specs, values
    except Exception as error:
        for others, sample in _other_samples(specs, values, error, lambda others: sample_inputs(torch, others, seed)):
            try:
                outputs = _ask(torch, model, sample, call)
            except Exception:
                continue
            notes.extend(
                '"{0}" is fed int64, since the model refuses float32; --input "{0}:int64=…" says so'.format(new.name)
                for old, new in zip(specs, others)
                if old.dtype != new.dtype
            )
            return outputs, others, sample
        given = ", ".join('"{}" {} {}'.format(s.name, s.dtype, list(v.shape)) for s, v in zip(specs, values))
        raise from_user(
            error,
            "the model failed on a sample input ({})".format(given),
            "do --input's names, dtypes and dimensions fit forward?",
        ) from error


def _ask(torch, model, values, call):
    """The model's outputs; its buffers are afterwards what they were."""
    state = {name: buffer.clone() for name, buffer in model.named_buffers()}
    args, kwargs = call([value.clone() for value in values])
    with torch.no_grad():
        outputs = model(*args, **kwargs)
        for name, buffer in model.named_buffers():
            if name in state and buffer.shape == state[name].shape:
                buffer.copy_(state[name])
    if not tensor_leaves(torch, outputs):
        raise BridgeError("forward returned no tensor but {}".format(type(outputs).__name__), "return the outputs")
    return outputs


def _other_samples(specs, values, error, sample):
    """Smaller integers where the first ones were out of range; integers where the user gave no dtype and floats fail."""

    def smaller(others, made):
        return [
            value if "int" not in spec.dtype else (value > 3).to(value.dtype) for spec, value in zip(others, made)
        ]

    if isinstance(error, BridgeError):
        return
    if any("int" in spec.dtype for spec in specs):
        yield specs, smaller(specs, values)
    open_ones = [index for index, spec in enumerate(specs) if not spec.told]
    for chosen in [open_ones] + ([[index] for index in open_ones] if len(open_ones) > 1 else []):
        if not chosen:
            continue
        others = [
            InputSpec(spec.name, "int64" if index in chosen else spec.dtype, spec.dims, spec.told)
            for index, spec in enumerate(specs)
        ]
        made = sample(others)
        yield others, made
        yield others, smaller(others, made)


def tensor_leaves(torch, outputs):
    from torch.utils._pytree import tree_flatten

    return [leaf for leaf in tree_flatten(outputs)[0] if isinstance(leaf, torch.Tensor)]


def name_outputs(torch, model, outputs):
    """The class's `output_names`, else the keys of a returned dict, else output, or output_0, output_1, …"""
    count = len(tensor_leaves(torch, outputs))
    declared = getattr(model, "output_names", None)
    if declared is not None:
        names = [declared] if isinstance(declared, str) else [str(name) for name in declared]
        if len(names) != count or len(set(names)) != count:
            raise BridgeError(
                "output_names has {} names ({}), but forward returns {} tensors".format(
                    len(names), ", ".join(names), count
                ),
                "name every returned tensor once, in order",
            )
        return names
    if isinstance(outputs, dict) and all(isinstance(value, torch.Tensor) for value in outputs.values()):
        return [str(key) for key in outputs]
    return ["output"] if count == 1 else ["output_{}".format(index) for index in range(count)]


# --- export ----------------------------------------------------------------------------------------------------


def export(torch, model, specs, values, call, out, output_names, notes):
    """Writes model.pt2, or model.pt where torch.export fails; returns (file name, format)."""
    args, kwargs = call(values)
    try:
        program = _program(torch, model, specs, args, kwargs, call)
    except BridgeError as error:
        if any(spec.dynamic() for spec in specs) and _fixed_dimension(error.what):
            raise _cannot_vary(error.what, error.where) from error
        traced = _trace(torch, model, specs, values, args, kwargs, error)
        _check_varying(torch, model, traced, specs, call)
        torch.jit.save(traced, os.path.join(out, "model.pt"))
        notes.append("torch.export failed, so this is a trace: " + error.what)
        return "model.pt", "torchscript"
    names = json.dumps({"inputs": [spec.name for spec in specs], "outputs": output_names})
    if hasattr(program, "_example_inputs"):
        program._example_inputs = None  # would be stored once more
    torch.export.save(program, os.path.join(out, "model.pt2"), extra_files={"onward.json": names})
    return "model.pt2", "pt2"


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


def _trace(torch, model, specs, values, args, kwargs, reason):
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
    args, kwargs = call(sample_inputs(torch, specs, 1, largest=2, chosen=other))
    sizes = ", ".join('"{}" {}'.format(spec.name, spec.sizes(other)) for spec in specs)
    try:
        with torch.no_grad():
            expected = tensor_leaves(torch, model(*args, **kwargs))
            got = tensor_leaves(torch, traced(*args, **kwargs))
    except Exception as error:
        failed = from_user(error, "it failed at {}".format(sizes))
        raise _cannot_vary(failed.what, failed.where) from error
    same = len(got) == len(expected) and all(
        a.shape == b.shape and torch.allclose(a.float(), b.float(), 1e-3, 1e-4, equal_nan=True)
        for a, b in zip(got, expected)
        if not a.is_complex()
    )
    if not same:
        raise _cannot_vary("its trace answers otherwise than the model at {}".format(sizes))


def _dtype(tensor):
    return str(tensor.dtype).replace("torch.", "")


def _record(torch, tensor):
    """(dtype, shape, bytes) of a tensor, without numpy."""
    dtype = _dtype(tensor)
    if not npz.supports(dtype):
        raise BridgeError("a tensor of dtype {} cannot be recorded".format(dtype), "return it as another dtype")
    plain = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
    size = plain.numel() * plain.element_size()
    return dtype, list(plain.shape), ctypes.string_at(plain.data_ptr(), size) if size else b""
