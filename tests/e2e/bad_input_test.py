"""What a user gets who hands over the wrong thing: one clear error that names the thing and the remedy, the right status."""
import http.client
import json
import socket
import zipfile

import numpy as np
import onnx.helper
import pytest
from conftest import EXAMPLE, MODELS, ONWARD, model, onward, serving
from keras_files import keras_archive, weights_h5

FAILED, WRONG_USAGE = 1, 2


def refused(arguments, status, *says):
    """Runs onward; stdout stays empty, stderr begins with one "error: " and holds every text of `says`."""
    done = onward(*arguments)
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("error: ") == 1
    for text in says:
        assert text in done.stderr, done.stderr
    return done.stderr


def convert(source, *more):
    return ["convert", source, "-o", source.with_name("out.onnx"), *more]


VERBS = [
    lambda path: ["convert", path, "-o", path.with_suffix(".out.onnx")],
    lambda path: ["inspect", path],
    lambda path: ["run", path, "--input", "x.npy"],
]


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_file(tmp_path, verb):
    refused(verb(tmp_path / "nothing.keras"), FAILED, "no such file: ", "nothing.keras")


@pytest.mark.parametrize("verb", VERBS)
def test_a_folder_that_is_no_model(tmp_path, verb):
    refused(verb(tmp_path), FAILED, str(tmp_path), "a folder without saved_model.pb", "SavedModel")


@pytest.mark.parametrize("verb", VERBS)
def test_a_text_file_named_h5(tmp_path, verb):
    path = tmp_path / "notes.h5"
    path.write_text("these are my notes\n")
    refused(verb(path), FAILED, "notes.h5: a text file, not a model", "these are my notes", "Onward reads Keras")


@pytest.mark.parametrize("verb", VERBS)
def test_an_empty_file(tmp_path, verb):
    path = tmp_path / "empty.keras"
    path.touch()
    refused(verb(path), FAILED, "empty.keras: an empty file", "Onward reads")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_truncated_keras_file(tmp_path, part):
    whole = (EXAMPLE / "Model.keras").read_bytes()
    path = tmp_path / "cut.keras"
    path.write_bytes(whole[:int(len(whole) * part)])
    refused(convert(path), FAILED, "cut.keras", "zip")
    assert not (tmp_path / "out.onnx").exists()


def test_an_h5_file_with_only_weights(tmp_path):
    path = weights_h5(tmp_path / "weights.h5")
    refused(convert(path), FAILED, "weights.h5 holds weights but no network", "--class module:function",
            'model.save("model.keras")')
    done = onward("inspect", path)
    assert done.returncode == 0 and "weights only" in done.stdout


def test_a_pth_file_without_its_class(tmp_path):
    error = refused(convert(EXAMPLE / "Model.pth")[:2] + ["-o", tmp_path / "out.onnx"], FAILED,
                    "Model.pth holds weights but no network", "down.0.conv1.weight float32 [8,1,3,3]",
                    "--class module:Class --input", "torch.export.save")
    assert "tensors" in error


def test_a_custom_layer(tmp_path):
    path = keras_archive(tmp_path / "m.keras", "WeightedSum", {"name": "sum_1"}, module=None, registered="my_package>WeightedSum")
    refused(convert(path), FAILED, "m.keras", "WeightedSum", "sum_1", "SavedModel")


def test_a_lambda_layer(tmp_path):
    path = keras_archive(tmp_path / "m.keras", "Lambda", {"name": "twice", "function": {
        "class_name": "__lambda__", "config": {"code": "4wEAAAA=", "defaults": None, "closure": None}}})
    refused(convert(path), FAILED, "m.keras", "Lambda", "twice", "SavedModel")


def test_all_blockers_at_once(tmp_path):
    path = keras_archive(tmp_path / "m.keras", "Mystery", {"name": "first"}, ("Puzzle", {"name": "second"}))
    refused(convert(path), FAILED, "2 things cannot be converted", 'Mystery "first"', 'Puzzle "second"')


def test_an_onnx_operator_that_nothing_runs(tmp_path):
    x, y = (onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Teleport", ["x"], ["y"], domain="my.ops")], "g", [x], [y])
    path = tmp_path / "odd.onnx"
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18), onnx.helper.make_opsetid("my.ops", 1)]), path)
    np.save(tmp_path / "x.npy", np.zeros(1, np.float32))
    refused(["run", path, "--input", tmp_path / "x.npy"], FAILED, "odd.onnx: my.ops:Teleport", "no such operator")


@pytest.mark.parametrize("opset", ["12", "99", "-1", "abc", "18.5"])
def test_a_wrong_opset(tmp_path, opset):
    refused(["convert", EXAMPLE / "Model.keras", "-o", tmp_path / "o.onnx", f"--opset={opset}"], WRONG_USAGE, opset, "--opset",
            "onward convert --help")
    assert not (tmp_path / "o.onnx").exists()


@pytest.mark.parametrize("arguments, says", [
    ([], "subcommand"),
    (["fly"], "there is no verb \"fly\"; there are convert, serve"),
    (["convert"], "SRC"),
    (["convert", "a", "-o", "b", "--fast"], "--fast"),
    (["convert", "a", "-o", "b", "--input", "x=1,a b?,-3"], "-3"),
    (["convert", "a", "-o", "b", "--layout", "nhwc"], "nhwc"),
    (["verify", "a", "--inputs", "i.npz"], "--outputs"),
    (["verify", "a", "--inputs", "i", "--outputs", "o", "--rtol", "-1"], "--rtol"),
    (["run", "a", "--pixels", "blue"], "blue"),
    (["serve", "a", "--http", "99999999"], "--http"),
])
def test_wrong_usage(arguments, says):
    refused(arguments, WRONG_USAGE, says, "--help")


def test_an_output_that_cannot_be_written(tmp_path):
    source = EXAMPLE / "Model.keras"
    refused(["convert", source, "-o", tmp_path / "missing" / "o.onnx"], FAILED, "missing", "make it first")
    refused(["convert", source, "-o", tmp_path], FAILED, str(tmp_path), "is a folder")
    same = tmp_path / "m.onnx"
    same.write_bytes((MODELS / "linear.onnx").read_bytes())
    refused(["convert", same, "-o", same], FAILED, "would overwrite")


@pytest.mark.parametrize("file, content, says", [
    ("x.npy", b"\x93NUMPY\x01\x00", "x.npy"),
    ("x.txt", b"hello", "x.txt is no .npy, .npz, .png, .jpg or .json file"),
    ("x.json", b"[[1, 2], [3]]", "ragged"),
    ("x.json", b"[[1, 2, 3", "it ends"),
    ("x.json", b"[[1, 2]]", 'input "x" wants shape [batch,3]'),
    ("x.png", b"\x89PNG\r\n\x1a\nrest", "x.png: a damaged PNG"),
])
def test_a_wrong_feed(tmp_path, file, content, says):
    path = tmp_path / file
    path.write_bytes(content)
    refused(["run", MODELS / "linear.onnx", "--input", f"x={path}"], FAILED, says)


def test_missing_and_unknown_inputs(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros(2, np.int64))
    feed = tmp_path / "a.npy"
    refused(["run", MODELS / "pair.onnx", "--input", f"a={feed}"], FAILED, 'input "b" is missing', '"a" int64 [n]')
    refused(["run", MODELS / "pair.onnx", "--input", f"c={feed}"], FAILED, 'no input "c"', '"b" int64 [n]')
    refused(["run", MODELS / "pair.onnx", "--input", feed], FAILED, "does not say which input")


def test_a_picture_of_the_wrong_size():
    refused(["run", MODELS / "nchw.onnx", "--input", EXAMPLE / "sample1.png"], FAILED, "sample1.png", "512 x 512 pixels",
            "[1,1,4,4]", "resize")


def test_hostile_zip_files(tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", b" " * (1 << 28))
        archive.writestr("metadata.json", b"{}")
        archive.writestr("model.weights.h5", b"")
    refused(convert(path), FAILED, "bomb.keras")


# --- the server ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source, says", [("nothing.keras", "nothing.keras"), ("x=nothing.onnx", "nothing.onnx")])
def test_serving_a_missing_file(source, says):
    refused(["serve", source, "--http", "0"], FAILED, says)


def test_a_port_in_use():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(["serve", MODELS / "linear.onnx", "--http", port], FAILED, port, "in use", "--http")


@pytest.fixture(scope="module")
def running():
    with serving(model("linear"), model("nhwc")) as server:
        yield server
        assert server.stop() == 0


@pytest.mark.parametrize("path, body, status, says", [
    ("/predict", "hello", 400, "byte 0"),
    ("/predict", "", 400, "ends"),
    ("/predict", '{"input": [[1,2,3],[4]]}', 400, "ragged"),
    ("/predict", '{"input": [[1,2]]}', 400, "[batch,3]"),
    ("/predict", '{"inputs": {"y": [[1,2,3]]}}', 400, '"x"'),
    ("/v2/models/linear/infer", "[]", 400, "{"),
    ("/v2/models/linear/infer", '{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}', 400, "[batch,3]"),
    ("/v2/models/linear/infer", '{"inputs":[{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2]}]}', 400, "3"),
    ("/v2/models/absent/infer", '{"inputs":[]}', 404, "absent"),
    ("/v1/models/linear:predict", '{"instances":[[1,2],[3]]}', 400, "ragged"),
])
def test_a_wrong_request(running, path, body, status, says):
    connection = http.client.HTTPConnection(running.address, timeout=20)
    connection.request("POST", path, body)
    answer = connection.getresponse()
    text = json.loads(answer.read())
    assert answer.status == status
    assert set(text) == {"error"} and says in text["error"], text
