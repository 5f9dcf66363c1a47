"""TLS on both protocols, client certificates, and what SIGHUP changes, with real clients."""
import http.client
import json
import signal
import ssl
import subprocess
import time

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from conftest import model, onward, serving
from http_test import post

BODY = json.dumps({"input": [[1, 2, 3]]})


def openssl(*arguments):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


class Authority:
    """A certificate authority in a folder, and what it signed."""

    def __init__(self, folder, name="ca"):
        self.folder = folder
        self.key, self.cert = folder / f"{name}.key", folder / f"{name}.pem"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.cert, "-days", "2",
                "-subj", f"/CN={name}")

    def sign(self, name):
        key, request, cert = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        names = self.folder / "names"
        names.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", request, "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial", "-days", "2",
                "-extfile", names, "-out", cert)
        return cert, key


def https(server, authority, client=None):
    context = ssl.create_default_context(cafile=authority.cert)
    if client:
        context.load_cert_chain(*client)
    connection = http.client.HTTPSConnection(server.address, context=context, timeout=10)
    connection.connect()
    return connection


def predict(connection, headers={}):
    connection.request("POST", "/predict", BODY, headers)
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def grpc_infer(server, authority, client=None):
    kwargs = {}
    if client:
        kwargs = {"certificate_chain": str(client[0]), "private_key": str(client[1])}
    port = server.grpc.rsplit(":", 1)[1]
    with triton.InferenceServerClient(f"localhost:{port}", ssl=True, root_certificates=str(authority.cert), **kwargs) as asker:
        given = triton.InferInput("x", [1, 3], "FP32")
        given.set_data_from_numpy(np.float32([[1, 2, 3]]))
        return asker.infer("linear", [given], client_timeout=10).as_numpy("y").tolist()


def test_client_certificates_on_both_protocols(tmp_path):
    ours = Authority(tmp_path)
    (tmp_path / "other").mkdir()
    stranger = Authority(tmp_path / "other", "stranger").sign("client")
    cert, key = ours.sign("server")
    client = ours.sign("client")
    with serving(model("linear"), "--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ours.cert, "--grpc", "0") as server:
        connection = https(server, ours, client)
        assert predict(connection)[0] == 200
        connection.close()
        assert grpc_infer(server, ours, client) == [[3, 5, 7]]
        for wrong in (None, stranger):
            with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
                predict(https(server, ours, wrong))
            with pytest.raises((grpc.RpcError, triton.InferenceServerException)):
                grpc_infer(server, ours, wrong)
        assert server.stop() == 0


@pytest.mark.parametrize("given", [("--tls-key",), ("--tls-cert",), ("--tls-client-ca",), ("--tls-cert", "--tls-client-ca")])
def test_half_of_tls_is_refused(given, tmp_path):
    ours = Authority(tmp_path)
    cert, key = ours.sign("server")
    files = {"--tls-cert": cert, "--tls-key": key, "--tls-client-ca": ours.cert}
    run = onward("serve", model("linear"), "--http", "0", *(part for option in given for part in (option, files[option])))
    assert run.returncode == 1 and "TLS wants both a certificate and its key" in run.stderr


def test_the_file_of_tls_that_fails_is_named(tmp_path):
    ours = Authority(tmp_path)
    cert, key = ours.sign("server")
    other = ours.sign("other")[1]
    for files, word in [((cert, other, ours.cert), "other.key"), ((tmp_path / "none.pem", key, ours.cert), "none.pem"),
                        ((cert, key, tmp_path / "nobody.pem"), "nobody.pem")]:
        options = zip(("--tls-cert", "--tls-key", "--tls-client-ca"), files)
        run = onward("serve", model("linear"), "--http", "0", *(part for pair in options for part in pair))
        assert run.returncode == 1 and word in run.stderr


def test_keys_with_line_ends_of_windows(tmp_path):
    keys = tmp_path / "keys"
    keys.write_bytes(b"infer secret\r\n\r\n# nobody\r\n")
    with serving(model("linear"), "--keys", keys) as server:
        connection = http.client.HTTPConnection(server.address, timeout=10)
        assert predict(connection, {"X-API-Key": "secret"})[0] == 200
        assert predict(connection, {"X-API-Key": "other"})[0] == 401


def served_certificate(server):
    host, port = server.address.rsplit(":", 1)
    return ssl.get_server_certificate((host, int(port)))


def until(condition):
    for _ in range(150):
        if condition():
            return
        time.sleep(0.1)
    pytest.fail("it did not happen")


def test_sighup_brings_new_keys_and_certificates(tmp_path):
    ours = Authority(tmp_path)
    cert, key = ours.sign("server")
    keys = tmp_path / "keys"
    keys.write_text("infer old\n")
    with serving(model("linear"), "--tls-cert", cert, "--tls-key", key, "--keys", keys, "--grpc", "0") as server:
        open_before = https(server, ours)
        assert predict(open_before, {"X-API-Key": "old"})[0] == 200
        first = served_certificate(server)
        ours.sign("server")  # in place
        keys.write_text("infer new\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: served_certificate(server) != first)
        assert predict(open_before, {"X-API-Key": "new"})[0] == 200, "on the connection that was open"
        assert predict(open_before, {"X-API-Key": "old"})[0] == 401
        assert predict(https(server, ours), {"X-API-Key": "new"})[0] == 200

        def grpc_certificate():
            host, port = server.grpc.rsplit(":", 1)
            return ssl.get_server_certificate((host, int(port)))
        until(lambda: grpc_certificate() == served_certificate(server))

        # What can't be read changes nothing.
        keys.write_text("nonsense\n")
        cert.write_text("nonsense\n")
        server.process.send_signal(signal.SIGHUP)
        for _ in range(10):
            assert predict(open_before, {"X-API-Key": "new"})[0] == 200
        assert predict(https(server, ours), {"X-API-Key": "new"})[0] == 200
        open_before.close()
        assert server.stop() == 0
        assert '"kept":"the API keys"' in server.process.stderr.read()


def test_sighup_finds_new_models(tmp_path):
    from conftest import MODELS
    (tmp_path / "linear.onnx").write_bytes((MODELS / "linear.onnx").read_bytes())
    with serving("--models", tmp_path) as server:
        body = {"input": [[1, 2, 3]], "models": ["second"]}
        assert post(server, "/predict", body)[0] == 404
        (tmp_path / "second.onnx").write_bytes((MODELS / "linear_v2.onnx").read_bytes())
        server.process.send_signal(signal.SIGHUP)
        until(lambda: post(server, "/predict", body) == (200, {"second_prediction": [[3, 6, 9]]}))


def test_wrong_usage_is_told_apart():
    assert onward("serve").returncode == 2
    run = onward("serve", "--http", "0")
    assert run.returncode == 2 and "nothing to serve" in run.stderr
    assert onward("serve", "--request-timeout", "0", "x.onnx").returncode == 2
