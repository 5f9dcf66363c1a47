#!/usr/bin/env python3
"""What a whole server process shows: the start, memory, many models, swaps. Needs only Python's standard library.

    bench/server_bench.py ONWARD FIXTURES [--requests N] [--swaps N]
"""
import argparse
import array
import contextlib
import http.client
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time


@contextlib.contextmanager
def serving(onward, *arguments):
    process = subprocess.Popen([onward, "serve", "--http", "0", *map(str, arguments)], stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:
            found = re.search(r"serving .* on http://([^ ]+) ", line)
            if found:
                break
        process.address = found.group(1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


def report(what, value, wanted, met):
    print(f"{what:<66} {value:>26}  (wanted: {wanted}){'' if met else '  MISSED'}", flush=True)


def post(connection, path, body, headers={}):
    connection.request("POST", path, body, headers)
    response = connection.getresponse()
    answer = response.read()
    return response.status, answer


def infer_body(values=(1, 2, 3)):
    return json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": list(values)}]})


def right_status(status, answer):
    return status == 200


class Clients:
    """Closed-loop clients in a process of their own, so that nobody's interpreter lock is measured: each request's time, and how
    many answers `right` did not like."""

    def __init__(self, address, paths, body, count=2, right=right_status):
        self.times, self.wrong = [], 0
        self.stopped = multiprocessing.Event()
        self.results = multiprocessing.SimpleQueue()
        self.processes = [multiprocessing.Process(target=self.run, args=(address, paths, body, right)) for _ in range(count)]
        for process in self.processes:
            process.start()

    def run(self, address, paths, body, right):
        connection = http.client.HTTPConnection(address)
        times, wrong = array.array("d"), 0
        while not self.stopped.is_set():
            start = time.perf_counter()
            status, answer = post(connection, paths[len(times) % len(paths)], body)
            times.append(time.perf_counter() - start)
            if not right(status, answer):
                wrong += 1
        connection.close()
        self.results.put((times.tobytes(), wrong))

    def stop(self):
        self.stopped.set()
        for _ in self.processes:
            times, wrong = self.results.get()
            self.times += array.array("d", times)
            self.wrong += wrong
        for process in self.processes:
            process.join()
        return self

    def p99_ms(self):
        return sorted(self.times)[len(self.times) * 99 // 100] * 1000


def first_answer(onward, fixtures):
    best = 9e9
    for _ in range(5):
        start = time.perf_counter()
        with serving(onward, fixtures / "ten.onnx") as server:
            connection = http.client.HTTPConnection(server.address)
            status, _ = post(connection, "/predict", json.dumps({"input": [[0.5] * 10]}))
            assert status == 200
            best = min(best, (time.perf_counter() - start) * 1000)
            connection.close()
    report("start to first answer of a small model", f"{best:.0f} ms", "under 100 ms", best < 100)


def resident_mb(server):
    status = pathlib.Path(f"/proc/{server.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


def memory(onward, fixtures, requests):
    with serving(onward, fixtures / "scalar.onnx", fixtures / "cnn.onnx") as server:
        done, marks, lock = [0], [], threading.Lock()

        def ask(seed):
            rng = random.Random(seed)
            connection = http.client.HTTPConnection(server.address)
            while True:
                with lock:
                    if done[0] >= requests:
                        break
                    done[0] += 1
                    if done[0] == requests // 10:
                        marks.append(resident_mb(server))
                size = rng.randrange(1, 40_000)
                head = json.dumps({"inputs": [{"name": "x", "shape": [size], "datatype": "FP32",
                                               "parameters": {"binary_data_size": 4 * size}}]}).encode()
                body = head + array.array("f", [0.5]).tobytes() * size
                status, _ = post(connection, "/v2/models/scalar/infer", body,
                                 {"Inference-Header-Content-Length": str(len(head))})
                assert status == 200
            connection.close()

        threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        growth = resident_mb(server) / marks[0]
        report(f"{requests} requests of random shapes: memory, end / first tenth", f"{growth:.3f} of {marks[0]:.0f} MB",
               "level: at most 1.05", growth <= 1.05)


def many_models(onward, fixtures):
    rates = {}
    for count in (1, 10, 50):
        names = [f"m{i}={fixtures / 'linear.onnx'}" for i in range(count)]
        with serving(onward, *names) as server:
            clients = Clients(server.address, [f"/v2/models/m{i}/infer" for i in range(count)], infer_body())
            time.sleep(3)
            clients.stop()
            rates[count] = len(clients.times) / 3
            ratio = rates[count] / rates[1]
            report(f"{count} loaded models: requests/s against one; p99", f"{ratio:.2f}; {clients.p99_ms():.2f} ms",
                   "at least 0.90", ratio >= 0.9 and clients.wrong == 0)


def right_version(status, answer):
    if status != 200:
        return False
    answer = json.loads(answer)
    return answer["outputs"][0]["data"] == ([3, 5, 7] if int(answer["model_version"]) % 2 else [3, 6, 9])


def place(folder, fixtures, version):
    (folder / "m" / str(version)).mkdir(parents=True)
    name = "linear" if version % 2 else "linear_v2"
    shutil.copy(fixtures / f"{name}.onnx", folder / "m" / str(version) / "model.onnx")


def swap(folder, fixtures, address, count):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))  # placing the files is not what is measured
    connection = http.client.HTTPConnection(address)
    for version in range(2, count + 2):
        place(folder, fixtures, version)
        status, answer = post(connection, "/v2/repository/models/m/load", "{}")
        assert status == 200, answer
        shutil.rmtree(folder / "m" / str(version - 1))
    connection.close()


def swaps(onward, fixtures, count):
    folder = pathlib.Path(tempfile.mkdtemp())
    try:
        place(folder, fixtures, 1)
        shutil.copy(fixtures / "ten.onnx", folder / "neighbour.onnx")
        neighbour = json.dumps({"instances": [[0.5] * 10]})
        with serving(onward, "--models", folder, "--admin") as server:
            swapped = Clients(server.address, ["/v2/models/m/infer"], infer_body(), 1, right_version)
            quiet = Clients(server.address, ["/v1/models/neighbour:predict"], neighbour, 1)
            time.sleep(4)
            quiet.stop()
            busy = Clients(server.address, ["/v1/models/neighbour:predict"], neighbour, 1)
            swapper = multiprocessing.Process(target=swap, args=(folder, fixtures, server.address, count))
            start = time.perf_counter()
            swapper.start()
            swapper.join()
            took = time.perf_counter() - start
            busy.stop()
            swapped.stop()
            ratio = busy.p99_ms() / quiet.p99_ms()
            report(f"{count} swaps in {took:.0f} s under {len(swapped.times)} requests: failed or wrong",
                   str(swapped.wrong + busy.wrong + abs(swapper.exitcode)), "0",
                   swapped.wrong + busy.wrong + abs(swapper.exitcode) == 0)
            report("a neighbour's p99 during swaps / before", f"{busy.p99_ms():.2f} / {quiet.p99_ms():.2f} ms = {ratio:.2f}",
                   "at most 1.20", ratio <= 1.2)
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("onward")
    parser.add_argument("fixtures", type=pathlib.Path)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--swaps", type=int, default=1000)
    parser.add_argument("--only", choices=["start", "many", "swaps", "memory"])
    arguments = parser.parse_args()
    parts = {"start": lambda: first_answer(arguments.onward, arguments.fixtures),
             "many": lambda: many_models(arguments.onward, arguments.fixtures),
             "swaps": lambda: swaps(arguments.onward, arguments.fixtures, arguments.swaps),
             "memory": lambda: memory(arguments.onward, arguments.fixtures, arguments.requests)}
    for name, part in parts.items():
        if arguments.only in (None, name):
            part()


if __name__ == "__main__":
    main()
