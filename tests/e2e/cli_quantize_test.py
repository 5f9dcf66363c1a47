"""`onward quantize`: every mode on the example pair, the report, and what is refused."""
import json
import shutil
import sys

import numpy as np
import onnx
import pytest
from conftest import EXAMPLE, MODELS, onward

sys.path.insert(0, str(EXAMPLE))
import cells  # noqa: E402

PAIR = [("Model.keras", "image", "mask", (1, 512, 512, 1)),
        ("Model.pt2", "input image", "predicted mask", (1, 1, 512, 512))]


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    for i in (1, 2, 3):
        shutil.copy(EXAMPLE / f"sample{i}.png", folder)
    return folder


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """One folder of .npz samples with masks for each of the pair."""
    folders = {}
    for model, image, mask, shape in PAIR:
        folders[model] = tmp_path_factory.mktemp("labelled")
        for seed in range(100000, 100003):
            drawn, truth = cells.batch([seed], 512)
            np.savez(folders[model] / f"{seed}.npz",
                     **{image: drawn.reshape(shape), mask: truth.astype(np.uint8).reshape(shape)})
    return folders


def quantize(source, output, *arguments):
    done = onward("quantize", source, "-o", output, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("model", [one[0] for one in PAIR])
def test_auto_on_the_pair(model, labelled, tmp_path):
    report = quantize(EXAMPLE / model, tmp_path / "q.onnx", "--calibration", labelled[model])
    assert report["fidelity"]["metric"] == "IoU" and report["fidelity"]["float_score"] > 0.95
    assert report["fidelity"]["drop"] <= 0.005
    assert report["bytes"]["after"] <= 0.3 * report["bytes"]["before"]
    assert report["bytes"]["after"] == (tmp_path / "q.onnx").stat().st_size
    assert any(one["verdict"] == "chosen" for one in report["candidates"])
    onnx.checker.check_model(str(tmp_path / "q.onnx"))


@pytest.mark.parametrize("model", [one[0] for one in PAIR])
def test_static_from_images(model, images, tmp_path):
    page = tmp_path / "r.html"
    report = quantize(EXAMPLE / model, tmp_path / "q.onnx", "--mode", "static", "--calibration", images, "--report", page)
    assert report["fidelity"]["sqnr_db"] > 30 and report["samples"] == 3
    assert report["bytes"]["after"] <= 0.32 * report["bytes"]["before"]
    assert {layer["form"] for layer in report["layers"]} == {"int8", "int8 weights"}
    timed = [layer for layer in report["layers"] if layer["milliseconds"]["before"] > 0 < layer["milliseconds"]["after"]]
    assert len(timed) > len(report["layers"]) / 2
    assert "<svg" in page.read_text() and "Time by layer" in page.read_text()
    assert "onward quantize" in page.read_text()


@pytest.mark.parametrize("mode, most, sqnr", [("weights8", 0.3, 40), ("fp16", 0.55, 50)])
def test_other_modes(mode, most, sqnr, images, tmp_path):
    report = quantize(EXAMPLE / "Model.pt2", tmp_path / "q.onnx", "--mode", mode, "--calibration", images)
    assert report["bytes"]["after"] <= most * report["bytes"]["before"] and report["fidelity"]["sqnr_db"] > sqnr


def test_is_deterministic(images, tmp_path):
    for name in ("a", "b"):
        quantize(EXAMPLE / "Model.pt2", tmp_path / name, "--mode", "static", "--method", "mse", "--calibration", images)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_no_measure_makes_the_same_file(images, tmp_path):
    arguments = ["--mode", "static", "--method", "minmax", "--calibration", images]
    measured = quantize(EXAMPLE / "Model.pt2", tmp_path / "a.onnx", *arguments)
    made = quantize(EXAMPLE / "Model.pt2", tmp_path / "b.onnx", *arguments, "--no-measure", "--report", tmp_path / "r.json")
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert "fidelity" in measured and not {"fidelity", "milliseconds", "checked_samples"} & made.keys()
    assert json.loads((tmp_path / "r.json").read_text()) == made
    for with_numbers, without in zip(measured["layers"], made["layers"], strict=True):
        assert without == {key: with_numbers[key] for key in ("name", "op", "form", "weights", "reason") if key in with_numbers}
    text = onward("quantize", EXAMPLE / "Model.pt2", "-o", tmp_path / "c.onnx", *arguments, "--no-measure").stdout
    assert "size:" in text and "time:" not in text and "dB" not in text


@pytest.mark.parametrize("arguments, word", [
    ([], "--mode auto"), (["--mode", "static", "--calibration", "."], "--method search"),
    (["--mode", "dynamic", "--max-drop", "1%"], "--max-drop"), (["--mode", "dynamic", "--report", "r.html"], "plots")])
def test_no_measure_refuses_what_goes_by_measures(arguments, word, tmp_path):
    assert word in refused(EXAMPLE / "Model.pt2", *arguments, "--no-measure", output=tmp_path / "q.onnx")


def refused(*arguments, output):
    done = onward("quantize", *arguments, "-o", output)
    assert done.returncode != 0
    assert not output.exists()
    assert not list(output.parent.glob("*q.onnx*"))
    return done.stderr


def test_bad_calibration(images, tmp_path):
    model, output = EXAMPLE / "Model.pt2", tmp_path / "q.onnx"
    static = (model, "--mode", "static")
    assert "needs --calibration" in refused(*static, output=output)
    assert "no calibration folder" in refused(*static, "--calibration", tmp_path / "none", output=output)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no samples" in refused(*static, "--calibration", empty, output=output)
    np.savez(empty / "a.npz", **{"input image": np.zeros((1, 1, 64, 64), np.float32)})
    assert "wants shape [1,1,512,512]" in refused(*static, "--calibration", empty, output=output)
    bad = np.zeros((1, 1, 512, 512), np.float32)
    bad[0, 0, 3, 4] = np.nan
    np.savez(empty / "a.npz", **{"input image": bad})
    error = refused(*static, "--calibration", empty, output=output)
    assert "a.npz" in error and "holds nan at element 1540" in error


def test_bad_models(tmp_path):
    quantize(EXAMPLE / "Model.pt2", tmp_path / "once.onnx", "--mode", "weights8")
    assert "quantized already" in refused(tmp_path / "once.onnx", "--mode", "weights8", output=tmp_path / "q.onnx")
    assert "no float32 weights" in refused(MODELS / "text.onnx", "--mode", "weights8", output=tmp_path / "q.onnx")
    assert "no layer fits" in refused(EXAMPLE / "Model.pt2", "--mode", "weights8", "--exclude", "nothing",
                                      output=tmp_path / "q.onnx")


def test_limits(tmp_path):
    assert "more than --max-size" in refused(EXAMPLE / "Model.pt2", "--mode", "weights8", "--max-size", "50kB",
                                             output=tmp_path / "q.onnx")
    assert "is no share" in refused(EXAMPLE / "Model.pt2", "--max-drop", "few", output=tmp_path / "q.onnx")
