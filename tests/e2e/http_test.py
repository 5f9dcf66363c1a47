import gzip
import http.client
import json
import signal
import socket
import ssl
import subprocess
import time
import zlib

import onnx.parser
import pytest
from conftest import MODELS, ONWARD, model, serving


def call(server, method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(server.address, timeout=20)
    data = json.dumps(body) if isinstance(body, (dict, list)) else body
    connection.request(method, path, data, headers or {})
    response = connection.getresponse()
    raw = response.read()
    connection.close()
    return response.status, response, raw


def post(server, path, body, headers=None):
    status, _, raw = call(server, "POST", path, body, headers)
    return status, json.loads(raw)


def get(server, path):
    status, _, raw = call(server, "GET", path)
    return status, json.loads(raw)


def infer(server, name, datatype, shape, data, tensor="x"):
    return post(server, f"/v2/models/{name}/infer",
                {"inputs": [{"name": tensor, "shape": shape, "datatype": datatype, "data": data}]})


def test_predict_asks_every_model_that_accepts(server):
    image = [[0.0, 1.0, 2.0, 3.0]] * 4
    for form in (image, [image], [[image]], [[[v] for v in row] for row in image]):
        status, answer = post(server, "/predict", {"input": form})
        assert status == 200
        assert set(answer) == {"nhwc_prediction", "nchw_prediction"}
        assert answer["nchw_prediction"][0][0][0][1] == pytest.approx(0.7310586)
        assert answer["nhwc_prediction"][0][0][1][0] == pytest.approx(0.7310586)


def test_predict_moves_channels(server):
    nhwc = [[[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]]]
    status, answer = post(server, "/predict", {"input": nhwc})
    assert status == 200
    assert answer == {"rgb_nchw_prediction": [[[[1, 4], [7, 10]], [[2, 5], [8, 11]], [[3, 6], [9, 12]]]]}


def test_predict_by_name(server):
    status, answer = post(server, "/predict", {"inputs": {"a": [1, 2], "b": [1, 3]}})
    assert (status, answer) == (200, {"pair_prediction": {"total": [2, 5], "same": [True, False]}})
    status, answer = post(server, "/predict", {"input": [[1, 2, 3]], "models": ["linear"]})
    assert (status, answer) == (200, {"linear_prediction": [[3, 5, 7]]})
    assert post(server, "/predict", {"input": [[1, 2, 3]], "models": ["nothing"]})[0] == 404
    assert post(server, "/predict", {"input": [[1, 2, 3]], "models": ["ten"]})[0] == 400


def test_predict_asks_no_model_twice(server):
    """Its answer would have the same key twice, and its vote two weights."""
    status, answer = post(server, "/predict", {"input": [[1, 2, 3]], "models": ["linear", "linear"]})
    assert status == 400 and '"linear" is named twice' in answer["error"]


def test_predict_combines_and_tells_the_status(server):
    image = [[-9.0, 9.0, 9.0, -9.0]] * 4
    status, answer = post(server, "/predict", {"input": image, "combine": "mean", "status": True})
    assert status == 200 and set(answer) == {"nchw_prediction", "nhwc_prediction", "combined", "status"}
    assert answer["status"]["nchw"]["code"] == "OK" and answer["status"]["nchw"]["infer_ms"] >= 0
    status, answer = post(server, "/predict", {"input": image, "models": ["nhwc", "nchw"], "combine": "vote"})
    assert [v[0] for v in answer["combined"][0][0]] == [0, 1, 1, 0]
    assert post(server, "/predict", {"input": image, "combine": "best"})[0] == 400


# Like an identity of any matrix, but for hours.
ENDLESS = """<ir_version: 8, opset_import: ["" : 17]>
endless (float[n,m] x) => (float[n,m] y) {
  k = Constant <value = int64 {10000000000}> ()
  t = Constant <value = bool {1}> ()
  y = Loop (k, t, x) <body = turn (int64 i, bool c, float[n,m] before) => (bool go, float[n,m] after) {
    go = Identity (c)
    after = Tanh (before)
  }>
}"""


def test_predict_answers_partly_at_the_deadline(tmp_path):
    """Two quick models and one that runs for hours: it is ended at the deadline, and what was done counts alone."""
    onnx.save(onnx.parser.parse_model(ENDLESS), tmp_path / "endless.onnx")
    with serving(tmp_path / "endless.onnx", model("linear"), model("linear_v2")) as server:
        rows = [[1, 2, 3], [-1, 0, 4]]
        body = {"input": rows, "models": ["endless", "linear", "linear_v2"], "timeout_ms": 2000}
        linear, other = [[2 * x + 1 for x in row] for row in rows], [[3 * x for x in row] for row in rows]
        status, answer = post(server, "/predict", body)
        assert status == 504 and 'model "endless"' in answer["error"]

        status, answer = post(server, "/predict", body | {"partial": True})
        assert status == 200 and set(answer) == {"linear_prediction", "linear_v2_prediction", "status"}
        assert answer["linear_prediction"] == linear and answer["linear_v2_prediction"] == other
        codes = {name: each["code"] for name, each in answer["status"].items()}
        assert codes == {"endless": "DEADLINE_EXCEEDED", "linear": "OK", "linear_v2": "OK"}

        status, answer = post(server, "/predict", body | {"partial": True, "combine": "mean"})
        assert status == 200
        assert answer["combined"] == [[(a + b) / 2 for a, b in zip(x, y)] for x, y in zip(linear, other)]
        status, answer = post(server, "/predict", body | {"partial": True, "combine": "vote"})
        assert status == 200 and answer["combined"] == [2, 2]

        # Nothing was done in time: that is no partial result.
        status, answer = post(server, "/predict", body | {"models": ["endless"], "partial": True, "combine": "mean"})
        assert status == 504 and 'model "endless"' in answer["error"]
        assert post(server, "/predict", {"input": rows, "models": ["linear"]})[0] == 200
        # The run is terminated, not left to itself.
        assert server.stop() == 0


@pytest.mark.parametrize("body, says", [
    ("hello", "expected '{'"),
    ("", "it ends"),
    ('{"input": [[1,2],[3]]}', "ragged"),
    ('{"input": [[1,2],3]}', "ragged"),
    ('{"input": [1,[2]]}', "ragged"),
    ('{"input": [[1,2', "it ends"),
    ('{"input": [1,2,]}', "comma"),
    ('{"input": [01]}', "leading zero"),
    ('{"input": [1e999]}', "larger than any double"),
    ('{"input": [1]} x', "after the end"),
    ('{"inptu": [1]}', "unknown key"),
    ("{}", 'either \\"input\\" or \\"inputs\\"'),
    ('{"input": [[1,2,3,4,5,6,7]]}', "no served model accepts"),
    ('{"input": ' + "[" * 100 + "]" * 100 + "}", "nested deeper"),
])
def test_bad_bodies_are_clear_400s(server, body, says):
    status, _, raw = call(server, "POST", "/predict", body)
    assert status == 400
    assert says in raw.decode()


@pytest.mark.parametrize("name, datatype, values", [
    ("same_bool", "BOOL", [True, False]), ("same_u8", "UINT8", [0, 255]), ("same_i8", "INT8", [-128, 127]),
    ("same_u16", "UINT16", [0, 65535]), ("same_i16", "INT16", [-32768, 32767]), ("same_u32", "UINT32", [0, 2**32 - 1]),
    ("same_i32", "INT32", [-2**31, 2**31 - 1]), ("same_u64", "UINT64", [0, 2**64 - 1]),
    ("same_i64", "INT64", [-2**63, 2**63 - 1]), ("same_f16", "FP16", [0.5, -65504.0]),
    ("same_bf16", "BF16", [0.5, -2.0]), ("same_f64", "FP64", [0.1, 1e300]),
])
def test_every_type_survives_json(server, name, datatype, values):
    status, answer = infer(server, name, datatype, [2], values)
    assert status == 200
    assert answer["outputs"][0]["datatype"] == datatype
    assert answer["outputs"][0]["data"] == values


def test_whole_numbers_with_an_exponent(server):
    for name, datatype, text, value in [("same_u64", "UINT64", "1e19", 10**19), ("same_u64", "UINT64", "2.5e1", 25),
                                        ("same_i64", "INT64", "-1e3", -1000)]:
        body = f'{{"inputs":[{{"name":"x","shape":[1],"datatype":"{datatype}","data":[{text}]}}]}}'
        status, answer = post(server, f"/v2/models/{name}/infer", body)
        assert status == 200 and answer["outputs"][0]["data"] == [value]


@pytest.mark.parametrize("name, datatype, value, says", [
    ("same_u64", "UINT64", 1.9e19, "64-bit"),
    ("same_i64", "INT64", 1.9, "not a whole number"), ("same_u8", "UINT8", 256, "does not fit"),
    ("same_u8", "UINT8", -1, "does not fit"), ("same_u64", "UINT64", -1, "negative"),
    ("same_f16", "FP16", 70000, "does not fit"), ("same_i64", "INT64", 2**63, "does not fit"),
    ("same_bool", "BOOL", 2, "not a boolean"), ("same_i32", "INT64", 1, "must be int32"),
    ("same_i32", "INT31", 1, "unknown datatype"), ("same_i32", "INT32", "1", "expected a number"),
])
def test_lossy_numbers_are_refused(server, name, datatype, value, says):
    status, answer = infer(server, name, datatype, [1], [value])
    assert status == 400
    assert says in answer["error"]


def test_special_numbers_pass(server):
    text = '{"inputs":[{"name":"x","shape":[3],"datatype":"FP64","data":[NaN,Infinity,-Infinity]}]}'
    status, answer = post(server, "/v2/models/same_f64/infer", text)
    assert status == 200
    assert str(answer["outputs"][0]["data"]) == "[nan, inf, -inf]"


def test_infer_details(server):
    body = {"id": "q7", "parameters": {"anything": 1}, "outputs": [{"name": "same"}],
            "inputs": [{"data": [[1, 2]], "datatype": "INT64", "name": "b", "shape": [2]},
                       {"name": "a", "shape": [2], "datatype": "INT64", "data": [1, 3]}]}
    status, answer = post(server, "/v2/models/pair/versions/1/infer", body)
    assert status == 200
    assert answer == {"model_name": "pair", "model_version": "1", "id": "q7",
                      "outputs": [{"name": "same", "datatype": "BOOL", "shape": [2], "data": [True, False]}]}
    status, answer = infer(server, "scalar", "FP32", [2], [1, 2])
    assert answer["outputs"][0] == {"name": "s", "datatype": "FP32", "shape": [], "data": [3]}
    status, answer = infer(server, "text", "BYTES", [2], ["grün", 'a"b'], "words")
    assert answer["outputs"][0]["data"] == ["grün", 'a"b']
    assert infer(server, "linear", "FP32", [1, 4], [1, 2, 3, 4])[0] == 400
    assert infer(server, "linear", "FP32", [1, 3], [1, 2])[1]["error"].count("has 2 values")
    assert infer(server, "nothing", "FP32", [1], [1])[0] == 404
    assert infer(server, "linear", "FP32", [1, 3], [1, 2, 3], "y")[0] == 400


def test_binary_and_raw(server):
    import struct
    head = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32",
                                   "parameters": {"binary_data_size": 12}}],
                       "outputs": [{"name": "y", "parameters": {"binary_data": True}}]}).encode()
    for pad in range(4):  # every alignment
        body = head + b" " * pad + struct.pack("<3f", 1, 2, 3)
        status, response, raw = call(server, "POST", "/v2/models/linear/infer", body,
                                     {"Inference-Header-Content-Length": str(len(head) + pad)})
        assert status == 200
        size = int(response.headers["Inference-Header-Content-Length"])
        assert struct.unpack("<3f", raw[size:]) == (3, 5, 7)
        assert json.loads(raw[:size])["outputs"][0]["parameters"] == {"binary_data_size": 12}
    raw_headers = {"Inference-Header-Content-Length": "0"}
    status, response, raw = call(server, "POST", "/v2/models/linear/infer", struct.pack("<6f", *range(6)), raw_headers)
    assert status == 200
    assert struct.unpack("<6f", raw[int(response.headers["Inference-Header-Content-Length"]):]) == (1, 3, 5, 7, 9, 11)
    assert call(server, "POST", "/v2/models/linear/infer", b"12345", raw_headers)[0] == 400
    for length in ("99999", "x", "-1"):
        assert call(server, "POST", "/v2/models/linear/infer", b"{}",
                    {"Inference-Header-Content-Length": length})[0] == 400


def test_classification(server):
    body = {"inputs": [{"name": "features", "shape": [1, 10], "datatype": "FP32", "data": [1] + [0] * 9}],
            "outputs": [{"name": "scores", "parameters": {"classification": 2}}]}
    status, answer = post(server, "/v2/models/ten/infer", body)
    assert status == 200
    output = answer["outputs"][0]
    assert output["datatype"] == "BYTES" and output["shape"] == [1, 2]
    assert [value.split(":")[1] for value in output["data"]] == ["2", "1"]
    words = {"inputs": [{"name": "words", "shape": [1], "datatype": "BYTES", "data": ["a"]}],
             "outputs": [{"name": "same", "parameters": {"classification": 1}}]}
    status, answer = post(server, "/v2/models/text/infer", words)
    assert status == 400 and "numbers" in answer["error"]


def test_compression_both_ways(server):
    text = json.dumps({"input": [[0.5] * 3] * 400, "models": ["linear"]}).encode()
    for name, packed in (("gzip", gzip.compress(text)), ("deflate", zlib.compress(text))):
        status, response, raw = call(server, "POST", "/predict", packed,
                                     {"Content-Encoding": name, "Accept-Encoding": name})
        assert status == 200 and response.headers["Content-Encoding"] == name
        raw = gzip.decompress(raw) if name == "gzip" else zlib.decompress(raw)
        assert json.loads(raw)["linear_prediction"][399] == [2, 2, 2]
    assert call(server, "POST", "/predict", text, {"Content-Encoding": "br"})[0] == 415
    assert call(server, "POST", "/predict", gzip.compress(text)[:-9], {"Content-Encoding": "gzip"})[0] == 400


def test_tensorflow_serving(server):
    path = "/v1/models/linear:predict"
    assert post(server, path, {"instances": [[1, 2, 3]]}) == (200, {"predictions": [[3, 5, 7]]})
    assert post(server, path, {"inputs": [[1, 2, 3]]}) == (200, {"outputs": [[3, 5, 7]]})
    assert post(server, path, {"instances": [{"x": [1, 2, 3]}]}) == (200, {"predictions": [[3, 5, 7]]})
    rows = {"instances": [{"a": 1, "b": 1}, {"b": 5, "a": 2}]}
    assert post(server, "/v1/models/pair/versions/1:predict", rows)[1] == {
        "predictions": [{"total": 2, "same": True}, {"total": 7, "same": False}]}
    columns = {"inputs": {"a": [1], "b": [1]}, "signature_name": "serving_default"}
    assert post(server, "/v1/models/pair:predict", columns)[1] == {"outputs": {"total": [2], "same": [True]}}
    assert post(server, "/v1/models/text:predict", {"instances": [{"b64": "aGk="}]})[1] == {"predictions": ["hi"]}
    status, answer = post(server, path, {})
    assert status == 400 and "Missing 'inputs' or 'instances' key" in answer["error"]
    assert post(server, path, {"instances": []})[0] == 400
    assert post(server, path, {"instances": [[1, 2, 3]], "signature_name": "other"})[0] == 404
    assert get(server, "/v1/models/linear")[1]["model_version_status"][0]["state"] == "AVAILABLE"
    assert get(server, "/v1/models/nothing")[0] == 404
    signature = get(server, "/v1/models/linear/metadata")[1]["metadata"]["signature_def"]["signature_def"]
    assert signature["serving_default"]["inputs"]["x"]["dtype"] == "DT_FLOAT"
    status, answer = post(server, "/v1/models/ten:classify", {"examples": [{"features": [1] + [0] * 9}]})
    assert status == 200 and len(answer["results"][0]) == 3 and answer["results"][0][0][0] == "0"
    status, answer = post(server, "/v1/models/divide:regress", {"examples": [{"x": 1}, {"x": -1}]})
    assert (status, answer) == (200, {"results": [float("inf"), -float("inf")]})
    status, answer = post(server, "/v1/models/ten:regress", {"examples": [{"features": [1] + [0] * 9}]})
    assert status == 400 and "no regression of 1 example" in answer["error"]
    status, answer = post(server, "/v1/models/text:classify", {"examples": [{"words": "a"}]})
    assert status == 400 and "no classification" in answer["error"]
    assert get(server, "/V1/Models/linear")[0] == 200  # as TensorFlow Serving has it


def test_generate(server):
    path = "/v2/models/text/generate"
    name = get(server, "/v2/models/text")[1]["inputs"][0]["name"]
    output = get(server, "/v2/models/text")[1]["outputs"][0]["name"]
    status, answer = post(server, path, {name: "héllo", "id": "7", "parameters": {"temperature": 0.5}})
    assert status == 200
    assert answer == {"id": "7", "model_name": "text", "model_version": "1", output: "héllo"}
    assert post(server, path, {"parameters": {name: ["a", "b"]}})[1][output] == ["a", "b"]
    assert post(server, "/v2/models/linear/versions/1/generate", {"x": [1, 2, 3]})[1]["y"] == [3, 5, 7]
    status, response, raw = call(server, "POST", "/v2/models/linear/generate_stream", {"x": [[1, 2, 3]]})
    assert status == 200 and response.headers["Content-Type"].startswith("text/event-stream")
    assert raw.startswith(b"data: {") and raw.endswith(b"}\n\n") and json.loads(raw[6:])["y"] == [3, 5, 7]
    for body, says in (({}, "is missing"), ({"x": [1, 2]}, "must be"), ({"x": "a"}, "expected a number"),
                       ({"x": [1, 2, 3], "parameters": {"x": [1, 2, 3]}}, "twice")):
        status, answer = post(server, "/v2/models/linear/generate_stream", body)
        assert status == 400 and says in answer["error"]


def test_what_there_is(server):
    assert get(server, "/v2/health/live") == (200, {"live": True})
    assert get(server, "/v2/health/ready") == (200, {"live": True, "ready": True})
    assert get(server, "/v2/models/linear/ready") == (200, {"name": "linear", "ready": True})
    assert get(server, "/v2/models/nothing/ready")[0] == 404
    assert get(server, "/v2/models/linear")[1]["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]
    paths = get(server, "/openapi.json")[1]["paths"]
    assert "post" in paths["/v2/models/{model}/infer"]
    status, response, raw = call(server, "GET", "/metrics")
    assert status == 200 and b'nv_inference_count{model="linear",version="1"}' in raw
    assert b"<title>Onward" in call(server, "GET", "/")[2]
    status, response, _ = call(server, "GET", "/web/app.js")
    assert status == 200 and response.headers["Content-Type"].startswith("text/javascript")
    assert call(server, "GET", "/web/nothing.js")[0] == 404
    status, response, _ = call(server, "PUT", "/predict")
    assert status == 405 and response.headers["Allow"] == "POST"
    assert call(server, "GET", "/../etc/passwd")[0] == 404
    assert call(server, "GET", "/v2/models/%2e%2e%2fx")[0] == 404
    assert call(server, "GET", "/v2/models/%zz")[0] == 400
    assert call(server, "POST", "/v2/repository/models/linear/unload")[0] == 403
    assert get(server, "/v2/models/linear/stats")[1]["model_stats"][0]["inference_stats"]["success"]["count"] > 0


def raw_exchange(server, data, wait=5):
    host, port = server.address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=wait) as connection:
        connection.sendall(data)
        received = b""
        while True:
            try:
                part = connection.recv(65536)
            except (TimeoutError, ConnectionResetError):
                return received
            if not part:
                return received
            received += part


def test_hostile_requests(server):
    assert b" 400 " in raw_exchange(server, b"nonsense\r\n\r\n").split(b"\r\n")[0]
    big = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"
    assert b" 431 " in raw_exchange(server, big).split(b"\r\n")[0]
    huge = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n{"
    assert b" 413 " in raw_exchange(server, huge).split(b"\r\n")[0]
    expect = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert raw_exchange(server, expect + b"{}").startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ")
    two = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\nGET /v2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert raw_exchange(server, two).count(b"HTTP/1.1 200 OK") == 2
    chunked = b"POST /predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: %s\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
    assert b" 501 " in raw_exchange(server, chunked % b"gzip, chunked").split(b"\r\n")[0]
    absolute = b"GET http://x:1/v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    assert raw_exchange(server, absolute).startswith(b"HTTP/1.1 200 ")


def test_gzip_bomb_is_refused():
    with serving(model("linear"), "--max-body", "1") as server:
        bomb = gzip.compress(b"0" * (64 << 20), 9)
        assert len(bomb) < 1 << 20
        assert call(server, "POST", "/predict", bomb, {"Content-Encoding": "gzip"})[0] == 413
        assert call(server, "POST", "/predict", b"0" * (2 << 20))[0] == 413


def test_port_in_use_and_nothing_to_serve(server):
    port = server.address.rsplit(":", 1)[1]
    run = subprocess.run([ONWARD, "serve", model("linear"), "--http", port], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and "port is in use" in run.stderr
    run = subprocess.run([ONWARD, "serve", "/no/such.onnx", "--http", "0"], capture_output=True, text=True, timeout=20)
    assert run.returncode == 1 and "/no/such.onnx" in run.stderr


def test_a_bad_model_does_not_stop_the_others(tmp_path):
    (tmp_path / "bad.onnx").write_text("no model")
    (tmp_path / "good.onnx").write_bytes((MODELS / "linear.onnx").read_bytes())
    with serving("--models", tmp_path) as server:
        assert post(server, "/predict", {"input": [[1, 2, 3]]})[1] == {"good_prediction": [[3, 5, 7]]}
        states = {entry["name"]: entry for entry in post(server, "/v2/repository/index", {})[1]}
        assert states["bad"]["state"] == "UNAVAILABLE" and "not a valid ONNX file" in states["bad"]["reason"]
        assert infer(server, "bad", "FP32", [1], [1])[0] == 503
        assert server.stop() == 0


def test_versions_swap_by_polling_and_by_request(tmp_path):
    def place(version, name):
        folder = tmp_path / "models" / "m" / version
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes((MODELS / f"{name}.onnx").read_bytes() if name else b"broken")

    place("1", "linear")
    body = {"instances": [[1, 2, 3]]}
    with serving("--models", tmp_path / "models", "--admin", "--poll", "1") as server:
        assert post(server, "/v1/models/m:predict", body)[1] == {"predictions": [[3, 5, 7]]}
        place("2", "linear_v2")
        assert post(server, "/v2/repository/models/m/load", {}) == (200, {})
        assert post(server, "/v1/models/m:predict", body)[1] == {"predictions": [[3, 6, 9]]}
        assert post(server, "/v1/models/m/versions/1:predict", body)[0] == 404
        place("3", None)
        assert post(server, "/v2/repository/models/m/load", {})[0] == 400
        assert post(server, "/v1/models/m:predict", body)[1] == {"predictions": [[3, 6, 9]]}
        place("4", "linear")
        for _ in range(600):
            if post(server, "/v1/models/m:predict", body)[1] == {"predictions": [[3, 5, 7]]}:
                break
            time.sleep(0.1)
        else:
            pytest.fail("polling did not find the new version")
        assert post(server, "/v2/repository/models/m/unload", {}) == (200, {})
        assert post(server, "/v1/models/m:predict", body)[0] == 503
        assert post(server, "/v2/repository/models/m/load", {"parameters": {"config": "{}"}})[0] == 501


def test_keys(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("# of the team\ninfer abc\nadmin xyz\n")
    with serving(model("linear"), "--admin", "--keys", keys) as server:
        body = {"input": [[1, 2, 3]]}
        assert post(server, "/predict", body)[0] == 401
        assert post(server, "/predict", body, {"Authorization": "Bearer wrong"})[0] == 401
        assert post(server, "/predict", body, {"Authorization": "Bearer abc"})[0] == 200
        load = "/v2/repository/models/linear/load"
        assert post(server, load, {}, {"X-API-Key": "abc"})[0] == 403
        assert post(server, load, {}, {"X-API-Key": "xyz"})[0] == 200
        assert get(server, "/v2/health/live")[0] == 200


def test_tls(tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", tmp_path / "key.pem", "-out",
                    tmp_path / "cert.pem", "-days", "2", "-subj", "/CN=localhost"], check=True, capture_output=True)
    with serving(model("linear"), "--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem") as server:
        context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        context.check_hostname = False
        connection = http.client.HTTPSConnection(server.address, context=context, timeout=10)
        for _ in range(2):
            connection.request("POST", "/predict", json.dumps({"input": [[1, 2, 3]] * 1000}))
            assert json.loads(connection.getresponse().read())["linear_prediction"][0] == [3, 5, 7]
        connection.close()


def slow_body(size=200):
    return {"inputs": [{"name": "x", "shape": [size, size], "datatype": "FP32", "data": [0.5] * (size * size)}]}


def test_a_client_that_leaves_stops_its_run():
    with serving(model("slow"), model("linear")) as server:
        connection = http.client.HTTPConnection(server.address)
        connection.request("POST", "/v2/models/slow/infer", json.dumps(slow_body()))
        time.sleep(0.5)
        assert post(server, "/predict", {"input": [[1, 2, 3]], "models": ["linear"]})[0] == 200
        connection.close()
        for _ in range(50):
            if b"onward_in_flight 0" in call(server, "GET", "/metrics")[2]:
                break
            time.sleep(0.1)
        else:
            pytest.fail("the run went on")
        assert b'onward_cancelled_total{model="slow",version="1"} 1' in call(server, "GET", "/metrics")[2]


def test_a_timeout_ends_a_run():
    with serving(model("slow"), model("linear")) as server:
        body = slow_body() | {"parameters": {"timeout": 300_000}}
        start = time.monotonic()
        status, answer = post(server, "/v2/models/slow/infer", body)
        assert status == 504 and "deadline" in answer["error"]
        assert time.monotonic() - start < 5


def test_stopping_answers_what_was_asked(tmp_path):
    with serving(model("slow")) as server:
        connection = http.client.HTTPConnection(server.address, timeout=20)
        body = slow_body() | {"parameters": {"timeout": 1_500_000}}
        connection.request("POST", "/v2/models/slow/infer", json.dumps(body))
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        assert connection.getresponse().status == 504  # its own deadline, not a cut connection
        connection.close()
        assert server.process.wait(timeout=10) == 0


def test_pictures_and_npy_files_as_bodies(server):
    import io

    import numpy as np
    file = io.BytesIO()
    np.save(file, np.float64([[1, 2, 3]]))
    status, answer = post(server, "/predict?models=linear", file.getvalue(), {"Content-Type": "application/x-npy"})
    assert (status, answer) == (200, {"linear_prediction": [[3, 5, 7]]})
    def chunk(kind, data):
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
    rows = b"".join(b"\0" + bytes([0, 255, 0, 255]) for _ in range(4))
    header = (4).to_bytes(4, "big") * 2 + bytes([8, 0, 0, 0, 0])
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    status, answer = post(server, "/predict?status=true", png, {"Content-Type": "image/png"})
    assert status == 200 and {"nhwc_prediction", "nchw_prediction", "status"} <= set(answer)
    assert answer["nchw_prediction"][0][0][0][1] == pytest.approx(0.7310586)
    assert post(server, "/predict", png[:50])[0] == 400
    assert post(server, "/predict?models=nchw&colour=1", png)[0] == 400
