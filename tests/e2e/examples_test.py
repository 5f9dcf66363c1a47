"""The example pair from file to prediction, as a newcomer meets it."""
import subprocess

import numpy as np
import onnx
import onnxruntime
import pytest
from conftest import EXAMPLE, ONWARD, onward

RTOL, ATOL = 1e-4, 1e-5


@pytest.fixture(scope="module")
def sample():
    """sample1.png as value / 255, read with another decoder than Onward's."""
    import zlib
    data, compressed, at = (EXAMPLE / "sample1.png").read_bytes(), b"", 8
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "big")
        if data[at + 4:at + 8] == b"IDAT":
            compressed += data[at + 8:at + 8 + size]
        at += size + 12
    rows = np.frombuffer(zlib.decompress(compressed), np.uint8).reshape(512, 513)
    assert not rows[:, 0].any()  # no filters
    return rows[:, 1:].astype(np.float32) / 255


MODELS = [("Model.keras", "keras_outputs.npz", "image", "mask", (1, 512, 512, 1)),
          ("Model.h5", "keras_outputs.npz", "image", "mask", (1, 512, 512, 1)),
          ("Model.pt2", "torch_outputs.npz", "input image", "predicted mask", (1, 1, 512, 512))]


@pytest.mark.parametrize("opset", [13, 16, 18, 22])
@pytest.mark.parametrize("file, recorded, input_name, output_name, shape", MODELS)
def test_agrees_with_what_the_framework_recorded(tmp_path, sample, file, recorded, input_name, output_name, shape, opset):
    output = tmp_path / "model.onnx"
    assert onward("convert", EXAMPLE / file, "-o", output, "--opset", opset).returncode == 0
    onnx.checker.check_model(output, full_check=True)
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs() + session.get_outputs()] == [input_name, output_name]
    (got,) = session.run(None, {input_name: sample.reshape(shape)})
    np.testing.assert_allclose(got, np.load(EXAMPLE / recorded)[output_name], rtol=RTOL, atol=ATOL)


@pytest.mark.parametrize("file, recorded, input_name, output_name, shape", MODELS)
def test_onward_agrees_with_itself(tmp_path, sample, file, recorded, input_name, output_name, shape):
    np.savez(tmp_path / "inputs.npz", **{input_name: sample.reshape(shape)})
    done = onward("verify", EXAMPLE / file, "--inputs", tmp_path / "inputs.npz", "--outputs", EXAMPLE / recorded)
    assert done.returncode == 0, done.stderr
    answer = tmp_path / "answer.npy"
    assert onward("run", EXAMPLE / file, "--input", EXAMPLE / "sample1.png", "-o", answer).returncode == 0
    np.testing.assert_allclose(np.load(answer), np.load(EXAMPLE / recorded)[output_name], rtol=RTOL, atol=ATOL)


def test_layout_nchw(tmp_path, sample):
    output = tmp_path / "model.onnx"
    assert onward("convert", EXAMPLE / "Model.keras", "-o", output, "--layout", "nchw").returncode == 0
    session = onnxruntime.InferenceSession(output, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[1:] == session.get_outputs()[0].shape[1:] == [1, 512, 512]
    (got,) = session.run(None, {"image": sample[None, None]})
    expected = np.load(EXAMPLE / "keras_outputs.npz")["mask"].transpose(0, 3, 1, 2)
    np.testing.assert_allclose(got, expected, rtol=RTOL, atol=ATOL)
    # No transpose is left between the convolutions.
    assert "Transpose" not in [node.op_type for node in onnx.load(output).graph.node]


def test_demo():
    masks = [EXAMPLE / f"sample1.{name}_mask.png" for name in ("tf", "torch")]
    for mask in masks:
        mask.unlink(missing_ok=True)
    done = subprocess.run([EXAMPLE / "demo.sh", ONWARD, "--once"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for text in ("tf_prediction: shape [1, 512, 512, 1]", "torch_prediction: shape [1, 1, 512, 512]",
                 "the two masks agree with an IoU of 0.9"):
        assert text in done.stdout
    for mask in masks:
        assert mask.read_bytes()[:4] == b"\x89PNG"


def test_the_demo_fails_where_something_does(tmp_path):
    broken = tmp_path / "onward"
    broken.write_text("#!/bin/sh\n[ \"$1\" != serve ] || { echo 'error: no'; exit 1; }\n")
    broken.chmod(0o755)
    done = subprocess.run([EXAMPLE / "demo.sh", broken, "--once"], capture_output=True, text=True, timeout=60)
    assert done.returncode != 0 and "the server did not start" in done.stderr
    broken.write_text("#!/bin/sh\nexit 1\n")
    assert subprocess.run([EXAMPLE / "demo.sh", broken, "--once"], capture_output=True, timeout=60).returncode != 0
