"""PyTorch: a class and a state dict -> an exported program, sample inputs and outputs."""

import ctypes
import inspect
import os
import pickle
import sys

from . import loading, npz, report
from .errors import BridgeError, from_user
from .specs import parse_inputs
from .torch_export import export
from .torch_samples import answer, sample_inputs, tensor_leaves

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
