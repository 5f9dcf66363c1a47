"""`onward bench`, and `onward run` over folders and lines."""
import json
import shutil

import numpy as np
from conftest import EXAMPLE, MODELS, onward, serving


def test_bench_measures(tmp_path):
    done = onward("bench", MODELS / "linear.onnx", "--seconds", "0.2", "--clients", 2, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["predictions"] >= 2 and report["clients"] == 2 and report["peak_memory_bytes"] > 1 << 20
    latency = report["latency_milliseconds"]
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["most"]
    assert "throughput" in onward("bench", MODELS / "linear.onnx", "--seconds", "0.1").stdout


def test_bench_measures_a_server():
    with serving(MODELS / "linear.onnx", MODELS / "pair.onnx") as server:
        done = onward("bench", f"{server.url}/v2/models/pair", "--seconds", "0.2", "--clients", 2, "--json")
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert report["predictions"] >= 2 and 0 < report["latency_milliseconds"]["p50"]
        assert "peak_memory_bytes" not in report
        many = onward("bench", server.url)
        assert many.returncode == 1 and "2 models: linear, pair" in many.stderr
        missing = onward("bench", f"{server.url}/v2/models/none")
        assert missing.returncode == 1 and "none" in missing.stderr and "404" in missing.stderr
    with serving(MODELS / "linear.onnx") as server:
        assert "asked in" in onward("bench", server.url, "--seconds", "0.1").stdout
        address = server.url
    gone = onward("bench", address)
    assert gone.returncode == 1 and "is the server running there?" in gone.stderr
    assert onward("bench", MODELS / "linear.onnx", "--header", "a: b").returncode == 1


def test_watch_answers_what_is_there(tmp_path):
    arriving, answers = tmp_path / "arriving", tmp_path / "answers"
    arriving.mkdir()
    for i in (1, 2):
        shutil.copy(EXAMPLE / f"sample{i}.png", arriving)
    watch = ("run", EXAMPLE / "Model.pt2", "--watch", arriving, "-o", answers, "--once")
    done = onward(*watch)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in answers.iterdir()) == ["sample1.npz", "sample2.npz"]
    mask = np.load(answers / "sample1.npz")["predicted mask"]
    expected = np.load(EXAMPLE / "torch_outputs.npz")
    np.testing.assert_allclose(mask, expected[expected.files[0]].reshape(mask.shape), atol=1e-4)
    assert onward(*watch).stdout == ""  # all is answered
    (arriving / "broken.png").write_bytes(b"no picture")
    done = onward(*watch)
    assert done.returncode == 1 and "broken.png" in done.stderr and "1 file could not be answered" in done.stderr


def test_watch_wants_folders(tmp_path):
    model = MODELS / "linear.onnx"
    assert "no folder" in onward("run", model, "--watch", tmp_path / "none", "-o", tmp_path).stderr
    assert "nowhere to write" in onward("run", model, "--watch", tmp_path).stderr
    assert "among what is watched" in onward("run", model, "--watch", tmp_path, "-o", tmp_path).stderr


def test_lines_in_lines_out():
    model = MODELS / "linear.onnx"
    described = json.loads(onward("inspect", model, "--json").stdout)["inputs"][0]
    width = described["shape"][-1]
    rows = [[[float(i + j) for j in range(width)]] for i in range(3)]
    lines = [json.dumps(rows[0]), json.dumps({described["name"]: rows[1]}), "[[oops", "", json.dumps(rows[2])]
    done = onward("run", model, "--stream", input="\n".join(lines) + "\n")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 1 and "1 line could not be answered" in done.stderr
    assert len(answers) == 4 and answers[2]["error"].startswith("line 3: ")
    assert [len(answer["outputs"]) for answer in (answers[0], answers[1], answers[3])] == [1, 1, 1]
