"""Runs the built `onward`, and starts `onward serve` on a free port for a test."""
import contextlib
import os
import pathlib
import re
import signal
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ONWARD = os.environ.get("ONWARD", str(ROOT / "build" / "release" / "onward"))
MODELS = ROOT / "tests" / "fixtures" / "models"
EXAMPLE = ROOT / "examples" / "segmentation"


def onward(*arguments, **options):
    """Runs the program to its end."""
    return subprocess.run([ONWARD, *map(str, arguments)], capture_output=True, text=True, timeout=300, **options)


class Server:
    def __init__(self, *arguments, program=(ONWARD,)):
        port = [] if "--http" in arguments else ["--http", "0"]
        self.process = subprocess.Popen([*map(str, program), "serve", *port, *map(str, arguments)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.output = ""
        for line in self.process.stdout:
            self.output += line
            found = re.search(r"serving .* on (https?)://([^ ]+) ", line)
            if found:
                self.scheme, self.address = found.groups()
                grpc = re.search(r"gRPC on ([^ ]+) ", line)
                self.grpc = grpc.group(1) if grpc else None
                return
        raise RuntimeError(self.process.stderr.read())

    @property
    def url(self):
        return f"{self.scheme}://{self.address}"

    def stop(self):
        """Ends it gracefully; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=20)


@contextlib.contextmanager
def serving(*arguments, **options):
    server = Server(*arguments, **options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        server.process.stdout.close()
        server.process.stderr.close()


def model(name, file=None):
    return f"{name}={MODELS / ((file or name) + '.onnx')}"


@pytest.fixture(scope="module")
def server():
    names = [path.stem for path in sorted(MODELS.glob("*.onnx")) if path.stem not in ("linear_v2", "slow", "cnn", "wide")]
    with serving(*[model(name) for name in names]) as running:
        yield running
        assert running.stop() == 0
