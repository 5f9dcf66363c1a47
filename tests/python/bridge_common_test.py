"""What the bridge does before any framework is imported."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from onward.bridge import loading, npz
from onward.bridge.errors import BridgeError, from_user, user_line
from onward.bridge.specs import parse_inputs, sample_sizes

PYTHON = Path(__file__).resolve().parents[2] / "python"


def run_bridge(*arguments, cwd=None, path=()):
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([*map(str, path), str(PYTHON)]))
    command = [sys.executable, "-m", "onward.bridge", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)


def told(result):
    return json.loads(result.stderr.strip().splitlines()[-1])


@pytest.mark.parametrize(
    "text, name, dtype, dims",
    [
        ("input image=1,1,512,512", "input image", "float32", [1, 1, 512, 512]),
        ("ids:int64=1, 16", "ids", "int64", [1, 16]),
        ("x=-1,3,h,w", "x", "float32", ["d0_0", 3, "h", "w"]),
        ("x:0=?,4", "x:0", "float32", ["d0_0", 4]),
        ("a=b=2", "a=b", "float32", [2]),
        ("scale=", "scale", "float32", []),
    ],
)
def test_input_specs(text, name, dtype, dims):
    (spec,) = parse_inputs([text])
    assert (spec.name, spec.dtype, spec.dims) == (name, dtype, dims)


@pytest.mark.parametrize(
    "texts, part",
    [
        (["x"], "no NAME=DIMS"),
        (["=1,2"], "no NAME=DIMS"),
        ([":int64=1"], "no name"),
        (["x:flaot32=1"], 'unknown dtype "flaot32"'),
        (["x=1,,2"], '"" is no dimension'),
        (["x=0,2"], '"0" is no dimension'),
        (["x=-2"], '"-2" is no dimension'),
        (["x=1", "x=2"], "twice"),
    ],
)
def test_bad_input_specs(texts, part):
    with pytest.raises(BridgeError) as caught:
        parse_inputs(texts)
    assert part in caught.value.what and caught.value.hint


def test_equal_names_are_one_dimension():
    specs = parse_inputs(["a=batch,3", "b=batch,-1"])
    assert sample_sizes(specs) == {"batch": 2, "d1_1": 64}
    assert specs[1].sizes(sample_sizes(specs)) == [2, 64]


def test_npz_is_readable_by_numpy(tmp_path):
    numpy = pytest.importorskip("numpy", reason="compares with numpy's own reader")
    wide = numpy.arange(6, dtype="<f4").reshape(2, 3)
    arrays = {
        "input image": ("float32", [2, 3], wide.tobytes()),
        "scalar": ("int64", [], numpy.int64(7).tobytes()),
        "line": ("bool", [2], b"\1\0"),
        "empty": ("float64", [0, 4], b""),
    }
    npz.write(str(tmp_path / "a.npz"), arrays)
    with numpy.load(tmp_path / "a.npz") as read:
        assert sorted(read) == sorted(arrays)
        assert numpy.array_equal(read["input image"], wide) and read["input image"].dtype == numpy.float32
        assert read["scalar"].shape == () and read["scalar"] == 7
        assert read["line"].tolist() == [True, False]
        assert read["empty"].shape == (0, 4)


def test_npz_members_start_aligned(tmp_path):
    npz.write(str(tmp_path / "a.npz"), {"x": ("uint8", [3], b"abc")})
    with zipfile.ZipFile(tmp_path / "a.npz") as archive:
        data = archive.read("x.npy")
    assert data.startswith(b"\x93NUMPY\x01\x00") and data.endswith(b"\nabc") and (len(data) - 3) % 64 == 0


@pytest.mark.parametrize("reference", ["model", ":Model", "model:"])
def test_reference_must_be_module_and_name(reference, tmp_path):
    with pytest.raises(BridgeError, match="is not module:Name"):
        loading.find(reference, str(tmp_path / "w.pth"))


@pytest.fixture
def search_path():
    kept = list(sys.path)
    yield
    sys.path[:] = kept


def test_module_beside_the_weights(tmp_path, search_path):
    (tmp_path / "found_beside.py").write_text("class Outer:\n    class Inner:\n        mark = 3\n")
    assert loading.find("found_beside:Outer.Inner", str(tmp_path / "w.pth")).mark == 3
    with pytest.raises(BridgeError) as caught:
        loading.find("found_beside:Missing", str(tmp_path / "w.pth"))
    assert 'has no "Missing"' in caught.value.what and "it has: Outer" in caught.value.hint


def test_module_by_file_path(tmp_path, search_path):
    (tmp_path / "found_by_path.py").write_text("mark = 5\n")
    assert loading.find(str(tmp_path / "found_by_path.py") + ":mark", "elsewhere/w.pth") == 5


def test_missing_modules_are_told_apart(tmp_path, search_path):
    with pytest.raises(BridgeError, match='no module "never_written"'):
        loading.find("never_written:Model", str(tmp_path / "w.pth"))
    (tmp_path / "needs_more.py").write_text("import os\nimport never_installed\n")
    with pytest.raises(BridgeError, match="never_installed") as caught:
        loading.find("needs_more:Model", str(tmp_path / "w.pth"))
    assert 'install "never_installed"' in caught.value.hint
    assert caught.value.where.endswith("needs_more.py:2")


def test_errors_name_the_users_line(tmp_path, search_path):
    (tmp_path / "fails_on_import.py").write_text("import json\n\n\njson.loads('{')\n")
    (tmp_path / "has_slip.py").write_text("class Model:\n    def f(self:\n")
    for module, line in (("fails_on_import", 4), ("has_slip", 2)):
        with pytest.raises(BridgeError) as caught:
            loading.find(module + ":Model", str(tmp_path / "w.pth"))
        place, _, number = caught.value.where.rpartition(":")
        assert place.endswith(module + ".py") and abs(int(number) - line) <= 1
        assert "Traceback" not in caught.value.what


def test_long_messages_are_cut():
    try:
        raise ValueError("x" * 5000)
    except ValueError as error:
        wrapped = from_user(error, "trying failed")
        assert user_line(error).startswith(__file__)
    assert len(wrapped.what) < 1000 and wrapped.what.startswith("trying failed: ValueError: xxx")


class FakeModel:
    pass


def needs_arguments(width):
    return FakeModel()


@pytest.mark.parametrize(
    "found, part", [(needs_arguments, "width"), (dict, "gave dict, not a model"), (3, "is int, not a model class")]
)
def test_what_builds_no_model(found, part):
    with pytest.raises(BridgeError, match=part) as caught:
        loading.create(found, "m:build", lambda value: isinstance(value, FakeModel))
    assert "function" in caught.value.hint


def test_classes_functions_and_objects_build():
    model = FakeModel()
    for found in (FakeModel, lambda: model, model):
        assert isinstance(loading.create(found, "m:x", lambda value: isinstance(value, FakeModel)), FakeModel)


def test_wrong_usage_is_status_2(tmp_path):
    assert run_bridge("torch", "--out", tmp_path).returncode == 2
    assert run_bridge("jax", "--file", "f", "--class", "a:b", "--out", tmp_path).returncode == 2


def test_a_missing_framework_is_explained(tmp_path):
    (tmp_path / "torch.py").write_text("raise ImportError('no torch here')\n")
    options = ("--file", "w", "--class", "a:b", "--input", "x=1", "--out", tmp_path / "o")
    result = run_bridge("torch", *options, path=[tmp_path])
    assert result.returncode == 1
    assert "has no torch" in told(result)["error"] and "--python" in told(result)["hint"]


def test_an_impossible_folder_is_explained(tmp_path):
    (tmp_path / "file").write_text("")
    result = run_bridge("torch", "--file", "w", "--class", "a:b", "--out", tmp_path / "file" / "o")
    assert result.returncode == 1 and "cannot make folder" in told(result)["error"]


@pytest.mark.parametrize(
    "reference, name, positional, keywords",
    [
        ("model:Net", "model:Net", [], {}),
        ("model:Net()", "model:Net", [], {}),
        ("a.b:C.build(1, -2.5, x=[1, (2,)], y='p(q)')", "a.b:C.build", [1, -2.5], {"x": [1, (2,)], "y": "p(q)"}),
        ("model:Net(None, {'a': True})", "model:Net", [None, {"a": True}], {}),
    ],
)
def test_arguments_of_a_class(reference, name, positional, keywords):
    assert loading.split_arguments(reference) == (name, positional, keywords)


@pytest.mark.parametrize("arguments", ["(open('x'))", "(1", "(1)(2)", "(**{'a': 1})", "(*[1])", "(a)", "(1).real", "(x=1+1j.real)"])
def test_arguments_are_literals_only(arguments):
    with pytest.raises(BridgeError, match="cannot be read"):
        loading.split_arguments("model:Net" + arguments)
