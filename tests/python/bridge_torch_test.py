"""The bridge on small PyTorch models; skipped where torch is not installed."""

import json
from collections import OrderedDict

import pytest

from bridge_common_test import run_bridge, told

torch = pytest.importorskip("torch", reason="torch is not installed in this Python")
numpy = pytest.importorskip("numpy", reason="numpy is not installed in this Python")

MODELS = """
import torch
from torch import nn

class Plain(nn.Module):
    input_names = ["in put"]
    output_names = ["out put"]
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.norm = nn.BatchNorm1d(2)
    def forward(self, x):
        return self.norm(self.fc(x))

class Pair(Plain):
    output_names = None
    def forward(self, a, b, *, scale=None):
        y = self.norm(self.fc(a)) + b
        if scale is not None:
            y = y * scale
        return {"sum": y, "first": a}

class Words(Plain):
    output_names = None
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(3, 3)
    def forward(self, ids):
        return self.norm(self.fc(self.table(ids).mean(1)))

class Sequence(Plain):
    output_names = ["answer"]
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(3, 3, batch_first=True)
    def forward(self, steps):
        return self.norm(self.fc(self.rnn(steps)[0][:, -1]))

class Breaks(Plain):
    def forward(self, x):
        return self.fc(x.reshape(7))

class Branches(Plain):
    def forward(self, x):
        if x.sum().item() > 0:
            return self.fc(x)
        return self.norm(x)

class Fixed(Plain):
    def forward(self, x):
        return self.fc(x.reshape(2, 3))

class Froze(Plain):
    def forward(self, x):
        if x.sum().item() > -1:
            return self.fc(x) * float(len(x.tolist()))
        return self.norm(x)

class Wide(Plain):
    def __init__(self, width):
        super().__init__()

class Misnamed(Plain):
    output_names = ["a", "b"]

def build():
    return Plain()
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bridge_models.py").write_text(MODELS)
    torch.manual_seed(1)
    scope = {}
    exec(compile(MODELS, "bridge_models.py", "exec"), scope)
    save = lambda name, value: torch.save(value, str(tmp_path / name))
    state = scope["Plain"]().state_dict()
    save("w.pth", state)
    save("words.pth", scope["Words"]().state_dict())
    save("sequence.pth", scope["Sequence"]().state_dict())
    save("parallel.pth", OrderedDict(("module." + key, value) for key, value in state.items()))
    save("nested.pth", {"epoch": 3, "state_dict": OrderedDict(("model." + k, v) for k, v in state.items())})
    save("short.pth", OrderedDict((("extra" if k == "fc.bias" else k), v) for k, v in state.items()))
    save("shape.pth", OrderedDict((k, v[:1] if k == "fc.bias" else v) for k, v in state.items()))
    save("empty.pth", {"epoch": 3})
    return tmp_path


def bridge(folder, name, *inputs, file="w.pth", expect=0):
    options = [part for text in inputs for part in ("--input", text)]
    out = folder / "out"
    result = run_bridge("torch", "--file", folder / file, "--class", "bridge_models:" + name, *options, "--out", out)
    assert result.returncode == expect, result.stderr
    if expect:
        assert not (out / "bridge.json").exists()
        return told(result)
    described = json.loads((out / "bridge.json").read_text())
    with numpy.load(out / "inputs.npz") as inputs, numpy.load(out / "outputs.npz") as outputs:
        return described, dict(inputs), dict(outputs)


@pytest.mark.parametrize("file", ["w.pth", "parallel.pth", "nested.pth"])
def test_a_model_and_its_samples(folder, file):
    described, inputs, outputs = bridge(folder, "Plain", "in put=4,3", file=file)
    assert described["inputs"] == [{"name": "in put", "dtype": "float32", "shape": [4, 3]}]
    assert described["outputs"] == [{"name": "out put", "dtype": "float32", "shape": [4, 2]}]
    state = torch.load(str(folder / "w.pth"), weights_only=True)
    linear = inputs["in put"] @ state["fc.weight"].numpy().T + state["fc.bias"].numpy()
    expected = linear / numpy.sqrt(1 + 1e-5)  # a fresh BatchNorm in evaluation
    numpy.testing.assert_allclose(outputs["out put"], expected, rtol=1e-4, atol=1e-5)


def test_the_program_runs_and_carries_the_names(folder):
    described, inputs, outputs = bridge(folder, "build", "in put=4,3")
    if described["format"] != "pt2":
        pytest.skip("this torch does not export: " + "; ".join(described["notes"]))
    extra = {"onward.json": ""}
    program = torch.export.load(str(folder / "out" / "model.pt2"), extra_files=extra)
    assert json.loads(extra["onward.json"]) == {"inputs": ["in put"], "outputs": ["out put"]}
    answer = program.module()(torch.from_numpy(inputs["in put"]))
    numpy.testing.assert_allclose(answer.detach().numpy(), outputs["out put"], rtol=1e-5, atol=1e-6)


def test_samples_are_the_same_every_time(folder):
    assert numpy.array_equal(bridge(folder, "Plain", "x=4,3")[1]["x"], bridge(folder, "Plain", "x=4,3")[1]["x"])


@pytest.mark.skipif(
    not hasattr(getattr(torch, "export", None), "save"), reason="this torch only traces: no keyword-only inputs"
)
def test_inputs_are_matched_by_name_and_outputs_named_by_key(folder):
    described, inputs, outputs = bridge(folder, "Pair", "scale=1", "b=batch,2", "a=batch,3")
    assert [one["name"] for one in described["inputs"]] == ["a", "b", "scale"]
    assert list(outputs) == ["sum", "first"]
    assert numpy.array_equal(outputs["first"], inputs["a"]) and inputs["b"].shape == (2, 2)


def test_integers_stay_in_range(folder):
    described, inputs, outputs = bridge(folder, "Words", "ids:int64=2,5", file="words.pth")
    assert inputs["ids"].dtype == numpy.int64 and inputs["ids"].max() <= 2 and list(outputs) == ["output"]


def test_integers_are_tried_where_the_user_says_no_dtype(folder):
    described, inputs, _ = bridge(folder, "Words", "ids=1,5", file="words.pth")
    assert described["inputs"][0]["dtype"] == str(inputs["ids"].dtype) == "int64"
    assert "fed int64" in described["notes"][0]


def test_a_dtype_that_the_user_gave_stays(folder):
    assert "float32" in bridge(folder, "Words", "ids:float32=1,5", file="words.pth", expect=1)["error"]


@pytest.mark.parametrize("batch, dynamic", [(1, False), (4, True)])
def test_a_batch_of_two_or_more_is_an_example(folder, batch, dynamic):
    described, _, _ = bridge(folder, "Plain", "in put={},3".format(batch))
    if described["format"] != "pt2" or not hasattr(torch.export.Dim, "AUTO"):
        pytest.skip("this torch does not export with sizes that vary")
    module = torch.export.load(str(folder / "out" / "model.pt2")).module()
    more = torch.zeros(batch + 3, 3)
    if dynamic:
        assert module(more).shape == (batch + 3, 2)
    else:
        with pytest.raises(Exception):
            module(more)


def test_a_length_that_only_the_export_fixes_stays_free(folder):
    described, _, _ = bridge(folder, "Sequence", "the steps=2,7,3", file="sequence.pth")
    if described["format"] == "pt2":
        pytest.skip("this torch exports an LSTM of any length, or none")
    names = {"onward.json": ""}
    traced = torch.jit.load(str(folder / "out" / "model.pt"), _extra_files=names)
    assert traced(torch.zeros(3, 11, 3)).shape == (3, 2)
    assert json.loads(names["onward.json"]) == {"inputs": ["the steps"], "outputs": ["answer"]}


def test_a_branch_on_values_is_traced(folder):
    described, _, _ = bridge(folder, "Branches", "x=2,3")
    assert (described["format"], described["model"]) == ("torchscript", "model.pt")
    assert "torch.export failed" in described["notes"][0]
    assert torch.jit.load(str(folder / "out" / "model.pt"))(torch.ones(2, 3)).shape == (2, 2)


def test_a_dimension_that_cannot_vary(folder):
    said = bridge(folder, "Fixed", "x=-1,3", expect=1)
    assert "cannot vary" in said["error"] and "number" in said["hint"]


def test_a_trace_that_froze_a_size_is_refused(folder):
    said = bridge(folder, "Froze", "x=-1,3", expect=1)
    assert "cannot vary" in said["error"] and "answers otherwise" in said["error"]


@pytest.mark.parametrize(
    "name, file, part",
    [
        ("Plain", "short.pth", "not in the file: fc.bias; not in the class: extra"),
        ("Plain", "shape.pth", "fc.bias is [1] in the file, [2] in the class"),
        ("Plain", "empty.pth", "holds no state dict; it holds: epoch"),
        ("Plain", "missing.pth", "no file"),
        ("Plain", "bridge_models.py", "bridge_models.py"),
        ("Absent", "w.pth", 'has no "Absent"'),
        ("Wide", "w.pth", "width"),
        ("Misnamed", "w.pth", "output_names has 2 names (a, b), but forward returns 1 tensors"),
    ],
)
def test_what_does_not_fit(folder, name, file, part):
    said = bridge(folder, name, "x=2,3", file=file, expect=1)
    assert part in said["error"] and said["hint"]


def test_an_error_in_forward_names_its_line(folder):
    said = bridge(folder, "Breaks", "x=2,3", expect=1)
    line = 1 + MODELS.splitlines().index("        return self.fc(x.reshape(7))")
    assert said["where"].endswith("bridge_models.py:{}".format(line))
    assert "reshape" not in said["where"] and "Traceback" not in said["error"]


def test_inputs_are_asked_for(folder):
    assert "--input" in bridge(folder, "Plain", expect=1)["hint"]
    assert "forward takes 1: x" in bridge(folder, "Plain", "p=2,3", "q=2,3", expect=1)["error"]


def test_a_pickle_with_code_is_not_loaded(folder):
    marker = folder / "ran"

    class Bad:
        def __reduce__(self):
            return open, (str(marker), "w")

    torch.save({"state_dict": Bad()}, str(folder / "bad.pth"))
    said = bridge(folder, "Plain", "x=2,3", file="bad.pth", expect=1)
    assert "run code from the file" in said["error"] and "state_dict()" in said["hint"]
    assert not marker.exists()
