"""Triton's own REST client, unchanged."""
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

TYPES = {"same_bool": np.bool_, "same_u8": np.uint8, "same_i8": np.int8, "same_u16": np.uint16, "same_i16": np.int16,
         "same_u32": np.uint32, "same_i32": np.int32, "same_u64": np.uint64, "same_i64": np.int64,
         "same_f16": np.float16, "same_f64": np.float64}


@pytest.fixture(scope="module")
def client(server):
    client = triton.InferenceServerClient(server.address)
    yield client
    client.close()


def tensor(name, values, binary=True):
    given = triton.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    given.set_data_from_numpy(values, binary_data=binary)
    return given


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("binary", [True, False])
def test_types(client, name, binary):
    values = np.array([0, 1, 1]).astype(TYPES[name])
    if not binary and values.dtype == np.float16:
        pytest.skip("the client refuses FP16 in JSON")
    result = client.infer(name, [tensor("x", values, binary)],
                          outputs=[triton.InferRequestedOutput("y", binary_data=binary)])
    np.testing.assert_array_equal(result.as_numpy("y"), values)


@pytest.mark.parametrize("binary", [True, False])
def test_text(client, binary):
    words = np.array(["grün".encode(), b""], dtype=object)
    result = client.infer("text", [tensor("words", words, binary)],
                          outputs=[triton.InferRequestedOutput("same", binary_data=binary)])
    assert [w.encode() if isinstance(w, str) else w for w in result.as_numpy("same")] == list(words)


def test_defaults_and_ids(client):
    a, b = np.array([1, 2]), np.array([1, 5])
    result = client.infer("pair", [tensor("b", b), tensor("a", a)], request_id="42")
    assert result.get_response()["id"] == "42"
    np.testing.assert_array_equal(result.as_numpy("total"), [2, 7])
    np.testing.assert_array_equal(result.as_numpy("same"), [True, False])


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_compression(client, algorithm):
    values = np.tile(np.float32([1, 2, 3]), (500, 1))
    result = client.infer("linear", [tensor("x", values)], request_compression_algorithm=algorithm,
                          response_compression_algorithm=algorithm)
    np.testing.assert_array_equal(result.as_numpy("y"), values * 2 + 1)


def test_classification(client):
    values = np.float32([[1] + [0] * 9])
    result = client.infer("ten", [tensor("features", values)],
                          outputs=[triton.InferRequestedOutput("scores", class_count=1)])
    assert result.as_numpy("scores").item().decode().endswith(":2")


def test_errors(client):
    with pytest.raises(InferenceServerException, match="must be float32"):
        client.infer("linear", [tensor("x", np.array([[1, 2, 3]]))])
    with pytest.raises(InferenceServerException, match="there is no model"):
        client.infer("nothing", [tensor("x", np.float32([1]))])


def test_management(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("linear")
    assert not client.is_model_ready("nothing")
    assert client.get_server_metadata()["name"] == "onward"
    assert client.get_model_metadata("linear")["inputs"][0]["shape"] == [-1, 3]
    assert client.get_model_config("linear")["max_batch_size"] == 32
    assert client.get_model_config("centred")["max_batch_size"] == 0  # its rows are not independent
    assert {"name": "linear", "version": "1", "state": "READY", "reason": ""} in client.get_model_repository_index()
    statistics = client.get_inference_statistics("linear")["model_stats"][0]
    assert statistics["inference_stats"]["success"]["count"] >= 1
    with pytest.raises(InferenceServerException, match="--admin"):
        client.unload_model("linear")


def test_many_at_once(client, server):
    parallel = triton.InferenceServerClient(server.address, concurrency=8)
    pending = [(i, parallel.async_infer("linear", [tensor("x", np.float32([[i, i, i]]))])) for i in range(40)]
    for i, answer in pending:
        np.testing.assert_array_equal(answer.get_result().as_numpy("y"), np.float32([[2 * i + 1] * 3]))
    parallel.close()
