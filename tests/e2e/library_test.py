"""Onward as others use it: installed, found by CMake, with the examples built against it and run."""
import json
import os
import pathlib
import shutil
import subprocess
import urllib.request

import numpy as np
import onnx
import pytest
from conftest import EXAMPLE, MODELS, ONWARD, ROOT, onward, serving

BUILD = pathlib.Path(ONWARD).parent


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=300, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def cached(name):
    """A setting of the build."""
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith(name + ":"):
            return line.split("=", 1)[1]
    return ""


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if cached("ONWARD_SANITIZE"):
        pytest.skip("programs from outside are not built with sanitizers")
    place = tmp_path_factory.mktemp("installed")
    run("cmake", "--install", BUILD, "--prefix", place)
    return place


@pytest.fixture(scope="module")
def cpp(prefix, tmp_path_factory):
    """The folder of the built C++ examples."""
    build = tmp_path_factory.mktemp("cpp")
    run("cmake", "-G", "Ninja", "-S", ROOT / "examples" / "cpp", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}",
        f"-DONNXRUNTIME_INCLUDE_DIR={cached('ONNXRUNTIME_INCLUDE_DIR')}")
    run("cmake", "--build", build)
    return build


def test_the_installed_program_runs(prefix, tmp_path):
    (tmp_path / "x.json").write_text("[[1, 2, 3]]")
    out = run(prefix / "bin" / "onward", "run", MODELS / "linear.onnx", "--input", tmp_path / "x.json", cwd=tmp_path)
    assert out == "y  float32 [1,3]\n  3, 5, 7\n"


def values(line):
    return [float(word) for word in line.split(":")[1].split()]


def test_loads_converts_and_predicts(cpp, tmp_path):
    lines = run(cpp / "predict", EXAMPLE / "Model.keras", tmp_path / "m.onnx").splitlines()
    assert lines[0] == "in  image float32 [batch,512,512,1]"
    assert lines[1] == "out mask float32 [batch,512,512,1]"
    assert "opset 17" in lines[2]
    np.testing.assert_allclose(values(lines[3]), values(lines[4]), atol=1e-5)
    assert len(values(lines[3])) == 4


def test_errors_say_what_and_what_to_do(cpp, tmp_path):
    done = subprocess.run([cpp / "predict", tmp_path / "none.keras", tmp_path / "m.onnx"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "none.keras" in done.stderr


def test_serves_in_process(cpp):
    process = subprocess.Popen([cpp / "serve", "linear", MODELS / "linear.onnx"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    try:
        url = process.stdout.readline().removeprefix("serving on ").strip()
        request = urllib.request.Request(f"{url}/predict", b'{"input": [[1, 2, 3]]}')
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer) == {"linear_prediction": [[3, 5, 7]]}
        out, _ = process.communicate(timeout=20)
        assert out == "stopped\n"
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


GRAPH = """
node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } }
       attr { key: 'shape' value { shape { dim { size: 1 } dim { size: 4 } } } } }
node { name: 'y' op: 'MyScale' input: 'x' attr { key: 'by' value { f: 4.0 } } }
"""


@pytest.fixture
def graphdef(tmp_path):
    path = tmp_path / "graph.pbtxt"
    path.write_text(GRAPH)
    return path


def test_translates_operators_of_tensorflow(cpp, graphdef, tmp_path):
    lines = run(cpp / "custom_translation", graphdef, tmp_path / "m.onnx").splitlines()
    assert values(lines[-1]) == [0, 1, 2, 3]


@pytest.mark.parametrize("file, expected", [("scale.keras", [0.5, 1, 0.5, 2]), ("scale.h5", [0.5, 1, 0.5, 2]),
                                            ("scale.pt2", [1, 2.5, 4, 5.5]),
                                            ("scale_script.pt", [1])])
def test_translates_what_keras_and_pytorch_saved(cpp, tmp_path, file, expected):
    source = ROOT / "tests" / "fixtures" / "custom" / file
    refused = onward("convert", source, "-o", tmp_path / "m.onnx")
    assert refused.returncode == 1 and "scale" in refused.stderr.lower()
    lines = run(cpp / "custom_translation", source, tmp_path / "m.onnx").splitlines()
    assert values(lines[-1]) == expected


def test_custom_operators_come_from_a_library(prefix, cpp, graphdef, tmp_path):
    library = cpp / "libscale_op.so"
    model = tmp_path / "m.onnx"
    lines = run(cpp / "custom_op", graphdef, model, library).splitlines()
    assert values(lines[-1]) == [0, 1, 2, 3]
    node, = onnx.load(model).graph.node
    assert (node.domain, node.op_type) == ("mylib", "Scale")
    onnx.checker.check_model(str(model))

    program = prefix / "bin" / "onward"
    (tmp_path / "x.json").write_text("[[1, 2, 3, 4]]")
    run_it = [program, "run", model, "--input", tmp_path / "x.json"]
    refused = subprocess.run(run_it, capture_output=True, text=True)
    assert refused.returncode == 1 and "Scale" in refused.stderr and "--custom-ops" in refused.stderr
    assert "4, 8, 12, 16" in run(*run_it, "--custom-ops", library)
    np.savez(tmp_path / "in.npz", x=np.float32([[1, 2, 3, 4]]))
    np.savez(tmp_path / "out.npz", y=np.float32([[4, 8, 12, 16]]))
    assert "agrees" in run(program, "verify", model, "--inputs", tmp_path / "in.npz", "--outputs", tmp_path / "out.npz",
                           "--custom-ops", library)
    with serving(f"m={model}", "--custom-ops", library) as server:
        assert predict(server.url) == {"m_prediction": [[4, 8, 12, 16]]}
    make_smaller(program, library, tmp_path)
    folder = tmp_path / "models" / "m"
    (folder / "1").mkdir(parents=True)
    shutil.copy(model, folder / "1" / "model.onnx")
    shutil.copy(library, folder / "ops.so")
    (folder / "model.yaml").write_text("custom_ops: ops.so")
    with serving("--models", tmp_path / "models") as server:
        assert predict(server.url) == {"m_prediction": [[4, 8, 12, 16]]}


def make_smaller(program, library, tmp_path):
    """Quantize, optimize and compare open models with such operators, too."""
    weight = onnx.numpy_helper.from_array(np.eye(32, dtype=np.float32), "w")
    shape = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([onnx.helper.make_node("MatMul", ["x", "w"], ["a"]),
                                    onnx.helper.make_node("Scale", ["a"], ["y"], domain="mylib", by=4.0)], "scaled",
                                   [shape("x", 1, [1, 32])], [shape("y", 1, [1, 32])], [weight])
    domains = [onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("mylib", 1)]
    source = tmp_path / "scaled.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=domains, ir_version=8), source)
    quantize = [program, "quantize", source, "-o", tmp_path / "small.onnx", "--mode", "weights8"]
    refused = subprocess.run(quantize, capture_output=True, text=True)
    assert refused.returncode == 1 and "--custom-ops" in refused.stderr and not (tmp_path / "small.onnx").exists()
    run(*quantize, "--custom-ops", library)
    run(program, "optimize", source, "-o", tmp_path / "small.ort", "--custom-ops", library)
    for small in ("small.onnx", "small.ort"):
        compared = run(program, "compare", source, tmp_path / small, "--runs", 1, "--rtol", 0.02, "--custom-ops", library)
        assert "operators:" in compared


def predict(url):
    with urllib.request.urlopen(urllib.request.Request(f"{url}/predict", b'{"input": [[1, 2, 3, 4]]}'), timeout=20) as answer:
        return json.load(answer)


def test_the_c_api_needs_no_cpp(prefix, tmp_path):
    build = tmp_path / "c"
    run("cmake", "-G", "Ninja", "-S", ROOT / "examples" / "c", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", build)
    out = run(build / "predict", MODELS / "linear.onnx", tmp_path / "m.onnx")
    assert out == "ONNX: Add 1 Mul 1\nout y [-1,3]\nin  x [-1,3]\nanswer: 1\nserved on a port: yes\n"
    out = run(build / "predict", EXAMPLE / "Model.keras", tmp_path / "m.onnx", tmp_path / "small.onnx")
    assert out.startswith("Keras (.keras): ") and out.endswith("smaller: yes\n")


def test_pkg_config_finds_it(prefix, tmp_path):
    folder = next(prefix.rglob("onward.pc")).parent
    flags = run("pkg-config", "--cflags", "--libs", "onward", env={**os.environ, "PKG_CONFIG_PATH": str(folder)}).split()
    run("cc", "-std=c99", ROOT / "examples" / "c" / "predict.c", *flags, f"-Wl,-rpath,{folder.parent}", "-o", tmp_path / "predict")
    assert "answer: 1" in run(tmp_path / "predict", MODELS / "linear.onnx", tmp_path / "m.onnx")


def test_exports_the_api_alone(prefix):
    library = next(prefix.rglob("libonward.so"))
    names = [line.split(maxsplit=2)[2] for line in run("nm", "-DC", "--defined-only", library).splitlines()]
    foreign = [name for name in names if not name.startswith(("onward::", "onward_"))]
    assert foreign == []
    assert not [name for name in names if name.startswith("onward::ir::")]
    assert "libonward.so.0" in run("readelf", "-d", library)
