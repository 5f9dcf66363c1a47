"""The bridge on small Keras models; skipped where TensorFlow or Keras is not installed."""

import json
from importlib.util import find_spec

import pytest

from bridge_common_test import run_bridge, told

if not (find_spec("tensorflow") and find_spec("keras")):
    pytest.skip("TensorFlow and Keras are not installed in this Python", allow_module_level=True)

import numpy

MODELS = """
import sys
import keras
from keras import layers

def build(width=2):
    image = keras.Input((4, 4, 1), name="image")
    x = layers.Conv2D(3, 3, name="conv")(image)
    x = layers.BatchNormalization(name="norm")(x)
    return keras.Model(image, layers.Dense(width, name="answer")(layers.Flatten(name="flat")(x)))

def other():
    return build(5)

class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3)
    def call(self, x):
        return self.dense(x)

if __name__ == "__main__":
    folder = sys.argv[1]
    build().save_weights(folder + "/w.weights.h5")
    own = Own()
    own(keras.ops.ones((1, 2)) if hasattr(keras, "ops") else __import__("tensorflow").ones((1, 2)))
    own.save_weights(folder + "/own.weights.h5")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("keras")
    (folder / "bridge_keras_models.py").write_text(MODELS)
    subprocess.run([sys.executable, str(folder / "bridge_keras_models.py"), str(folder)], check=True, timeout=300)
    return folder


def bridge(folder, out, name, file, *inputs):
    options = [part for text in inputs for part in ("--input", text)]
    reference = "bridge_keras_models:" + name
    return run_bridge("keras", "--file", folder / file, "--class", reference, *options, "--out", out)


def test_a_functional_model(folder, tmp_path):
    result = bridge(folder, tmp_path, "build", "w.weights.h5")
    assert result.returncode == 0, result.stderr
    described = json.loads((tmp_path / "bridge.json").read_text())
    assert (tmp_path / "saved_model" / "saved_model.pb").exists() and described["format"] == "saved_model"
    assert described["inputs"] == [{"name": "image", "dtype": "float32", "shape": ["batch", 4, 4, 1]}]
    with numpy.load(tmp_path / "inputs.npz") as inputs, numpy.load(tmp_path / "outputs.npz") as outputs:
        assert inputs["image"].shape == (2, 4, 4, 1)
        (answer,) = [outputs[name] for name in outputs]
    assert answer.shape == (2, 2) and [o["name"] for o in described["outputs"]]


def test_a_subclassed_model_needs_its_input(folder, tmp_path):
    result = bridge(folder, tmp_path, "Own", "own.weights.h5")
    assert result.returncode == 1 and "--input" in told(result)["hint"]
    result = bridge(folder, tmp_path, "Own", "own.weights.h5", "x=-1,2")
    assert result.returncode == 0, result.stderr


def test_weights_of_another_model(folder, tmp_path):
    result = bridge(folder, tmp_path, "other", "w.weights.h5")
    assert result.returncode == 1 and "does not fit the model" in told(result)["error"]
    assert not (tmp_path / "bridge.json").exists()
