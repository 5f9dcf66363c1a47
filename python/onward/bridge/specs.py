"""`--input NAME[:DTYPE]=DIMS`: what the user says of an input."""

import re

from .errors import BridgeError

DTYPES = (
    "float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8", "bool",
    "complex64", "complex128",
)  # fmt: skip
_HINT = 'write it as NAME=DIMS or NAME:DTYPE=DIMS, e.g. --input "image=1,3,224,224" or --input ids:int64=-1,16'


class InputSpec:
    """Name, dtype and dimensions; a dimension is an int, or a string when it may vary. `told`: the user gave the dtype."""

    def __init__(self, name, dtype, dims, told=True):
        self.name, self.dtype, self.dims, self.told = name, dtype, dims, told

    def dynamic(self):
        """{axis: symbol} of the dimensions that may vary."""
        return {axis: dim for axis, dim in enumerate(self.dims) if isinstance(dim, str)}

    def sizes(self, chosen):
        """The dimensions with `chosen[symbol]` in place of every symbol."""
        return [chosen[dim] if isinstance(dim, str) else dim for dim in self.dims]

    def __repr__(self):
        return "InputSpec({!r}, {!r}, {!r})".format(self.name, self.dtype, self.dims)


def parse_inputs(texts):
    """The specs of all --input options; `-1` becomes a symbol of its own, equal names are the same dimension."""
    specs = [_parse(text, index) for index, text in enumerate(texts)]
    names = [spec.name for spec in specs]
    for name in names:
        if names.count(name) > 1:
            raise BridgeError('--input names "{}" twice'.format(name), "give every input one --input")
    return specs


def is_example(specs):
    """Whether the sizes only show what comes: all are numbers, and every input begins with a batch of two or more."""
    fixed = all(isinstance(dim, int) for spec in specs for dim in spec.dims)
    return fixed and all(spec.dims and spec.dims[0] > 1 for spec in specs)


def sample_sizes(specs):
    """A size for every symbol: 2 in front (where it is a batch), 64 elsewhere."""
    chosen = {}
    for spec in specs:
        for axis, symbol in spec.dynamic().items():
            chosen.setdefault(symbol, 2 if axis == 0 else 64)
    return chosen


def _parse(text, index):
    name, equals, dims = text.rpartition("=")
    if not equals or not name.strip():
        raise BridgeError('--input "{}" has no NAME=DIMS'.format(text), _HINT)
    dtype, told = "float32", False
    head, colon, tail = name.rpartition(":")
    if colon and tail in DTYPES:
        name, dtype, told = head, tail, True
    elif colon and not tail.isdigit():  # "x:0" is a name; "x:flaot32" is a slip
        raise BridgeError(
            '--input "{}": unknown dtype "{}"'.format(text, tail), "the dtypes are " + ", ".join(DTYPES)
        )
    if not name.strip():
        raise BridgeError('--input "{}" has no name'.format(text), _HINT)
    parts = [part.strip() for part in dims.split(",")] if dims.strip() else []
    return InputSpec(name.strip(), dtype, [_dim(part, text, index, axis) for axis, part in enumerate(parts)], told)


def _dim(part, text, index, axis):
    if part in ("-1", "?"):
        return "d{}_{}".format(index, axis)
    if part.isdigit() and int(part) > 0:
        return int(part)
    if re.match(r"^[A-Za-z_]\w*$", part):
        return part
    raise BridgeError(
        '--input "{}": "{}" is no dimension'.format(text, part),
        "a dimension is a positive number, or -1 or a name when it may vary",
    )
