"""What can be seen from outside: metrics, logs, traces, settings."""
import contextlib
import http.server
import json
import signal
import ssl
import threading
import time

from conftest import model, serving
from http_test import call, get, post
from security_test import Authority

BODY = {"input": [[1, 2, 3]]}


@contextlib.contextmanager
def collector(certificate=None):
    """An OpenTelemetry collector, with TLS where there is a certificate; yields its address and the list of spans that it got."""
    spans, arrived = [], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            spans.extend(body["resourceSpans"][0]["scopeSpans"][0]["spans"])
            self.send_response(200)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            pass

    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        listener.socket = context.wrap_socket(listener.socket, server_side=True)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    yield f"{'https' if certificate else 'http'}://127.0.0.1:{listener.server_port}/v1/traces", spans, arrived
    listener.shutdown()
    listener.server_close()


def test_traces_reach_the_collector():
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with collector() as (address, spans, arrived), serving(model("linear"), "--otlp", address) as server:
        assert post(server, "/predict", BODY, {"traceparent": parent})[0] == 200
        assert arrived.wait(20)
        assert (spans[0]["traceId"], spans[0]["parentSpanId"]) == (parent[3:35], parent[36:52])
        assert spans[0]["name"] == "POST /predict" and int(spans[0]["endTimeUnixNano"]) > int(spans[0]["startTimeUnixNano"])
        assert server.stop() == 0


def test_traces_reach_a_collector_with_tls(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.cert))
    with collector(authority.sign("collector")) as (address, spans, arrived), serving(model("linear"), "--otlp", address) as server:
        assert post(server, "/predict", BODY)[0] == 200
        assert arrived.wait(20) and spans[0]["name"] == "POST /predict"
        assert server.stop() == 0


def test_a_collector_that_is_away_changes_nothing():
    with serving(model("linear"), "--otlp", "http://127.0.0.1:9/v1/traces") as server:
        for _ in range(20):
            assert post(server, "/predict", BODY)[0] == 200
        assert server.stop() == 0


def test_settings_change_while_it_runs():
    with serving(model("linear"), "--admin") as server:
        assert get(server, "/v2/logging")[1]["log_verbose_level"] == 0
        assert post(server, "/v2/logging", {"log_verbose_level": 1})[1]["log_verbose_level"] == 1
        assert post(server, "/predict", BODY, {"traceparent": "x\"y"})[0] == 200
        assert post(server, "/v2/logging", {"log_verbose_level": 0})[0] == 200
        assert post(server, "/v2/logging", {"log_file": "/tmp/x"})[0] == 501
        assert post(server, "/v2/logging", {"log_everything": True})[0] == 400
        assert get(server, "/v2/trace/setting")[1]["trace_level"] == ["OFF"]
        assert post(server, "/v2/trace/setting", {"trace_level": ["TIMESTAMPS"]})[0] == 400
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.process.stderr]
        requests = [line for line in lines if line["level"] == "request"]
        predict = next(line for line in requests if line["path"] == "/predict")
        assert predict["status"] == 200 and predict["ms"] > 0 and predict["traceparent"] == 'x"y'


def test_the_access_log_has_grpc_too():
    import tritonclient.grpc as triton
    with serving(model("linear"), "--grpc", "0", "--access-log") as server:
        client = triton.InferenceServerClient(server.grpc)
        assert client.is_server_live()
        client.close()
        assert server.stop() == 0
        lines = [json.loads(line) for line in server.process.stderr]
        assert any(line.get("path") == "/inference.GRPCInferenceService/ServerLive" for line in lines)


def test_metrics_and_server_timing(server):
    status, response, _ = call(server, "POST", "/predict", {"input": [[1, 2, 3]], "models": ["linear"]})
    assert status == 200 and 'infer;desc="linear";dur=' in response.headers["Server-Timing"]
    body = {"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}]}
    assert "infer;dur=" in call(server, "POST", "/v2/models/linear/infer", body)[1].headers["Server-Timing"]
    text = call(server, "GET", "/metrics")[2].decode()
    families = set()
    for line in text.splitlines():  # the exposition format, as Prometheus reads it
        if line.startswith("# TYPE "):
            families.add(line.split()[2])
        elif not line.startswith("#"):
            name = line.split("{")[0].split()[0]
            assert name in families or name.rsplit("_", 1)[0] in families, line
            float(line.rsplit(" ", 1)[1])
    assert {"onward_request_duration_seconds", "nv_inference_request_success", "process_cpu_seconds_total"} <= families
    assert 'onward_model_ready{model="linear",version="1"} 1' in text


def test_sighup_reads_the_folder_again(tmp_path):
    from conftest import MODELS
    (tmp_path / "a.onnx").write_bytes((MODELS / "linear.onnx").read_bytes())
    with serving("--models", tmp_path) as server:
        (tmp_path / "b.onnx").write_bytes((MODELS / "linear.onnx").read_bytes())
        server.process.send_signal(signal.SIGHUP)
        # Loading waits for a processor that has nothing else to do.
        deadline = time.monotonic() + 60
        while get(server, "/v2/models")[1] != {"models": ["a", "b"]}:
            assert time.monotonic() < deadline, "the new model was not found"
            time.sleep(0.02)
        assert server.stop() == 0
