"""The edge program (make edge) answers as the full one does: this machine's, and aarch64's under QEMU; alone and in bundles."""
import json
import os
import pathlib
import platform
import shutil
import subprocess

import numpy as np
import pytest
from conftest import EXAMPLE, MODELS, ROOT, onward, serving
from http_test import get, infer, post

KERAS = ROOT / "tests" / "fixtures" / "keras"
CACHE = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
QEMU_ROOT = pathlib.Path(os.environ.get("ONWARD_DEPS") or pathlib.Path(CACHE) / "onward" / "deps") / "qemu-aarch64"
QEMU = ["qemu-aarch64", "-cpu", "cortex-a72", "-L", str(QEMU_ROOT)]


class Edge:
    """`machine`'s edge program, and how things built with it are started here."""

    def __init__(self, build, machine, start):
        self.program = ROOT / "build" / build / "dist" / "onward-edge"
        self.machine, self.start = machine, start

    def run(self, program, *arguments, **options):
        return subprocess.run([*self.start, str(program), *map(str, arguments)], capture_output=True, timeout=300, text=True,
                              **options)

    def outputs(self, program, *arguments):
        done = self.run(program, "run", *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return read(done)


def read(done):
    return {output["name"]: np.array(output["data"], output["dtype"]).reshape(output["shape"])
            for output in json.loads(done.stdout)["outputs"]}


@pytest.fixture(params=["edge", "edge-aarch64"])
def edge(request):
    native = request.param == "edge"
    edge = Edge(request.param, platform.machine() if native else "aarch64", [] if native else QEMU)
    if not edge.program.exists():
        pytest.skip(f"build/{request.param} is not there: make edge builds it and runs this test")
    if not native and (shutil.which(QEMU[0]) is None or not QEMU_ROOT.exists()):
        pytest.skip("qemu-aarch64 is not there: scripts/bootstrap_edge.sh aarch64 installs it")
    return edge


@pytest.fixture
def onnx(tmp_path):
    """Converts one of Keras's fixtures; its path, and --input options for its recorded inputs."""
    def convert(name):
        out = tmp_path / f"{name}.onnx"
        done = onward("convert", KERAS / f"{name}.keras", "-o", out)
        assert done.returncode == 0, done.stderr
        feeds = []
        for key, value in np.load(KERAS / f"{name}.npz").items():
            if key.startswith("in:"):
                np.savez(tmp_path / f"{name}-{len(feeds)}.npz", value)
                feeds.append(f"--input={key[3:]}={tmp_path}/{name}-{len(feeds)}.npz")
        return out, feeds
    return convert


def same(one, other):
    assert set(one) == set(other)
    for name in one:
        np.testing.assert_allclose(one[name], other[name], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["vision", "words", "attention", "masked_recurrent"])
def test_predicts_as_the_full_program(edge, onnx, name):
    model, feeds = onnx(name)
    full = onward("run", model, *feeds, "--json")
    assert full.returncode == 0, full.stderr
    same(edge.outputs(edge.program, model, *feeds), read(full))


def test_segments_the_example(edge, tmp_path):
    model = tmp_path / "Model.onnx"
    assert onward("convert", EXAMPLE / "Model.keras", "-o", model).returncode == 0
    full = onward("run", model, "--input", EXAMPLE / "sample1.png", "--json")
    same(edge.outputs(edge.program, model, "--input", EXAMPLE / "sample1.png"), read(full))


def check_served(server):
    assert post(server, "/predict", {"input": [[1, 2, 3]]}) == (200, {"linear_prediction": [[3, 5, 7]]})
    status, answer = infer(server, "linear", "FP32", [2, 3], [1, 2, 3, 4, 5, 6])
    assert status == 200 and answer["outputs"][0]["data"] == [3, 5, 7, 9, 11, 13]


def test_serves_files_and_folders(edge, tmp_path):
    program = [*edge.start, edge.program]
    with serving(f"linear={MODELS / 'linear.onnx'}", program=program) as server:
        check_served(server)
        assert server.stop() == 0
    version = tmp_path / "linear" / "3"
    version.mkdir(parents=True)
    shutil.copy(MODELS / "linear.onnx", version / "model.onnx")
    with serving("--models", tmp_path, program=program) as server:
        check_served(server)
        assert get(server, "/v2/models/linear")[1]["versions"] == ["3"]


def test_streams_and_watches(edge, tmp_path):
    done = edge.run(edge.program, "run", MODELS / "linear.onnx", "--stream", input="[[1,2,3]]\n{\"x\":[[0,0,0]]}\n")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["outputs"][0]["data"] for line in done.stdout.splitlines()] == [[[3, 5, 7]], [[1, 1, 1]]]
    arriving, answers = tmp_path / "arriving", tmp_path / "answers"
    arriving.mkdir()
    for i in range(3):
        np.save(arriving / f"{i}.npy", np.full([1, 3], i, np.float32))
    done = edge.run(edge.program, "run", MODELS / "linear.onnx", "--watch", arriving, "-o", answers, "--once")
    assert done.returncode == 0, done.stderr
    for i in range(3):
        assert np.load(answers / f"{i}.npz")["y"].tolist() == [[2 * i + 1] * 3]


def test_refuses_other_files_and_says_what_to_do(edge):
    done = edge.run(edge.program, "run", EXAMPLE / "Model.keras", "--input", EXAMPLE / "sample1.png")
    assert done.returncode == 1
    assert "Model.keras is no .onnx or .ort file" in done.stderr
    assert "edge build" in done.stderr and "onward convert" in done.stderr
    done = edge.run(edge.program, "serve", EXAMPLE / "Model.h5")
    assert done.returncode == 1 and "edge build" in done.stderr


def test_says_when_onnx_runtime_is_missing(edge, tmp_path):
    alone = shutil.copy(edge.program, tmp_path / "onward-edge")
    assert edge.run(alone, "--version").stdout.startswith("onward ")
    done = edge.run(alone, "run", MODELS / "linear.onnx", "--input", EXAMPLE / "sample1.png")
    assert done.returncode == 1
    assert "ONNX Runtime is missing" in done.stderr and "put libonnxruntime.so.1 beside this program" in done.stderr


def bundle(edge, *arguments):
    done = onward("bundle", *arguments, "--target", edge.machine)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("form", ["onnx", "ort"])
def test_bundles_a_folder_that_can_be_moved(edge, onnx, tmp_path, form):
    model, feeds = onnx("vision")
    said = bundle(edge, KERAS / "vision.keras", "-o", tmp_path / "app", "--format", form)
    assert f"{tmp_path}/app/app run" in said and f"for {edge.machine}" in said
    assert (tmp_path / "app" / "models" / f"vision.{form}").exists()
    (tmp_path / "app").rename(tmp_path / "elsewhere")
    full = onward("run", model, *feeds, "--json")
    same(edge.outputs(tmp_path / "elsewhere" / "app", *feeds), read(full))


def test_bundles_several_models(edge, tmp_path):
    bundle(edge, f"linear={MODELS / 'linear.onnx'}", MODELS / "pair.onnx", "-o", tmp_path / "app")
    app = tmp_path / "app" / "app"
    np.save(tmp_path / "x.npy", np.ones([1, 3], np.float32))
    assert edge.outputs(app, "linear", "--input", tmp_path / "x.npy")["y"].tolist() == [[3, 3, 3]]
    done = edge.run(app, "run", "--input", tmp_path / "x.npy")
    assert done.returncode == 2 and "name one of linear, pair" in done.stderr
    done = edge.run(app, "run", "nothing", "--input", tmp_path / "x.npy")
    assert done.returncode == 1 and "this program has linear, pair" in done.stderr
    with serving(program=[*edge.start, app]) as server:
        check_served(server)
        assert get(server, "/v2/models/pair")[0] == 200


def test_bundles_one_file(edge, tmp_path, monkeypatch):
    monkeypatch.setenv("ONWARD_UNPACK", str(tmp_path / "unpacked"))
    bundle(edge, MODELS / "linear.onnx", "-o", tmp_path / "app.run", "--format", "ort")
    np.save(tmp_path / "x.npy", np.ones([1, 3], np.float32))
    for _ in range(2):
        assert edge.outputs(tmp_path / "app.run", "--input", tmp_path / "x.npy")["y"].tolist() == [[3, 3, 3]]
    assert len(list((tmp_path / "unpacked").iterdir())) == 1
    with serving(program=[*edge.start, tmp_path / "app.run"]) as server:
        check_served(server)


def test_the_full_program_reads_ort_files(edge, tmp_path):
    bundle(edge, MODELS / "linear.onnx", "-o", tmp_path / "app", "--format", "ort")
    np.save(tmp_path / "x.npy", np.ones([1, 3], np.float32))
    done = onward("run", tmp_path / "app" / "models" / "linear.ort", "--input", tmp_path / "x.npy", "--json")
    assert read(done)["y"].tolist() == [[3, 3, 3]]
