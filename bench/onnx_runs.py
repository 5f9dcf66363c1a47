"""What the comparisons with other converters share: measuring a process, and running ONNX files in turns."""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnxruntime


# A process of its own: the peak of a child counts from what its parent had when it started it.
LAUNCHER = """
import resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
sys.exit(status)
"""


def measured(command):
    """Seconds and peak MiB of one process; (None, None) where it fails, and its last words are printed."""
    process = subprocess.run([sys.executable, "-c", LAUNCHER, *map(str, command)], capture_output=True, text=True)
    if process.returncode != 0:
        print(f"{command[0]} fails: {process.stderr.strip().splitlines()[-1:]}")
        return None, None
    seconds, peak = process.stdout.split()
    return round(float(seconds), 3), round(float(peak), 1)


def feed_of(session):
    generator = np.random.default_rng(7)
    feed = {}
    for value in session.get_inputs():
        shape = [size if isinstance(size, int) else 1 for size in value.shape]
        whole = {"tensor(int32)": np.int32, "tensor(int64)": np.int64}.get(value.type)
        feed[value.name] = generator.integers(0, 1000, shape, whole) if whole else generator.random(shape, np.float32)
    return feed


def loads(file):
    """Whether ONNX Runtime takes the file: not all that other converters write is valid."""
    try:
        onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
        return True
    except Exception as error:
        print(f"{file.name} does not load: {str(error)[:160]}")
        return False


def medians(files, runs):
    """Milliseconds of processor time of one run of each file, in turns on one thread (what else the machine does then matters little)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = [onnxruntime.InferenceSession(str(f), options, providers=["CPUExecutionProvider"]) for f in files]
    feeds = [feed_of(session) for session in sessions]
    times = [[] for _ in files]
    contestants = list(zip(sessions, feeds, times))
    for turn in range(runs + 2):
        # Who goes first finds the caches as the other left them: each does so in every other turn.
        for session, feed, own in contestants if turn % 2 == 0 else reversed(contestants):
            start = time.thread_time()
            session.run(None, feed)
            if turn >= 2:
                own.append((time.thread_time() - start) * 1000)
    return [round(statistics.median(own), 3) for own in times]


def compare_all(description, models, compare):
    """The command line of a comparison: a row of compare(name, onward, runs, folder) for each model."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--onward", required=True)
    parser.add_argument("--models", default=",".join(models))
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", default="")
    args = parser.parse_args()
    rows = []
    for name in args.models.split(","):
        with tempfile.TemporaryDirectory() as folder:
            try:
                rows.append(compare(name, str(pathlib.Path(args.onward).resolve()), args.runs, pathlib.Path(folder)))
            except ImportError as missing:
                print(f"{name}: skipped, {missing}")
                continue
        print("  ".join(f"{key} {value}" for key, value in rows[-1].items()), flush=True)
    if args.json:
        pathlib.Path(args.json).write_text(json.dumps(rows, indent=1))
