"""`onward optimize` and `onward compare`: the same results from less, and the proof of it."""
import json
import os

import numpy as np
import onnx
import pytest
from conftest import EXAMPLE, MODELS, onward, serving
from onnx import TensorProto, helper, numpy_helper


def wasteful(path):
    """A model with twice the same weights, a computed constant and a node that nothing uses."""
    weight = np.arange(16, dtype=np.float32).reshape(4, 4) / 16
    nodes = [
        helper.make_node("Mul", ["two", "two"], ["four"]),
        helper.make_node("MatMul", ["x", "w1"], ["a"]),
        helper.make_node("Identity", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "w2"], ["c"]),
        helper.make_node("Mul", ["c", "four"], ["y"]),
        helper.make_node("Neg", ["c"], ["unused"]),
    ]
    graph = helper.make_graph(
        nodes, "wasteful",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [numpy_helper.from_array(weight, "w1"), numpy_helper.from_array(weight, "w2"),
         numpy_helper.from_array(np.float32(2), "two")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8), path)


def test_optimized_model_computes_the_same_from_less(tmp_path):
    wasteful(tmp_path / "in.onnx")
    done = onward("optimize", tmp_path / "in.onnx", "-o", tmp_path / "out.onnx", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["after"]["operators"] == {"MatMul": 2, "Mul": 1}
    assert report["after"]["tensors"] == 2 and report["after"]["bytes"] < report["before"]["bytes"]
    compared = onward("compare", tmp_path / "in.onnx", tmp_path / "out.onnx", "--runs", 1, "--json")
    assert compared.returncode == 0, compared.stderr
    output, = json.loads(compared.stdout)["outputs"]
    assert output["agrees"] and output["name"] == "y" and output["values"] == 4


def test_external_weights(tmp_path):
    done = onward("optimize", EXAMPLE / "Model.keras", "-o", tmp_path / "out.onnx", "--external")
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(tmp_path / "out.onnx.data") > 10 * os.path.getsize(tmp_path / "out.onnx")
    assert onward("compare", EXAMPLE / "Model.keras", tmp_path / "out.onnx", "--runs", 1).returncode == 0


def test_compare_tells_what_differs(tmp_path):
    done = onward("compare", MODELS / "linear.onnx", MODELS / "linear_v2.onnx", "--runs", 1)
    assert done.returncode == 1 and "do not agree: output" in done.stderr
    assert "values differ" in done.stdout and "operators: Add 1 -> 0" in done.stdout


def test_compare_tells_where_models_part(tmp_path):
    """A quantized model departs from the float one tensor by tensor; an equal one nowhere."""
    small = tmp_path / "small.onnx"
    assert onward("convert", EXAMPLE / "Model.keras", "-o", tmp_path / "float.onnx").returncode == 0
    assert onward("quantize", tmp_path / "float.onnx", "-o", small, "--mode", "weights8").returncode == 0
    compared = onward("compare", tmp_path / "float.onnx", small, "--runs", 1, "--tensors", "--rtol", 1, "--atol", 1, "--json")
    assert compared.returncode == 0, compared.stderr
    tensors = json.loads(compared.stdout)["tensors"]
    convolutions = [one["sqnr"] for one in tensors if one["operator"] == "Conv"]
    assert convolutions[0] == 200, "the weights of the first are few and stay"
    assert len(convolutions) > 5 and all(10 < sqnr < 100 for sqnr in convolutions[1:])
    same = onward("compare", EXAMPLE / "Model.keras", tmp_path / "float.onnx", "--runs", 1, "--tensors", "--json")
    assert all(one["sqnr"] > 100 for one in json.loads(same.stdout)["tensors"])
    assert "that both compute" in onward("compare", EXAMPLE / "Model.keras", small, "--runs", 1, "--tensors").stdout


def test_optimize_does_not_overwrite_its_source(tmp_path):
    wasteful(tmp_path / "in.onnx")
    done = onward("optimize", tmp_path / "in.onnx", "-o", tmp_path / "in.onnx")
    assert done.returncode == 1 and "would overwrite" in done.stderr


def domains(path):
    return {node.domain for node in onnx.load(path).graph.node}


@pytest.mark.parametrize("target, wanted", [("portable", {""}), ("onnxruntime", {"com.microsoft"}),
                                            ("machine", {"com.microsoft.nchwc"})])
def test_targets_hold_the_fusions_of_onnx_runtime(tmp_path, target, wanted):
    """Convolutions swallow their Relu where ONNX Runtime's own operators are allowed; all compute the same in both formats."""
    out, ort = tmp_path / f"{target}.onnx", tmp_path / f"{target}.ort"
    done = onward("optimize", EXAMPLE / "Model.keras", "-o", out, "--target", target, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["after"]["bytes"] == out.stat().st_size
    # ONNX Runtime has block layouts for some processors only.
    assert wanted & domains(out) or (target == "machine" and domains(out) == {"", "com.microsoft"})
    assert (report["after"]["operators"].get("Relu", 0) == 0) == (target != "portable")
    assert onward("optimize", EXAMPLE / "Model.keras", "-o", ort, "--target", target).returncode == 0
    assert ort.read_bytes()[4:8] == b"ORTM"
    for made in (out, ort):
        compared = onward("compare", EXAMPLE / "Model.keras", made, "--runs", 1, "--atol", 1e-5)
        assert compared.returncode == 0, compared.stdout + compared.stderr


def test_ort_files_run_and_are_served(tmp_path):
    made = tmp_path / "linear.ort"
    assert onward("optimize", MODELS / "linear.onnx", "-o", made, "--target", "machine").returncode == 0
    (tmp_path / "x.json").write_text("[[1, 2, 3]]")
    assert "3, 5, 7" in onward("run", made, "--input", tmp_path / "x.json").stdout
    with serving(made) as server:
        assert server.stop() == 0
    looked_into = onward("compare", MODELS / "linear.onnx", made, "--tensors")
    assert looked_into.returncode == 2 and "can't look into an .ort file" in looked_into.stderr
    again = onward("optimize", made, "-o", tmp_path / "again.onnx")
    assert again.returncode == 1 and "name the file that it was made of" in again.stderr


def test_fused_models_with_external_weights(tmp_path):
    out = tmp_path / "out.onnx"
    done = onward("optimize", EXAMPLE / "Model.keras", "-o", out, "--target", "onnxruntime", "--external")
    assert done.returncode == 0, done.stderr
    assert os.path.getsize(tmp_path / "out.onnx.data") > 10 * os.path.getsize(out)
    assert onward("compare", EXAMPLE / "Model.keras", out, "--runs", 1).returncode == 0
    refused = onward("optimize", EXAMPLE / "Model.keras", "-o", tmp_path / "out.ort", "--external")
    assert refused.returncode == 2 and "holds its weights itself" in refused.stderr
    assert sorted(file.name for file in tmp_path.iterdir()) == ["out.onnx", "out.onnx.data"]


def test_a_model_that_does_not_load_leaves_no_file(tmp_path):
    graph = helper.make_graph([helper.make_node("Nothing", ["x"], ["y"], domain="mylib")], "unknown",
                              [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])])
    domains = [helper.make_opsetid("", 18), helper.make_opsetid("mylib", 1)]
    onnx.save(helper.make_model(graph, opset_imports=domains, ir_version=8), tmp_path / "in.onnx")
    for out in ("out.ort", "out.onnx"):
        done = onward("optimize", tmp_path / "in.onnx", "-o", tmp_path / out, "--target", "onnxruntime")
        assert done.returncode == 1 and "Nothing" in done.stderr and "--custom-ops" in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["in.onnx"]
