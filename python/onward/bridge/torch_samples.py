"""What a PyTorch model is fed for a sample, and what it answers."""

from .errors import BridgeError, from_user
from .specs import InputSpec, sample_sizes


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
