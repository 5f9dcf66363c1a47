"""Conversion cases that must keep holding, where the corpus lies beside the checkout; corpus_cases.txt lists them.

Each is converted, run in ONNX Runtime's own Python package, and compared with what the source framework computed.
"""
import json
import os
import pathlib

import numpy as np
import onnxruntime
import pytest
from conftest import ROOT, onward

CORPUS = pathlib.Path(os.environ.get("ONWARD_CORPUS", ROOT.parent / "shared" / "corpus"))
CASES = (pathlib.Path(__file__).parent / "corpus_cases.txt").read_text().split()

pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f"there is no corpus at {CORPUS} (ONWARD_CORPUS names another)")


def graph_tensors(case):
    """--inputs and --outputs for files without a signature."""
    for option in ("inputs", "outputs"):
        values = case.get(option) or []
        if values and all("tensor" in value for value in values):
            yield from ("--" + option, ",".join(value["tensor"] for value in values))


def ordered(values, declared):
    names = [value["name"] for value in declared or []]
    if set(names) != set(values):
        names = sorted(values, key=int) if all(name.isdigit() for name in values) else list(values)
    return [values[name] for name in names]


def as_real(value):
    return np.stack([value.real, value.imag], axis=-1) if value.dtype.kind == "c" else value


def compare(got, expected, case):
    expected = as_real(expected)
    assert got.shape == expected.shape
    if expected.dtype.kind == "S":
        assert [str(text) for text in got.ravel()] == [text.decode() for text in expected.ravel()]
        return
    assert got.dtype == expected.dtype
    exact = expected.dtype.kind in "biu"
    np.testing.assert_allclose(got, expected, rtol=0 if exact else case.get("rtol", 1e-4),
                               atol=0 if exact else case.get("atol", 1e-5))


def refused_or_listed(folder, case):
    """Cases about files that are no models, or must not convert."""
    inspects = case["expect"] == "listing" or case["format"] in ("state_dict", "safetensors")
    model = folder / case["model"]
    done = onward("inspect", model, "--json") if inspects else onward("convert", model, "-o", os.devnull)
    if case["expect"] == "listing":
        tensors = {tensor["name"]: tensor for tensor in json.loads(done.stdout)["tensors"]}
        assert tensors == {tensor["name"]: tensor for tensor in case["tensors"]}
    else:
        assert done.returncode == 1 and done.stderr.startswith("error: ")
        assert all(text in done.stderr for text in case.get("mentions", []) + case.get("names", [])), done.stderr
        assert not os.path.exists(case.get("marker", "/nothing"))


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path):
    folder = CORPUS / name
    case = json.loads((folder / "case.json").read_text())
    if case.get("expect"):
        return refused_or_listed(folder, case)
    output = tmp_path / "model.onnx"
    done = onward("convert", folder / case["model"], "-o", output, *graph_tensors(case))
    assert done.returncode == 0, done.stderr
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    recorded = sorted(folder.glob("inputs_*.npz"))
    assert recorded
    for path in recorded:
        inputs = ordered(dict(np.load(path)), case.get("inputs"))
        feeds = {wanted.name: as_real(value) for wanted, value in zip(session.get_inputs(), inputs)}
        expected = ordered(dict(np.load(path.with_name(path.name.replace("inputs", "outputs")))), case.get("outputs"))
        got = session.run(None, feeds)
        assert len(got) == len(expected)
        for one, other in zip(got, expected):
            compare(one, other, case)
