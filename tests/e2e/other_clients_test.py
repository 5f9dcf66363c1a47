"""KServe's and OpenVINO Model Server's own clients, unchanged.

KServe's client pins other versions of what the rest needs: it lives in an environment of its own, made by
`scripts/test_env.sh --kserve`, and is passed over where that is missing.
"""
import os
import pathlib
import subprocess

import numpy as np
import pytest
from conftest import ROOT, model, serving

DEPS = pathlib.Path(os.environ.get("ONWARD_DEPS", pathlib.Path(os.environ.get(
    "XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "onward" / "deps"))

KSERVE = """
import asyncio, sys
import numpy as np
from kserve import InferenceGRPCClient, InferenceRESTClient, InferInput, InferRequest, RESTConfig

def request(binary):
    given = InferInput("x", [1, 3], "FP32")
    given.set_data_from_numpy(np.float32([[1, 2, 3]]), binary_data=binary)
    return InferRequest(model_name="linear", infer_inputs=[given])

async def main(url, address):
    v2 = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await v2.is_server_live(url) and await v2.is_server_ready(url) and await v2.is_model_ready(url, "linear")
    for binary in (False, True):
        answer = await v2.infer(url, request(binary), model_name="linear")
        assert answer.outputs[0].as_numpy().tolist() == [[3, 5, 7]]
    v1 = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await v1.is_model_ready(url, "linear")
    assert await v1.infer(url, {"instances": [[1, 2, 3]]}, model_name="linear") == {"predictions": [[3, 5, 7]]}
    grpc = InferenceGRPCClient(url=address)
    assert await grpc.is_server_live() and await grpc.is_server_ready() and await grpc.is_model_ready("linear")
    assert (await grpc.infer(request(True))).outputs[0].as_numpy().tolist() == [[3, 5, 7]]

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def running():
    with serving("--grpc", "0", model("linear"), model("pair"), model("text")) as server:
        yield server
        assert server.stop() == 0


def test_kserve(running):
    python = DEPS / "kserve-env" / "bin" / "python"
    if not python.exists():
        pytest.skip("scripts/test_env.sh --kserve was not run")
    run = subprocess.run([python, "-c", KSERVE, running.url, running.grpc], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("kind", ["grpc", "http"])
def test_ovmsclient(running, kind):
    ovmsclient = pytest.importorskip("ovmsclient")
    client = {"grpc": lambda: ovmsclient.make_grpc_client(running.grpc),
              "http": lambda: ovmsclient.make_http_client(running.address)}[kind]()
    assert client.get_model_status("linear")[1]["state"] == "AVAILABLE"
    assert client.get_model_metadata("linear")["inputs"]["x"]["shape"] == [-1, 3]
    np.testing.assert_array_equal(client.predict({"x": np.float32([[1, 2, 3]])}, "linear"), [[3, 5, 7]])
    answer = client.predict({"a": np.int64([1, 2]), "b": np.int64([1, 3])}, "pair")
    np.testing.assert_array_equal(answer["total"], [2, 5])
    np.testing.assert_array_equal(answer["same"], [True, False])
    with pytest.raises(ovmsclient.tfs_compat.base.errors.ModelNotFoundError):
        client.predict({"x": np.float32([[1, 2, 3]])}, "nothing")
