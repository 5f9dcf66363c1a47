"""`onward convert` and `onward inspect`: what they say and leave behind."""
import json
import os
import pathlib
import shutil
import subprocess
import zipfile

import numpy as np
import onnx
import pytest
from conftest import EXAMPLE, MODELS, onward
from keras_files import keras_archive


def converted(tmp_path, source, *arguments):
    output = tmp_path / "out.onnx"
    done = onward("convert", source, "-o", output, *arguments)
    assert done.returncode == 0, done.stderr
    return done, output


def test_says_in_a_line_what_was_done(tmp_path):
    done, output = converted(tmp_path, EXAMPLE / "Model.keras")
    assert done.stdout.startswith(f"{EXAMPLE / 'Model.keras'} -> {output}: ") and done.stdout.count("\n") == 1
    assert "opset 18" in done.stdout and done.stderr == ""


def test_quiet(tmp_path):
    done, _ = converted(tmp_path, EXAMPLE / "Model.keras", "--quiet")
    assert done.stdout == done.stderr == ""


@pytest.mark.parametrize("opset", [13, 16, 18])
def test_opset(tmp_path, opset):
    _, output = converted(tmp_path, EXAMPLE / "Model.keras", "--opset", opset)
    assert onnx.load(output).opset_import[0].version == opset


@pytest.mark.parametrize("name", ["Model.keras", "Model.h5", "Model.pt2"])
def test_the_same_input_gives_the_same_bytes(tmp_path, name):
    _, output = converted(tmp_path, EXAMPLE / name)
    first = output.read_bytes()
    copy = shutil.copy(EXAMPLE / name, tmp_path / name)
    assert converted(tmp_path, copy)[1].read_bytes() == first


def test_report(tmp_path):
    report_file = tmp_path / "report.json"
    _, output = converted(tmp_path, EXAMPLE / "Model.keras", "--report", report_file)
    report = json.loads(report_file.read_text())
    assert report["source"]["format"] == "Keras (.keras)" and report["source"]["producer"].startswith("keras 3")
    assert report["source"]["source_operators"]["Conv2D"] == 15
    assert report["output"]["bytes"] == output.stat().st_size
    assert report["output"]["inputs"] == [{"name": "image", "dtype": "float32", "shape": ["batch", 512, 512, 1]}]
    assert report["output"]["operators"]["Conv"] == 15
    assert set(report["milliseconds"]) == {"import", "optimize", "write", "total"}
    assert report["peak_memory_bytes"] > 0 and report["verification"] is None
    passes = report["passes"]
    assert passes and all(set(one) == {"name", "nodes_before", "nodes_after"} for one in passes)
    assert sum(one["nodes_before"] - one["nodes_after"] for one in passes) > 0
    assert passes[-1]["nodes_after"] == sum(report["output"]["operators"].values())


def test_a_failure_leaves_no_file_and_keeps_the_old_one(tmp_path):
    broken = keras_archive(tmp_path / "m.keras", "Mystery", {"name": "x"}, module=None)
    output = tmp_path / "out.onnx"
    assert onward("convert", broken, "-o", output).returncode == 1
    assert not output.exists()
    output.write_text("precious")
    assert onward("convert", broken, "-o", output).returncode == 1
    assert output.read_text() == "precious"
    assert sorted(os.listdir(tmp_path)) == ["m.keras", "out.onnx"]


def test_an_onnx_file_comes_out_as_onnx(tmp_path):
    _, output = converted(tmp_path, MODELS / "linear.onnx", "--input", "x=1,3")
    assert onward("inspect", output).returncode == 0


# --- inspect ---------------------------------------------------------------------------------------------------------


def inspected(*arguments):
    done = onward("inspect", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_inspect_reads_well():
    text = inspected(EXAMPLE / "Model.keras")
    lines = text.splitlines()
    assert lines[0].endswith("Model.keras")
    assert "  format      Keras (.keras)" in lines
    assert "  image  float32  [batch,512,512,1]" in lines
    assert any(line.split() == ["Conv2D", "15"] for line in lines)
    assert "more: --all" in text and "more: --all" not in inspected(EXAMPLE / "Model.keras", "--all")


@pytest.mark.parametrize("name, format, tensor", [
    ("Model.keras", "Keras (.keras)", "layers/conv2d/vars/0"),
    ("Model.h5", "Keras (.h5)", "down0_conv1/"),
    ("Model.pt2", "PyTorch export (.pt2)", "down.0.conv1.weight"),
])
def test_inspect_tells_programs_everything(name, format, tensor):
    report = json.loads(inspected(EXAMPLE / name, "--json"))
    assert report["format"] == format
    assert [value["name"] for value in report["inputs"] + report["outputs"]] == (
        ["input image", "predicted mask"] if name == "Model.pt2" else ["image", "mask"])
    found = [one for one in report["tensors"] if one["name"].startswith(tensor)]
    assert found and found[0]["dtype"] == "float32" and len(found[0]["sha256"]) == 64
    assert report["operators"]["Conv"] == 15


def test_inspect_lists_weights_and_says_how_to_go_on():
    text = inspected(EXAMPLE / "Model.pth")
    assert "down.0.conv1.weight" in text and "weights only" in text
    report = json.loads(inspected(EXAMPLE / "Model.pth", "--json"))
    assert "inputs" not in report and len(report["tensors"]) > 70


def test_inspect_shows_what_blocks(tmp_path):
    path = keras_archive(tmp_path / "m.keras", "Mystery", {"name": "x"}, module=None)
    assert 'Mystery "x"' in inspected(path)
    assert "Mystery" in json.loads(inspected(path, "--json"))["blocked"]


# --- help ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", [[], ["convert"], ["inspect"], ["run"], ["verify"], ["serve"], ["list-ops"]])
def test_help_shows_an_example(verb):
    done = onward(*verb, "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert "\n  onward " in done.stdout


def test_version():
    assert onward("--version").stdout.startswith("onward 0.")


# --- scripted modules, whose files have no types of inputs -------------------------------------------------------------

def scripted(path, returned):
    """What torch.jit.script writes of a module whose forward(x, mask) returns the expression."""
    files = {
        "code/__torch__.py": "class M(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
                             "  def forward(self: __torch__.M,\n    x: Tensor,\n    mask: Tensor) -> Tensor:\n"
                             f"    return {returned}\n",
        "data.pkl": b"\x80\x02c__torch__\nM\nq\x00)\x81}X\x08\x00\x00\x00trainingq\x01\x89sb.",
        "constants.pkl": b"\x80\x02).",
        "version": "3\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"m/{name}", content)
    return path


def inputs_of(model):
    return {i.name: i.type.tensor_type.elem_type for i in onnx.load(model).graph.input}


@pytest.mark.parametrize("arguments, dtype", [([], onnx.TensorProto.FLOAT), (["--input", "mask:bool=-1,3"], onnx.TensorProto.BOOL)])
def test_the_element_type_of_a_scripted_input(tmp_path, arguments, dtype):
    _, output = converted(tmp_path, scripted(tmp_path / "m.pt", "torch.mul(x, mask)"), *arguments)
    assert inputs_of(output) == {"x": onnx.TensorProto.FLOAT, "mask": dtype}


def test_a_dimension_that_varies_gets_a_name(tmp_path):
    _, output = converted(tmp_path, scripted(tmp_path / "m.pt", "torch.mul(x, mask)"), "--input", "x=-1,3", "--input", "mask=?,3")
    assert [i.type.tensor_type.shape.dim[0].dim_param for i in onnx.load(output).graph.input] == ["x_dim_0", "mask_dim_0"]


def test_what_only_booleans_work_for_is_boolean(tmp_path):
    _, output = converted(tmp_path, scripted(tmp_path / "m.pt", "torch.masked_fill(x, torch.unsqueeze(mask, -1), 0.)"))
    assert inputs_of(output)["mask"] == onnx.TensorProto.BOOL


@pytest.mark.parametrize("given, status, texts", [
    ("mask:booool=3", 2, ['"booool" is no dtype', "float32", "bool"]),
    ("masque:bool=3", 1, ['no input "masque"', "mask, x"]),
    ("mask:float32=3", 1, ['"mask"', "bool", "not float32"]),
])
def test_a_type_that_cannot_be(tmp_path, given, status, texts):
    model = scripted(tmp_path / "m.pt", "torch.masked_fill(x, mask, 0.)")
    done = onward("convert", model, "-o", tmp_path / "out.onnx", "--input", given)
    assert done.returncode == status and all(text in done.stderr for text in texts), done.stderr


def test_a_type_that_the_file_tells_stays(tmp_path):
    done = onward("convert", EXAMPLE / "Model.pt2", "-o", tmp_path / "out.onnx", "--input", "input image:float16=1,1,512,512")
    assert done.returncode == 1 and '"input image" is float32 in the file, not float16' in done.stderr
    converted(tmp_path, EXAMPLE / "Model.pt2", "--input", "input image:float32=1,1,512,512")
    done = onward("convert", EXAMPLE / "Model.keras", "-o", tmp_path / "out.onnx", "--input", "image:uint8=1,512,512,1")
    assert done.returncode == 1 and '"image" is float32 in the file, not uint8' in done.stderr


# --- --class ---------------------------------------------------------------------------------------------------------

TORCH = os.environ.get("ONWARD_TORCH_PYTHON")
needs_torch = pytest.mark.skipif(not TORCH, reason="set ONWARD_TORCH_PYTHON to a Python that has torch")


def by_class(folder, reference, *arguments, weights="Model.pth", python=TORCH):
    return onward("convert", folder / weights, "--class", reference, "--python", python, "-o", folder / "out.onnx", *arguments)


@pytest.fixture
def project(tmp_path):
    """A user's folder: the weights and the class, as they lie in the example."""
    for name in ("Model.pth", "model.py"):
        shutil.copy(EXAMPLE / name, tmp_path / name)
    return tmp_path


@needs_torch
def test_a_class_converts_and_is_verified(project):
    report = project / "report.json"
    done = by_class(project, "model:Model", "--input", "input image=1,1,512,512", "--report", report)
    assert done.returncode == 0, done.stderr
    assert "verified against torch" in done.stdout and "262144 values agree" in done.stdout
    verification = json.loads(report.read_text())["verification"]
    assert verification["outputs"][0]["name"] == "predicted mask" and verification["outputs"][0]["largest_error"] < 1e-4
    inputs = json.loads(inspected(project / "out.onnx", "--json"))["inputs"]
    assert inputs == [{"name": "input image", "dtype": "float32", "shape": [1, 1, 512, 512]}]
    done = onward("run", project / "out.onnx", "--input", EXAMPLE / "sample1.png", "-o", project / "mask.npy")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(project / "mask.npy"), np.load(EXAMPLE / "torch_outputs.npz")["predicted mask"],
                               rtol=1e-4, atol=1e-5)
    assert sorted(os.listdir(project)) == ["Model.pth", "mask.npy", "model.py", "out.onnx", "report.json"]


SEQUENCE = """
import torch

class Net(torch.nn.Module):
    input_names = ["the steps"]
    output_names = ["the answer"]
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(3, 4, batch_first=True)
    def forward(self, steps):
        return self.rnn(steps)[0]

if __name__ == "__main__":
    torch.save(Net().state_dict(), "net.pth")
"""


@needs_torch
def test_the_sizes_of_an_example_batch_vary(tmp_path):
    (tmp_path / "net.py").write_text(SEQUENCE)
    subprocess.run([TORCH, "net.py"], cwd=tmp_path, check=True)
    done = by_class(tmp_path, "net:Net", "--input", "the steps=2,7,3", weights="net.pth")
    assert done.returncode == 0, done.stderr
    assert "verified against torch" in done.stdout
    np.save(tmp_path / "x.npy", np.zeros((5, 12, 3), np.float32))
    done = onward("run", tmp_path / "out.onnx", "--input", f"the steps={tmp_path / 'x.npy'}")
    assert done.returncode == 0 and done.stdout.startswith("the answer  float32 [5,12,4]"), done.stderr


ARGUMENTS = """
import torch

class Net(torch.nn.Module):
    def __init__(self, width, bias=True, name=None):
        super().__init__()
        self.layer = torch.nn.Linear(3, width, bias=bias)
    def forward(self, x):
        return self.layer(x)

if __name__ == "__main__":
    torch.save(Net(5, bias=False).state_dict(), "net.pth")
"""


@needs_torch
def test_a_class_takes_arguments(tmp_path):
    (tmp_path / "net.py").write_text(ARGUMENTS)
    subprocess.run([TORCH, "net.py"], cwd=tmp_path, check=True)
    done = by_class(tmp_path, 'net:Net(5, bias=False, name="a, (b)")', "--input", "x=2,3", weights="net.pth")
    assert done.returncode == 0 and "verified against torch" in done.stdout, done.stderr
    done = by_class(tmp_path, "net:Net(__import__('os').mkdir('ran'))", "--input", "x=2,3", weights="net.pth")
    assert done.returncode == 1 and "cannot be read" in done.stderr and not (tmp_path / "ran").exists()


@needs_torch
def test_an_error_in_the_users_code_comes_with_its_line(project):
    source = (project / "model.py").read_text().replace("skips = []", "skips = [][7]")
    (project / "model.py").write_text(source)
    line = source[:source.index("[][7]")].count("\n") + 1
    done = by_class(project, "model:Model", "--input", "input image=1,1,64,64")
    assert done.returncode == 1 and done.stdout == ""
    assert f"{project / 'model.py'}:{line}" in done.stderr and "IndexError" in done.stderr
    assert done.stderr.startswith("error: ") and "Traceback" not in done.stderr
    assert not (project / "out.onnx").exists()


@pytest.mark.parametrize("python, says", [("/no/such/python", 'cannot run "/no/such/python"'),
                                          (str(pathlib.Path(shutil.which("false"))), "failed (exit status 1)")])
def test_a_python_that_cannot_do_it(project, python, says):
    done = by_class(project, "model:Model", "--input", "x=1,1,64,64", python=python)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ") and says in done.stderr and "--python" in done.stderr


def test_a_class_for_a_file_that_needs_none(project):
    done = onward("convert", EXAMPLE / "Model.keras", "--python", "python3", "-o", project / "out.onnx")
    assert done.returncode == 2 and "--class" in done.stderr
    done = onward("convert", EXAMPLE / "Model.pt2", "--class", "model:Model", "-o", project / "out.onnx")
    assert done.returncode == 1 and "without --class" in done.stderr


KERAS = os.environ.get("ONWARD_KERAS_PYTHON")
BUILD = """
import keras

class Scale(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(shape[-1],), name="factor")
    def call(self, x):
        return x * self.factor + keras.ops.sum(x, axis=-1, keepdims=True)

def build():
    numbers = keras.Input((8,), name="numbers")
    hidden = Scale(name="mine")(keras.layers.Dense(4, activation="relu")(numbers))
    return keras.Model(numbers, keras.layers.Dense(3, activation="softmax", name="scores")(hidden))

if __name__ == "__main__":
    build().save_weights("net.weights.h5")
"""


@pytest.mark.skipif(not KERAS, reason="set ONWARD_KERAS_PYTHON to a Python that has Keras and TensorFlow")
def test_a_keras_function_with_a_layer_of_its_own(tmp_path):
    (tmp_path / "my_models.py").write_text(BUILD)
    subprocess.run([KERAS, "my_models.py"], cwd=tmp_path, check=True, capture_output=True)
    done = by_class(tmp_path, "my_models:build", weights="net.weights.h5", python=KERAS)
    assert done.returncode == 0, done.stderr
    assert "verified against keras" in done.stdout
    (value,) = json.loads(inspected(tmp_path / "out.onnx", "--json"))["inputs"]
    assert value["name"] == "numbers" and value["shape"][1:] == [8]
