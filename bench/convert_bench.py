#!/usr/bin/env python3
"""`onward convert` beside tf2onnx on the same models: time and memory of the whole process, and how fast the results run.

    convert_bench.py --onward build/release/onward [--models ResNet50,…] [--runs 5] [--json out.json]

Needs numpy, onnxruntime and TensorFlow with Keras 3, which makes the models; tf2onnx takes part where it is installed. Without
them it says so and ends well. Each model is converted as .keras and as SavedModel; both tools' results run in the same ONNX
Runtime in turns, and the ratio is that of the medians.
"""
import importlib.util
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
try:
    import keras
    import numpy  # noqa: F401
    import onnxruntime  # noqa: F401

    from onnx_runs import compare_all, loads, measured, medians
except ImportError as missing:
    print(f"skipped: {missing}; this comparison needs numpy, onnxruntime and TensorFlow with Keras 3 in Python")
    sys.exit(0)


def transformer():
    tokens = keras.Input([64], dtype="int32")
    x = keras.layers.Embedding(1000, 128)(tokens)
    for _ in range(2):
        x = keras.layers.LayerNormalization()(x + keras.layers.MultiHeadAttention(4, 32)(x, x))
        x = keras.layers.LayerNormalization()(x + keras.layers.Dense(128)(keras.layers.Dense(256, activation="gelu")(x)))
    return keras.Model(tokens, keras.layers.Dense(10)(keras.layers.GlobalAveragePooling1D()(x)))


def lstm_classifier():
    tokens = keras.Input([64], dtype="int32")
    x = keras.layers.LSTM(64, return_sequences=True)(keras.layers.Embedding(1000, 64)(tokens))
    return keras.Model(tokens, keras.layers.Dense(10, activation="softmax")(keras.layers.LSTM(64)(x)))


def example():
    folder = pathlib.Path(__file__).resolve().parent.parent / "examples" / "segmentation"
    return keras.saving.load_model(folder / "Model.keras", compile=False)


MODELS = {
    "example U-Net": example,
    "MobileNetV2": lambda: keras.applications.MobileNetV2(weights=None),
    "ResNet50": lambda: keras.applications.ResNet50(weights=None),
    "EfficientNetB0": lambda: keras.applications.EfficientNetB0(weights=None),
    "transformer": transformer,
    "LSTM classifier": lstm_classifier,
}


def compare(name, onward, runs, folder):
    keras.utils.set_random_seed(1)
    model = MODELS[name]()
    archive, saved = folder / "model.keras", folder / "saved_model"
    model.save(archive)
    model.export(str(saved), verbose=False)
    ours, theirs = folder / "ours.onnx", folder / "theirs.onnx"
    row = {"model": name}
    row["keras_s"], row["keras_mib"] = measured([onward, "convert", str(archive), "-o", str(folder / "keras.onnx"), "-q"])
    row["saved_model_s"], row["saved_model_mib"] = measured([onward, "convert", str(saved), "-o", str(ours), "-q"])
    if importlib.util.find_spec("tf2onnx") is not None:
        command = [sys.executable, "-m", "tf2onnx.convert", "--saved-model", str(saved), "--output", str(theirs), "--opset", "18"]
        row["tf2onnx_s"], row["tf2onnx_mib"] = measured(command)
    files = [file for file in (ours, theirs) if file.exists() and loads(file)]
    if ours in files:
        run = medians(files, runs)
        row["run_ms"] = run[0]
        if len(run) == 2:
            row["tf2onnx_run_ms"], row["ratio"] = run[1], round(run[0] / run[1], 3)
    return row


compare_all(__doc__, MODELS, compare)
