#!/usr/bin/env python3
"""Writes the .pt2 files in cases/ with inputs and what PyTorch gives for them. Needs torch; the tests themselves don't.

    python3 make_cases.py [NAME…]

A case is one entry of CASES: a module, its example inputs, what torch.export shall leave open, and further inputs. Files
stay below 80 KB.
"""
import pathlib
import sys

import numpy
import torch
from torch import nn
from torch.export import Dim

HERE = pathlib.Path(__file__).parent / "cases"
LIMIT = 80_000
N = Dim("n", min=2, max=64)


class Fn(nn.Module):
    """A function as a module."""

    def __init__(self, function, **tensors):
        super().__init__()
        self.function = function
        for name, tensor in tensors.items():
            self.register_buffer(name, tensor)

    def forward(self, *args):
        return self.function(self, *args)


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(6, 4)
        self.head = nn.Linear(4, 6, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, x):
        return self.head(self.embed(x))


class Counter(nn.Module):
    """Changes a buffer in place, and reads it afterwards."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(3))

    def forward(self, x):
        self.count.add_(x)
        self.count[0] = 7.0
        return x * self.count


class Nested(nn.Module):
    def forward(self, pair, *, scale):
        a, b = pair["left"], pair["right"][0]
        return {"sum": a + b, "parts": [a * scale, b], "none": None}


class Loop(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        def more(i, y):
            return i < 3

        def step(i, y):
            return i + 1, torch.tanh(self.layer(y))

        from torch._higher_order_ops.while_loop import while_loop
        return while_loop(more, step, (torch.tensor(0), x))[1]


class Scan(nn.Module):
    def forward(self, x):
        from torch._higher_order_ops.scan import scan
        return scan(lambda carry, row: (carry + row, carry * row), torch.ones(3), x, dim=0)


class Map(nn.Module):
    def forward(self, x, y):
        from torch._higher_order_ops.map import map as torch_map
        return torch_map(lambda row, other: row @ other, x, y)


class Cond(nn.Module):
    def forward(self, x):
        return torch.cond(x.sum() > 0, lambda v: v + v.shape[0], lambda v: v * v, (x,))


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        with torch.no_grad():
            y = self.layer(x)
        return y.relu()


def views(_, x):
    y = x.clone()
    y.view(-1)[3] = 9
    y.t()[0].zero_()
    y[1:, ::2] += 1
    a, b = y.split(2, dim=1)
    b.mul_(-1)
    return y, a


def pad_to_multiple(_, x):
    size = x.shape[1]
    return nn.functional.pad(x, (0, -size % 4)) / size


def window(_, x):
    half = x.shape[0] // 2
    return torch.cat([x[half:], x[:half]]), x * half, half


def chosen(_, x):
    return x[x > 0].cumsum(0), torch.nonzero(x)


def elementwise_rows(_, x):
    return torch.vmap(lambda row: row * 2 + 1)(x)


def channels_last(_, x):
    red, green, blue = x.unbind(-1)
    return red * green + blue


def channels_first(_, x):
    red, green, blue = x.unbind(1)
    return red * green + blue


class Managed(nn.Module):
    """Context managers, which TorchScript keeps."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv1d(1, 2, 1)

    def forward(self, x):
        with torch.no_grad():
            y = self.layer(x)
        with torch.autograd.profiler.record_function("after"):
            y = y.relu()
            if y.dim() == 3:
                with torch.no_grad():
                    y = y * 2
        return y


def messages(_, x, edges):
    """Nothing but the two names tells that there are two rows of edges."""
    source, target = edges
    count = x.size(0)
    degree = torch.zeros(count).scatter_add_(0, target, torch.ones_like(target, dtype=x.dtype))
    return torch.zeros_like(x).index_add_(0, target, x[source]) / degree.clamp(min=1).unsqueeze(-1)


def size_in_tensor(_, x):
    return x / torch.tensor([x.shape[2] - 1, x.shape[1] - 1])


def one_or_other(_, x):
    return x * torch.sym_ite(x.shape[0] > 4, x.shape[0], x.shape[0] * 2) + x[0].isfinite().all()


def r(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def spectrum(_, x):
    """Complex numbers written into slices, a row and every second column; a transform to sizes that the run tells."""
    z = torch.fft.rfft2(x)
    kept = torch.zeros(x.shape[0], x.shape[1], x.shape[2] // 2 + 1, dtype=torch.cfloat)
    kept[:, :2, :2] = z[:, :2, :2]
    kept[:, -1] = z[:, -1]
    kept[:, :, ::2] = z[:, :, ::2]
    return torch.fft.irfft2(kept, s=x.shape[-2:])


def split_of_computed_size(self, x):
    """The batch is known to the product of the others only; the width that is split stands beside it."""
    rows = x.view(-1, x.shape[-1])
    joined = torch.addmm(self.b, rows.unsqueeze(-1).view(-1, 1), self.w).view(rows.shape + (6,))
    left, middle, right = joined.split(2, dim=2)
    return left * middle + right


def from_place(_, x, start, end):
    """The exporter asserts where the view begins in its storage."""
    return x[start.item():end.item()] * 2


# name: (module, args, kwargs, dynamic_shapes, further args, decompose)
def quantized(config, group=None):
    """A network whose weights torchao quantized; needs torchao."""
    import torchao.quantization as ao
    module = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
    options = {"granularity": ao.PerGroup(group)} if group else {}
    ao.quantize_(module, getattr(ao, config)(**options))
    return module


CASES = {
    "linear": (nn.Linear(3, 2), (r(4, 3),), {}, ({0: N},), [(r(7, 3),)], False),
    "conv": (nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.MaxPool2d(2)).eval(),
             (r(2, 1, 6, 6),), {}, ({0: N, 2: 2 * Dim("h", min=2, max=32), 3: 2 * Dim("w", min=2, max=32)},),
             [(r(3, 1, 8, 4),)], False),
    "conv-core": (nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.GELU()).eval(), (r(1, 1, 6, 6),), {}, None,
                  [], True),
    "tied": (Tied(), (torch.tensor([[0, 5, 2]]),), {}, None, [], False),
    "transposed-weight": (Fn(lambda self, x: x @ self.w, w=r(4, 3).t()), (r(2, 3),), {}, None, [], False),
    "counter": (Counter(), (r(3),), {}, None, [], False),
    "counter-core": (Counter(), (r(3),), {}, None, [], True),
    "nested": (Nested(), ({"left": r(3), "right": [r(3, seed=1)]},), {"scale": r(1)}, None, [], False),
    "loop": (Loop(), (r(4, 3),), {}, ({0: N},), [(r(2, 3),)], False),
    "scan": (Scan(), (r(5, 3),), {}, ({0: N},), [(r(2, 3),)], False),
    "map": (Map(), (r(5, 2, 3), r(3, 2)), {}, ({0: N}, None), [(r(3, 2, 3), r(3, 2, seed=4))], False),
    "cond": (Cond(), (r(3).abs(),), {}, ({0: N},), [(-r(5).abs(),)], False),
    "no-grad": (NoGrad(), (r(4, 3),), {}, None, [], False),
    "views": (Fn(views), (r(3, 4),), {}, None, [], False),
    "pad": (Fn(pad_to_multiple), (r(2, 6),), {}, ({1: N},), [(r(2, 9),)], False),
    "window": (Fn(window), (r(6, 2),), {}, ({0: 2 * Dim("half", min=2, max=32)},), [(r(10, 2),)], False),
    "chosen": (Fn(chosen), (torch.tensor([1.0, -1.0, 2.0]),), {}, None, [(torch.tensor([-1.0, -2.0, -3.0]),)], False),
    "vmap-elementwise": (Fn(elementwise_rows), (r(3, 5),), {}, None, [], False),
    "opened-lstm": (nn.LSTM(3, 5), (r(7, 2, 3),), {}, ({0: torch.export.Dim.AUTO, 1: torch.export.Dim.AUTO},), [(r(4, 3, 3),)], False),
    "opened-pool": (nn.MaxPool1d(3, 2, ceil_mode=True), (r(2, 3, 9),), {}, ({0: N, 2: torch.export.Dim.AUTO},), [(r(4, 3, 12),)], False),
    "split-listed": (Fn(lambda _, x: x.split(4, 1)), (r(2, 6),), {}, ({1: Dim("width", min=6, max=8)},), [(r(2, 7),)], False),
    "traced-last": (Fn(channels_last), (r(2, 5, 3),), {}, None, [(r(4, 2, 3),)], False),
    "traced-channels": (Fn(channels_first), (r(2, 3, 4, 5),), {}, None, [(r(1, 3, 6, 2),)], False),
    "traced-spectrum": (Fn(spectrum), (r(2, 4, 6),), {}, None, [(r(1, 5, 8),)], False),
    "traced-split": (Fn(split_of_computed_size, w=r(1, 6), b=r(6, seed=1)), (r(2, 3),), {}, None, [(r(4, 2),)], False),
    "traced-edges": (Fn(messages), (r(4, 3), torch.tensor([[0, 1, 3], [2, 2, 0]])), {}, None,
                     [(r(6, 3), torch.tensor([[5, 1, 3, 4], [2, 5, 0, 0]]))], False),
    "scripted-with": (Managed(), (r(4, 1, 3),), {}, None, [], False),
    "scripted-double": (nn.Sequential(nn.Conv1d(1, 4, 1), nn.ReLU(), nn.Linear(3, 2)).double().eval(), (r(4, 1, 3).double(),), {}, None, [], False),
    "size-in-tensor": (Fn(size_in_tensor), (r(2, 5, 6, 2),), {}, ({1: N, 2: Dim("w", min=2, max=64)},), [(r(2, 3, 4, 2),)], False),
    "one-or-other": (Fn(one_or_other), (r(6, 2),), {}, ({0: N},), [(r(3, 2),)], False),
    "gelu-bfloat16": (Fn(lambda _, x: nn.functional.gelu(x.bfloat16()).float()), (r(2, 5),), {}, None, [], False),
    "from-place": (Fn(from_place), (r(6, 2), torch.tensor(1), torch.tensor(3)), {}, None,
                   [(r(6, 2), torch.tensor(-4), torch.tensor(9))], False),
    "torchao-weight": (quantized("Int8WeightOnlyConfig"), (r(2, 3, 8),), {}, ({0: N},), [(r(5, 3, 8),)], False),
    "torchao-groups": (quantized("IntxWeightOnlyConfig", 4), (r(2, 8),), {}, None, [], False),
    "torchao-dynamic": (quantized("Int8DynamicActivationInt8WeightConfig"), (r(2, 8),), {}, None, [], False),
    "number": (Fn(lambda _, x, k: x * k), (r(3), 2.5), {}, None, [], False),
}


def flat(value):
    return torch.utils._pytree.tree_leaves(value)


def arrays(values):
    return {str(i): numpy.asarray(v.detach() if isinstance(v, torch.Tensor) else v)
            for i, v in enumerate(values) if v is not None}


def write(name, module, args, kwargs, dynamic, further, decompose):
    folder = HERE / name
    folder.mkdir(parents=True, exist_ok=True)
    if name.startswith(("traced", "scripted")):
        traced = torch.jit.trace(module, args) if name.startswith("traced") else torch.jit.script(module)
        torch.jit.save(traced, folder / "model.pt")
        for i, inputs in enumerate([args, *further]):
            numpy.savez(folder / f"inputs_{i}.npz", **arrays(inputs))
            numpy.savez(folder / f"outputs_{i}.npz", **arrays(flat(module(*inputs))))
        return
    if dynamic is not None and isinstance(module, Fn):
        dynamic = (tuple(dynamic),)
    program = torch.export.export(module, args, kwargs, dynamic_shapes=dynamic, strict=False)
    if decompose:
        program = program.run_decompositions()
    torch.export.save(program, folder / "model.pt2")
    for i, inputs in enumerate([args, *further]):
        # One that has changed no buffer yet; a program whose sizes were fixed refuses those that we open.
        fresh = module if name.startswith("opened") else torch.export.load(folder / "model.pt2").module()
        numpy.savez(folder / f"inputs_{i}.npz", **arrays(flat((inputs, kwargs))))
        copies = torch.utils._pytree.tree_map(lambda t: t.clone() if isinstance(t, torch.Tensor) else t, inputs)
        numpy.savez(folder / f"outputs_{i}.npz", **arrays(flat(fresh(*copies, **kwargs))))
    size = (folder / "model.pt2").stat().st_size
    print(name, size)
    assert size <= LIMIT, f"{name} is too large"


torch.manual_seed(0)
for case, parts in CASES.items():
    if len(sys.argv) < 2 or case in sys.argv[1:]:
        write(case, *parts)
