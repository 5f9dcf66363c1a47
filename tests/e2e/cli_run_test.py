"""`onward run` and `onward verify` on small models."""
import json
import struct
import zlib

import numpy as np
import pytest
from conftest import EXAMPLE, MODELS, onward


def run_json(*arguments):
    done = onward("run", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return {output["name"]: output for output in json.loads(done.stdout)["outputs"]}


def save(path, value):
    np.save(path, value)
    return path


def test_prints_shapes_types_and_first_values(tmp_path):
    done = onward("run", MODELS / "linear.onnx", "--input", save(tmp_path / "x.npy", np.arange(9, dtype=np.float32).reshape(3, 3)))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "y  float32 [3,3]\n  1, 3, 5, 7, 9, 11, … (9 values)\n"


def test_takes_inputs_by_name_in_any_order(tmp_path):
    a, b = save(tmp_path / "a=1.npy", np.array([1, 2])), save(tmp_path / "b.npy", np.array([1, 3]))
    outputs = run_json(MODELS / "pair.onnx", "--input", f"b={b}", "--input", f"a={a}")
    assert outputs == {"total": {"name": "total", "dtype": "int64", "shape": [2], "data": [2, 5]},
                       "same": {"name": "same", "dtype": "bool", "shape": [2], "data": [True, False]}}


@pytest.mark.parametrize("kind", ["npy", "npz", "json"])
def test_takes_every_kind_of_array(tmp_path, kind):
    value, path = np.array([1.0, 2.0, 3.0]), tmp_path / f"x.{kind}"  # float64, and no batch: both are fitted
    if kind == "npy":
        np.save(path, value)
    elif kind == "npz":
        np.savez(path, other=value + 1, x=value)
    else:
        path.write_text(json.dumps(value.tolist()))
    assert run_json(MODELS / "linear.onnx", "--input", f"x={path}")["y"]["data"] == [[3, 5, 7]]


def test_takes_strings(tmp_path):
    path = tmp_path / "words.json"
    path.write_text('["ä", ""]')
    assert run_json(MODELS / "text.onnx", "--input", path)["same"]["data"] == ["ä", ""]


def test_refuses_to_lose_values(tmp_path):
    done = onward("run", MODELS / "pair.onnx", "--input", f"a={save(tmp_path / 'a.npy', np.array([1.5]))}")
    assert done.returncode == 1
    assert 'input "a"' in done.stderr and "1.5 does not fit int64" in done.stderr


def png(path, pixels):
    """An 8-bit PNG of a grey [H, W] or a colour [H, W, 3] array."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + row.tobytes() for row in pixels.astype(np.uint8))
    header = struct.pack(">IIBBBBB", pixels.shape[1], pixels.shape[0], 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    return path


@pytest.mark.parametrize("name", ["nhwc", "nchw"])
def test_fits_a_grey_picture_to_the_layout(tmp_path, name):
    pixels = np.arange(16).reshape(4, 4) * 17
    data = run_json(MODELS / f"{name}.onnx", "--input", png(tmp_path / "a.png", pixels))["mask"]["data"]
    np.testing.assert_allclose(np.array(data).reshape(4, 4), 1 / (1 + np.exp(-pixels / 255)), rtol=1e-5)


@pytest.mark.parametrize("pixels, scaled", [("unit", [1.0, 0.2]), ("raw", [255, 51]), ("signed", [1.0, -0.6])])
def test_scales_a_colour_picture(tmp_path, pixels, scaled):
    image = np.zeros((2, 2, 3))
    image[:, :, 0], image[:, :, 2] = 255, 51
    data = run_json(MODELS / "rgb_nchw.onnx", "--input", png(tmp_path / "a.png", image), "--pixels", pixels)["same"]["data"]
    assert np.array(data)[0, [0, 2], 0, 0].tolist() == pytest.approx(scaled)


def test_writes_what_it_computed(tmp_path):
    x = save(tmp_path / "x.npy", np.array([[1, 2, 3]], np.float32))
    for name in ("y.npz", "y.npy", "y.json"):
        assert onward("run", MODELS / "linear.onnx", "--input", x, "-o", tmp_path / name).returncode == 0
    expected = [[3, 5, 7]]
    assert np.load(tmp_path / "y.npy").tolist() == expected
    assert np.load(tmp_path / "y.npz")["y"].tolist() == expected
    assert json.loads((tmp_path / "y.json").read_text())["outputs"][0]["data"] == expected
    done = onward("run", MODELS / "linear.onnx", "--input", x, "-o", tmp_path / "y.doc")
    assert done.returncode == 1 and ".npz" in done.stderr
    done = onward("run", MODELS / "linear.onnx", "--input", x, "-o", tmp_path / "y.png")
    assert done.returncode == 0 and (tmp_path / "y.png").read_bytes()[:4] == b"\x89PNG"


def test_converts_and_runs_in_one_go(tmp_path):
    mask = tmp_path / "mask.png"
    done = onward("run", EXAMPLE / "Model.keras", "--input", EXAMPLE / "sample1.png", "-o", mask)
    assert done.returncode == 0, done.stderr
    assert "mask  float32 [1,512,512,1]" in done.stdout
    # The mask is a picture again: the model takes it.
    assert onward("run", EXAMPLE / "Model.keras", "--input", mask).returncode == 0


# --- verify ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def recorded(tmp_path):
    np.savez(tmp_path / "i.npz", x=np.array([[1, 2, 3]], np.float32))

    def outputs(value, name="y"):
        np.savez(tmp_path / "o.npz", **{name: value})
        return ["verify", MODELS / "linear.onnx", "--inputs", tmp_path / "i.npz", "--outputs", tmp_path / "o.npz"]

    return outputs


def test_agreement(recorded):
    done = onward(*recorded(np.array([[3, 5, 7.0001]], np.float32)))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("y agrees: 3 values, largest error 0.0001")


def test_the_first_difference(recorded):
    done = onward(*recorded(np.array([[3, 5.5, 8]], np.float32)))
    assert done.returncode == 1
    assert 'output "y": 2 of 3 values differ, first at [0,1]: got 5, expected 5.5' in done.stderr
    assert onward(*recorded(np.array([[3, 5.5, 8]], np.float32)), "--atol", "1").returncode == 0


@pytest.mark.parametrize("value, says", [(np.zeros((1, 4), np.float32), "shape [1,3], expected [1,4]"),
                                         (np.array([[3.0, 5.0, 7.0]]), "dtype float32, expected float64")])
def test_other_shapes_and_types(recorded, value, says):
    done = onward(*recorded(value))
    assert done.returncode == 1 and says in done.stderr


def test_verify_as_json(recorded):
    done = onward(*recorded(np.array([[3, 5, 8]], np.float32), name="anything"), "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["outputs"] == [
        {"name": "y", "agrees": False, "values": 3, "differing": 1, "largest_error": 1,
         "difference": "1 of 3 values differ, first at [0,2]: got 7, expected 8"}]
