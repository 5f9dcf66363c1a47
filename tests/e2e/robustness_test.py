"""What is promised when things go wrong."""
import http.client
import json
import os
import re
import resource
import socket
import subprocess
import threading

from conftest import MODELS, ONWARD, model, serving
from http_test import call, get, post

BODY = {"input": [[1, 2, 3]]}
RIGHT = (200, {"linear_prediction": [[3, 5, 7]]})


def test_after_sigkill_the_port_is_free_at_once():
    with serving(model("linear")) as server:
        port = server.address.rsplit(":", 1)[1]
        connection = http.client.HTTPConnection(server.address)
        connection.request("GET", "/v2/health/live")
        connection.getresponse().read()
        server.process.kill()
        server.process.wait()
        with serving("--http", port, model("linear")) as again:
            assert post(again, "/predict", BODY) == RIGHT
        connection.close()


def test_a_full_disk_under_the_log_stops_nothing():
    with open("/dev/full", "w") as full:
        process = subprocess.Popen([ONWARD, "serve", model("linear"), "--http", "0", "--access-log"],
                                   stdout=subprocess.PIPE, stderr=full, text=True)
        line = ""
        while "serving" not in line:
            line = process.stdout.readline()
        server = type("Server", (), {"address": line.split("http://")[1].split()[0]})
        for _ in range(5):
            assert post(server, "/predict", BODY) == RIGHT
        process.terminate()
        assert process.wait(timeout=20) == 0
        process.stdout.close()


def test_a_model_that_cannot_be_read(tmp_path):
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "cut.onnx").write_bytes((MODELS / "linear.onnx").read_bytes()[:60])
    (tmp_path / "gone.onnx").symlink_to(tmp_path / "nowhere")
    (tmp_path / "linear.onnx").write_bytes((MODELS / "linear.onnx").read_bytes())
    with serving("--models", tmp_path) as server:
        assert post(server, "/predict", BODY) == RIGHT
        states = {entry["name"]: entry for entry in post(server, "/v2/repository/index", {})[1]}
        for name in ("folder", "cut", "gone"):
            assert states[name]["state"] == "UNAVAILABLE" and states[name]["reason"]


def test_many_idle_and_slow_connections():
    wanted = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * wanted:
        wanted = min(1000, soft - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, wanted + 500), hard))
    with serving(model("linear")) as server:
        host, port = server.address.rsplit(":", 1)
        idle = []
        for i in range(wanted):
            idle.append(socket.create_connection((host, int(port))))
            if i % 3 == 0:
                idle[-1].sendall(b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{")
        for _ in range(20):
            assert post(server, "/predict", BODY) == RIGHT
        threads = len(os.listdir(f"/proc/{server.process.pid}/task"))
        assert threads < 100
        for connection in idle:
            connection.close()
        assert server.stop() == 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_connections_beyond_the_limit_are_told_so():
    with serving(model("linear"), "--max-connections", "2") as server:
        host, port = server.address.rsplit(":", 1)
        held = [socket.create_connection((host, int(port))) for _ in range(2)]
        for connection in held:  # both are open once they are answered
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with socket.create_connection((host, int(port)), timeout=10) as more:
            assert more.recv(65536).startswith(b"HTTP/1.1 503")
        for connection in held:
            connection.close()


def test_a_full_queue_answers_429(tmp_path):
    (tmp_path / "slow" / "1").mkdir(parents=True)
    (tmp_path / "slow" / "1" / "model.onnx").write_bytes((MODELS / "slow.onnx").read_bytes())
    (tmp_path / "slow" / "model.yaml").write_text("max_queue: 1\nmax_batch: 1\n")
    body = {"inputs": [{"name": "x", "shape": [200, 200], "datatype": "FP32", "data": [0.5] * 40_000}],
            "parameters": {"timeout": 3_000_000}}
    with serving("--models", tmp_path) as server:
        statuses, lock = [], threading.Lock()

        def ask():
            status, response, _ = call(server, "POST", "/v2/models/slow/infer", body)
            with lock:
                statuses.append((status, response.headers["Retry-After"]))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (429, "1") in statuses
        assert {status for status, _ in statuses} <= {429, 504}


def test_memory_budget_loads_on_demand(tmp_path):
    import numpy as np
    import onnx
    import tritonclient.grpc as triton
    from onnx import TensorProto, helper, numpy_helper
    weights = numpy_helper.from_array(np.arange(2_000_000, dtype=np.float32), "weights")  # 8 MB
    nodes = [helper.make_node("Cast", ["x"], ["index"], to=TensorProto.INT64), helper.make_node("Gather", ["weights", "index"], ["y"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", 3]) for name in "xy"]
    heavy = helper.make_model(helper.make_graph(nodes, "heavy", ends[:1], ends[1:], [weights]),
                              opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    for name in ("a", "b", "c"):
        onnx.save(heavy, tmp_path / f"{name}.onnx")
    values = np.float32([[1, 2, 3]])
    body = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
    with serving("--models", tmp_path) as server:
        sizes = [float(size) for size in re.findall(r"onward_model_bytes\{.*\} (\d+)", call(server, "GET", "/metrics")[2].decode())]
        assert len(sizes) == 3 and min(sizes) >= 8_000_000
    budget = int((2 * max(sizes) + min(sizes)) / 2 ** 20 - 2)
    assert budget * 2 ** 20 > 2 * max(sizes)
    with serving("--models", tmp_path, "--memory", budget, "--grpc", "0") as server:
        client = triton.InferenceServerClient(server.grpc)
        given = triton.InferInput("x", [1, 3], "FP32")
        given.set_data_from_numpy(values)
        for name in ("a", "b", "c", "a", "c", "b"):
            assert get(server, f"/v2/models/{name}/ready")[0] == 200
            assert post(server, f"/v2/models/{name}/infer", body)[0] == 200
            client.infer(name, [given])
            assert len(post(server, "/v2/repository/index", {"ready": True})[1]) == 2
        status, answer = post(server, "/predict", {"input": [[1, 2, 3]]})
        assert status == 429 and "memory budget" in answer["error"]  # all three at once do not fit
        assert post(server, "/predict", {"input": [[1, 2, 3]], "models": ["a", "c"]})[0] == 200
        client.close()
        assert server.stop() == 0


def test_swaps_under_load(tmp_path):
    """No request fails and none gets an answer of a version that was not served then."""
    folder = tmp_path / "models" / "m"

    def place(version, name):
        (folder / str(version)).mkdir(parents=True)
        (folder / str(version) / "model.onnx").write_bytes((MODELS / f"{name}.onnx").read_bytes())

    place(1, "linear")
    right = {"1": [[3, 5, 7]], "0": [[3, 6, 9]]}  # by the version's parity
    body = json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]})
    with serving("--models", tmp_path / "models", "--admin") as server:
        stop, wrong, count = threading.Event(), [], [0]

        def ask():
            connection = http.client.HTTPConnection(server.address)
            while not stop.is_set():
                connection.request("POST", "/v2/models/m/infer", body)
                response = connection.getresponse()
                answer = json.loads(response.read())
                count[0] += 1
                if response.status != 200:
                    wrong.append(answer)
                elif [answer["outputs"][0]["data"]] != right[str(int(answer["model_version"]) % 2)]:
                    wrong.append(answer)
            connection.close()

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for version in range(2, 42):
            place(version, "linear" if version % 2 else "linear_v2")
            assert post(server, "/v2/repository/models/m/load", {}) == (200, {})
            assert get(server, "/v2/models/m")[1]["versions"] == [str(version)]
        stop.set()
        for thread in threads:
            thread.join()
        assert not wrong and count[0] > 0
        assert server.stop() == 0


def test_slow_clients_get_408_and_are_closed():
    with serving(model("linear"), "--request-timeout", "1") as server:
        host, port = server.address.rsplit(":", 1)
        half_header = b"POST /predict HTTP/1.1\r\nHost: x\r\nConte"
        half_body = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n{\"in"
        for part in (half_header, half_body):
            with socket.create_connection((host, int(port)), timeout=20) as slow:
                slow.sendall(part)
                received = b""
                while piece := slow.recv(65536):
                    received += piece
                assert received.startswith(b"HTTP/1.1 408") and b"did not arrive in time" in received
        assert post(server, "/predict", BODY) == RIGHT
        assert server.stop() == 0


def test_idle_connections_are_closed_without_an_answer():
    with serving(model("linear"), "--idle-timeout", "1", "--request-timeout", "1") as server:
        host, port = server.address.rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=20) as idle:
            idle.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            received = b""
            while piece := idle.recv(65536):
                received += piece
            assert received.count(b"HTTP/1.1") == 1 and b" 200 OK" in received


def test_a_full_disk_while_a_version_is_written(tmp_path):
    """A file that is cut off is reported and displaces nothing; the whole one is served later."""
    def place(version, name, size=None):
        (tmp_path / "m" / version).mkdir(parents=True, exist_ok=True)
        (tmp_path / "m" / version / "model.onnx").write_bytes((MODELS / f"{name}.onnx").read_bytes()[:size])

    place("1", "linear")
    body, load = {"instances": [[1, 2, 3]]}, "/v2/repository/models/m/load"
    with serving("--models", tmp_path, "--admin") as server:
        place("2", "linear_v2", 50)
        status, answer = post(server, load, {})
        assert status == 400 and "not a valid ONNX file" in answer["error"]
        assert post(server, "/v1/models/m:predict", body) == (200, {"predictions": [[3, 5, 7]]})
        place("2", "linear_v2")
        assert post(server, load, {}) == (200, {})
        assert post(server, "/v1/models/m:predict", body) == (200, {"predictions": [[3, 6, 9]]})
