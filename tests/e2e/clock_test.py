"""The wall clock may jump: nothing that is timed goes by it."""
import http.client
import json
import pathlib
import subprocess

import tritonclient.grpc as triton
from conftest import model, serving
from http_test import post

YEAR = 365 * 86400


def test_the_clock_jumps(tmp_path, monkeypatch):
    shim, offset = tmp_path / "shim.so", tmp_path / "offset"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim, pathlib.Path(__file__).with_name("clock_shim.c"), "-ldl"],
                   check=True)
    offset.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(shim))
    monkeypatch.setenv("CLOCK_OFFSET", str(offset))
    with serving(model("linear"), model("slow"), "--grpc", "0", "--poll", "1", "--access-log") as server:
        monkeypatch.delenv("LD_PRELOAD")
        connection = http.client.HTTPConnection(server.address, timeout=30)
        client = triton.InferenceServerClient(server.grpc)
        for seconds in (0, YEAR, -YEAR, 0):
            offset.write_text(str(seconds))
            connection.request("POST", "/predict", json.dumps({"input": [[1, 2, 3]], "models": ["linear"]}))
            assert json.loads(connection.getresponse().read()) == {"linear_prediction": [[3, 5, 7]]}
            body = {"inputs": [{"name": "x", "shape": [200, 200], "datatype": "FP32", "data": [0.5] * 40_000}],
                    "parameters": {"timeout": 200_000}}
            assert post(server, "/v2/models/slow/infer", body)[0] == 504
            assert client.is_server_live(client_timeout=20)
        connection.close()
        client.close()
        assert server.stop() == 0
        years = {json.loads(line)["time"][:4] for line in server.process.stderr.read().splitlines()}
        assert len(years) == 3, "the shim works"
