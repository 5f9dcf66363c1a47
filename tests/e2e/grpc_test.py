"""gRPC: Triton's own client, and stubs made from the server's .proto files for the other services."""
import pathlib
import subprocess
import threading

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from conftest import MODELS, ONWARD, model, serving
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

PROTOS = pathlib.Path(__file__).resolve().parents[2] / "src" / "server" / "grpc" / "proto"
TYPES = {"same_bool": np.bool_, "same_u8": np.uint8, "same_i8": np.int8, "same_u16": np.uint16, "same_i16": np.int16,
         "same_u32": np.uint32, "same_i32": np.int32, "same_u64": np.uint64, "same_i64": np.int64,
         "same_f16": np.float16, "same_f64": np.float64}


@pytest.fixture(scope="module")
def grpc_server():
    names = [path.stem for path in sorted(MODELS.glob("*.onnx")) if path.stem not in ("linear_v2", "cnn", "wide")]
    with serving("--grpc", "0", *[model(name) for name in names]) as running:
        yield running
        assert running.stop() == 0


@pytest.fixture(scope="module")
def client(grpc_server):
    client = triton.InferenceServerClient(grpc_server.grpc)
    yield client
    client.close()


@pytest.fixture(scope="module")
def stubs(tmp_path_factory, grpc_server):
    """call(method, message_in, message_out, **fields) over messages of our own .proto files."""
    out = tmp_path_factory.mktemp("protos") / "all.pb"
    subprocess.run(["protoc", f"--proto_path={PROTOS}", "--include_imports", f"--descriptor_set_out={out}",
                    *map(str, PROTOS.glob("*.proto"))], check=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file:
        pool.Add(file)
    message = lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(name))
    channel = grpc.insecure_channel(grpc_server.grpc)

    def unary(method, request, response):
        return channel.unary_unary(method, request_serializer=lambda m: m.SerializeToString(),
                                   response_deserializer=message(response).FromString)(request, timeout=20)

    unary.message, unary.channel = message, channel
    yield unary
    channel.close()


def tensor(name, values):
    given = triton.InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
    given.set_data_from_numpy(values)
    return given


@pytest.mark.parametrize("name", TYPES)
def test_types(client, name):
    values = np.array([0, 1, 1]).astype(TYPES[name])
    np.testing.assert_array_equal(client.infer(name, [tensor("x", values)]).as_numpy("y"), values)


def test_text_ids_and_order(client):
    words = np.array(["grün".encode(), b""], dtype=object)
    np.testing.assert_array_equal(client.infer("text", [tensor("words", words)]).as_numpy("same"), words)
    a, b = np.array([1, 2]), np.array([1, 5])
    result = client.infer("pair", [tensor("b", b), tensor("a", a)], request_id="42",
                          outputs=[triton.InferRequestedOutput("same"), triton.InferRequestedOutput("total")])
    assert result.get_response().id == "42"
    np.testing.assert_array_equal(result.as_numpy("total"), [2, 7])
    np.testing.assert_array_equal(result.as_numpy("same"), [True, False])


def test_classification_and_large_tensors(client):
    values = np.float32([[1] + [0] * 9])
    result = client.infer("ten", [tensor("features", values)],
                          outputs=[triton.InferRequestedOutput("scores", class_count=1)])
    assert result.as_numpy("scores").item().decode().endswith(":2")
    rows = np.arange(3 * 500_000, dtype=np.float32).reshape(-1, 3) % 1000
    np.testing.assert_array_equal(client.infer("linear", [tensor("x", rows)]).as_numpy("y"), rows * 2 + 1)
    result = client.infer("linear", [tensor("x", rows[:100])], compression_algorithm="gzip")
    np.testing.assert_array_equal(result.as_numpy("y"), rows[:100] * 2 + 1)


def test_errors_have_their_status(client):
    def status(action):
        with pytest.raises(InferenceServerException) as caught:
            action()
        return caught.value.status(), caught.value.message()

    assert status(lambda: client.infer("nothing", [tensor("x", np.float32([1]))]))[0] == "StatusCode.NOT_FOUND"
    code, text = status(lambda: client.infer("linear", [tensor("x", np.array([[1, 2, 3]]))]))
    assert code == "StatusCode.INVALID_ARGUMENT" and "must be float32" in text
    assert status(lambda: client.infer("linear", []))[1] == 'input "x" is missing'
    assert status(lambda: client.unload_model("linear"))[0] == "StatusCode.PERMISSION_DENIED"
    slow = tensor("x", np.full((300, 300), 0.5, np.float32))
    assert status(lambda: client.infer("slow", [slow], timeout=200_000))[0] == "StatusCode.DEADLINE_EXCEEDED"
    assert status(lambda: client.infer("slow", [slow], client_timeout=0.3))[0] == "StatusCode.DEADLINE_EXCEEDED"


def test_management(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("linear")
    assert client.get_server_metadata().name == "onward"
    metadata = client.get_model_metadata("linear")
    assert metadata.inputs[0].datatype == "FP32" and list(metadata.inputs[0].shape) == [-1, 3]
    config = client.get_model_config("linear").config
    assert config.max_batch_size == 32 and list(config.input[0].dims) == [3] and config.input[0].data_type == 11
    index = {entry.name: entry.state for entry in client.get_model_repository_index().models}
    assert index["linear"] == "READY"
    client.infer("linear", [tensor("x", np.float32([[1, 2, 3]]))])
    statistics = client.get_inference_statistics("linear").model_stats[0]
    assert statistics.inference_stats.success.count >= 1 and statistics.last_inference > 0
    assert client.get_log_settings().settings["log_info"].bool_param
    assert client.get_trace_settings().settings["trace_level"].value[0] == "OFF"
    with pytest.raises(InferenceServerException, match="--admin"):
        client.update_log_settings({"log_info": False})


def test_streaming(client):
    answers = []
    client.start_stream(callback=lambda result, error: answers.append((result, error)))
    for i in range(200):
        client.async_stream_infer("linear", [tensor("x", np.float32([[i, i, i]]))], request_id=str(i))
    client.async_stream_infer("linear", [tensor("x", np.int64([[1, 2, 3]]))], request_id="bad")
    client.async_stream_infer("linear", [tensor("x", np.float32([[7, 7, 7]]))], request_id="last",
                              enable_empty_final_response=True)
    client.stop_stream()
    good = {r.get_response().id: r for r, e in answers if e is None}
    assert len(good) == 201
    for i in range(200):
        np.testing.assert_array_equal(good[str(i)].as_numpy("y"), np.float32([[2 * i + 1] * 3]))
    assert good["last"].get_response().parameters["triton_final_response"].bool_param
    errors = [e for r, e in answers if e is not None]
    assert len(errors) == 1 and "must be float32" in str(errors[0])


def test_contents_instead_of_raw(stubs):
    request = stubs.message("inference.ModelInferRequest")(model_name="same_i16")
    given = request.inputs.add(name="x", datatype="INT16", shape=[2])
    given.contents.int_contents.extend([-5, 7])
    call = lambda: stubs("/inference.GRPCInferenceService/ModelInfer", request, "inference.ModelInferResponse")
    assert call().raw_output_contents[0] == np.int16([-5, 7]).tobytes()
    given.contents.int_contents[0] = 40000
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "does not fit int16" in caught.value.details()
    request.raw_input_contents.append(b"1234")
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert "beside raw_input_contents" in caught.value.details()
    del request.raw_input_contents[:]
    given.shape[0] = 2**62
    given.shape.append(4)
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_health(stubs):
    request = stubs.message("grpc.health.v1.HealthCheckRequest")
    check = lambda name: stubs("/grpc.health.v1.Health/Check", request(service=name),
                               "grpc.health.v1.HealthCheckResponse").status
    assert [check(name) for name in ("", "inference.GRPCInferenceService", "linear")] == [1, 1, 1]
    with pytest.raises(grpc.RpcError) as caught:
        check("nothing")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_watching_health_hears_of_the_stop(stubs):
    with serving("--grpc", "0", model("linear")) as server, grpc.insecure_channel(server.grpc) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch", request_serializer=lambda m: m.SerializeToString(),
                                     response_deserializer=stubs.message("grpc.health.v1.HealthCheckResponse").FromString)
        states = watch(stubs.message("grpc.health.v1.HealthCheckRequest")())
        assert next(states).status == 1
        server.process.terminate()
        assert next(states).status == 2
        with pytest.raises(grpc.RpcError, match="stopping"):
            next(states)
        assert server.process.wait(timeout=20) == 0


def test_an_idle_stream_does_not_hold_up_the_stop():
    with serving("--grpc", "0", model("linear")) as server:
        client = triton.InferenceServerClient(server.grpc)
        answered = threading.Event()
        client.start_stream(callback=lambda result, error: answered.set())
        client.async_stream_infer("linear", [tensor("x", np.float32([[1, 2, 3]]))])
        assert answered.wait(20)
        server.process.terminate()
        assert server.process.wait(timeout=10) == 0
        client.close()


def test_reflection(stubs):
    request = stubs.message("grpc.reflection.v1alpha.ServerReflectionRequest")
    response = stubs.message("grpc.reflection.v1alpha.ServerReflectionResponse")
    for version in ("v1", "v1alpha"):
        ask = stubs.channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                                          request_serializer=lambda m: m.SerializeToString(),
                                          response_deserializer=response.FromString)
        services, file, missing = ask(iter([request(list_services="*"),
                                            request(file_containing_symbol="inference.GRPCInferenceService.ModelInfer"),
                                            request(file_by_filename="nothing.proto")]))
        names = {service.name for service in services.list_services_response.service}
        assert {"inference.GRPCInferenceService", "tensorflow.serving.PredictionService"} <= names
        assert file.file_descriptor_response.file_descriptor_proto
        assert missing.error_response.error_code == 5


def test_unknown_method(stubs):
    with pytest.raises(grpc.RpcError) as caught:
        stubs("/no.Such/Method", stubs.message("inference.ServerLiveRequest")(), "inference.ServerLiveResponse")
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED
    damaged = stubs.channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
    with pytest.raises(grpc.RpcError) as caught:
        damaged(b"\xff\xff\xff", timeout=10)
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


TF = "tensorflow.serving."


def tf_tensor(proto, values):
    types = {np.float32: 1, np.int64: 9}
    proto.dtype = types[values.dtype.type]
    for size in values.shape:
        proto.tensor_shape.dim.add(size=size)
    proto.tensor_content = values.tobytes()


def test_tensorflow_predict(stubs):
    request = stubs.message(TF + "PredictRequest")()
    request.model_spec.name = "pair"
    tf_tensor(request.inputs["a"], np.int64([1, 2]))
    request.inputs["b"].dtype = 9
    request.inputs["b"].tensor_shape.dim.add(size=2)
    request.inputs["b"].int64_val.append(1)  # one value fills the shape
    call = lambda: stubs(f"/{TF}PredictionService/Predict", request, TF + "PredictResponse")
    response = call()
    assert response.model_spec.name == "pair" and response.model_spec.version.value == 1
    assert response.outputs["total"].tensor_content == np.int64([2, 3]).tobytes()
    assert response.outputs["same"].tensor_content == bytes([1, 0])
    request.output_filter.append("total")
    assert list(call().outputs) == ["total"]
    request.model_spec.version.value = 7
    with pytest.raises(grpc.RpcError) as caught:
        call()
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_tensorflow_examples(stubs):
    request = stubs.message(TF + "ClassificationRequest")()
    request.model_spec.name = "ten"
    example = request.input.example_list.examples.add()
    example.features.feature["features"].float_list.value.extend([1] + [0] * 9)
    result = stubs(f"/{TF}PredictionService/Classify", request, TF + "ClassificationResponse").result
    assert [each.label for each in result.classifications[0].classes] == ["0", "1", "2"]
    tasks = stubs.message(TF + "MultiInferenceRequest")(input=request.input)
    tasks.tasks.add(method_name="tensorflow/serving/classify").model_spec.name = "ten"
    results = stubs(f"/{TF}PredictionService/MultiInference", tasks, TF + "MultiInferenceResponse").results
    assert len(results[0].classification_result.classifications) == 1
    tasks.tasks.add(method_name="tensorflow/serving/regress").model_spec.name = "ten"
    with pytest.raises(grpc.RpcError, match="no regression of 1 example"):
        stubs(f"/{TF}PredictionService/MultiInference", tasks, TF + "MultiInferenceResponse")
    numbers = stubs.message(TF + "RegressionRequest")()
    numbers.model_spec.name = "divide"
    for value in (1, -1):
        numbers.input.example_list.examples.add().features.feature["x"].float_list.value.append(value)
    regressions = stubs(f"/{TF}PredictionService/Regress", numbers, TF + "RegressionResponse").result.regressions
    assert [each.value for each in regressions] == [float("inf"), -float("inf")]
    example.features.feature["features"].float_list.value.append(1)
    with pytest.raises(grpc.RpcError, match="has 11 values"):
        stubs(f"/{TF}PredictionService/Classify", request, TF + "ClassificationResponse")


def test_tensorflow_models(stubs):
    request = stubs.message(TF + "GetModelMetadataRequest")(metadata_field=["signature_def"])
    request.model_spec.name = "linear"
    response = stubs(f"/{TF}PredictionService/GetModelMetadata", request, TF + "GetModelMetadataResponse")
    signatures = stubs.message(TF + "SignatureDefMap")()
    assert response.metadata["signature_def"].Unpack(signatures)
    value = signatures.signature_def["serving_default"].inputs["x"]
    assert value.dtype == 1 and [dim.size for dim in value.tensor_shape.dim] == [-1, 3]
    request = stubs.message(TF + "GetModelStatusRequest")()
    request.model_spec.name = "linear"
    response = stubs(f"/{TF}ModelService/GetModelStatus", request, TF + "GetModelStatusResponse")
    assert response.model_version_status[0].state == 30
    request.model_spec.name = "nothing"
    with pytest.raises(grpc.RpcError) as caught:
        stubs(f"/{TF}ModelService/GetModelStatus", request, TF + "GetModelStatusResponse")
    assert caught.value.code() == grpc.StatusCode.NOT_FOUND


def test_keys_and_loading(tmp_path):
    keys = tmp_path / "keys"
    keys.write_text("infer abc\nadmin xyz\n")
    with serving("--grpc", "0", model("linear"), "--admin", "--keys", keys) as server:
        client = triton.InferenceServerClient(server.grpc)
        values = [tensor("x", np.float32([[1, 2, 3]]))]
        with pytest.raises(InferenceServerException, match="API key"):
            client.infer("linear", values)
        good = {"authorization": "Bearer abc"}
        np.testing.assert_array_equal(client.infer("linear", values, headers=good).as_numpy("y"), [[3, 5, 7]])
        with pytest.raises(InferenceServerException, match="may not manage"):
            client.unload_model("linear", headers=good)
        admin = {"x-api-key": "xyz"}
        client.unload_model("linear", headers=admin)
        assert not client.is_model_ready("linear")
        client.load_model("linear", headers=admin)
        assert client.is_model_ready("linear")
        client.update_log_settings({"log_verbose_level": 1}, headers=admin)
        assert client.get_log_settings(headers=admin).settings["log_verbose_level"].uint32_param == 1
        client.close()


def test_the_grpc_port_in_use(grpc_server):
    port = grpc_server.grpc.rsplit(":", 1)[1]
    run = subprocess.run([ONWARD, "serve", model("linear"), "--http", "0", "--grpc", port], capture_output=True,
                         text=True, timeout=20)
    assert run.returncode == 1 and "for gRPC: the port is in use" in run.stderr
