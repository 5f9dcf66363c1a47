"""KServe's and OpenVINO Model Server's own clients, unchanged.

They pin other versions of what the rest needs: they live in an environment of their own, made by
`scripts/test_env.sh --clients`, and are passed over where that is missing.
"""
import os
import pathlib
import subprocess

import pytest
from conftest import model, serving

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache"))
PYTHON = pathlib.Path(os.environ.get("ONWARD_DEPS", CACHE / "onward" / "deps")) / "clients-env" / "bin" / "python"

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


OVMS = """
import sys
import numpy as np
import ovmsclient

for client in ovmsclient.make_http_client(sys.argv[1].split("//")[1]), ovmsclient.make_grpc_client(sys.argv[2]):
    assert client.get_model_status("linear")[1]["state"] == "AVAILABLE"
    assert client.get_model_metadata("linear")["inputs"]["x"]["shape"] == [-1, 3]
    assert client.predict({"x": np.float32([[1, 2, 3]])}, "linear").tolist() == [[3, 5, 7]]
    answer = client.predict({"a": np.int64([1, 2]), "b": np.int64([1, 3])}, "pair")
    assert answer["total"].tolist() == [2, 5] and answer["same"].tolist() == [True, False]
    try:
        client.predict({"x": np.float32([[1, 2, 3]])}, "nothing")
        sys.exit("no error for an unknown model")
    except ovmsclient.tfs_compat.base.errors.ModelNotFoundError:
        pass
"""


@pytest.mark.parametrize("script", [KSERVE, OVMS], ids=["kserve", "ovmsclient"])
def test_client(script):
    if not PYTHON.exists():
        pytest.skip("scripts/test_env.sh --clients was not run")
    with serving("--grpc", "0", model("linear"), model("pair")) as server:
        run = subprocess.run([PYTHON, "-c", script, server.url, server.grpc], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        assert server.stop() == 0
