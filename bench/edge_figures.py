#!/usr/bin/env python3
"""What the edge program takes: sizes, memory, and the time from its start to the first prediction.

    bench/edge_figures.py NAME=build/edge/dist/onward-edge --model M.onnx=1,512,512,1

Memory is the process's own peak (the kernel's ru_maxrss), which holds the pages of its libraries that it touched; each process
is kept on one core with sched_setaffinity. Where this user may make control groups, the same is run again in one of 64 MB,
with no swap, that counts the file cache too. Standard library only.
"""
import argparse
import contextlib
import json
import math
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import time
import urllib.request

LIMIT = 64 << 20
RUNS = 3
REQUESTS = 11


def one_core():
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})


@contextlib.contextmanager
def small_group():
    """A control group of 64 MB (a function that puts the caller into it); None where that is not allowed."""
    v1 = pathlib.Path("/sys/fs/cgroup/memory")
    root, limit, swap = (v1, "memory.limit_in_bytes", "memory.memsw.limit_in_bytes") if v1.is_dir() else (
        pathlib.Path("/sys/fs/cgroup"), "memory.max", "memory.swap.max")
    group = root / f"onward-edge-{os.getpid()}"
    try:
        group.mkdir()
        (group / limit).write_text(str(LIMIT))
    except OSError:
        yield None
        return
    with contextlib.suppress(OSError):
        (group / swap).write_text(str(LIMIT if v1.is_dir() else 0))
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid()))
    finally:
        for _ in range(50):
            try:
                group.rmdir()
                break
            except OSError:
                time.sleep(0.1)


def start(command, enter=None, **options):
    def prepare():
        one_core()
        if enter:
            enter()
    return subprocess.Popen(list(map(str, command)), preexec_fn=prepare, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def run_once(command, enter=None):
    """Milliseconds from start to end, and the peak in bytes."""
    begin = time.perf_counter()
    process = start(command, enter)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = (time.perf_counter() - begin) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command}: {process.returncode} {errors.decode()}")
    return took, usage.ru_maxrss << 10


def serve_once(command, body, enter=None):
    """Milliseconds from start to the first answer, and the peak in bytes after ten more."""
    begin = time.perf_counter()
    process = start([*command, "--http", 0], enter, text=True)
    try:
        address = None
        for line in process.stdout:
            if found := re.search(r"serving .* on (http://[^ ]+) ", line):
                address = found.group(1)
                break
        if address is None:
            raise RuntimeError(f"{command}: {process.stderr.read()}")
        took = None
        for _ in range(REQUESTS):
            request = urllib.request.Request(address + "/predict", body, {"Content-Type": "application/octet-stream"})
            with urllib.request.urlopen(request, timeout=300) as response:
                response.read()
            took = took or (time.perf_counter() - begin) * 1000
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return took, usage.ru_maxrss << 10
    finally:
        if process.returncode is None:
            process.kill()
            process.wait()


def zeros(dims):
    """A float32 array as a .npy file."""
    shape = tuple(map(int, dims.split(",")))
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(4 * math.prod(shape))


def best(measure):
    results = [measure() for _ in range(RUNS)]
    return min(result[0] for result in results), max(result[1] for result in results)


def megabytes(size):
    return f"{size / 1e6:.1f} MB"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="+", metavar="NAME=PROGRAM")
    parser.add_argument("--model", required=True, action="append", metavar="MODEL=DIMS")
    parser.add_argument("--json", help="write the figures there")
    options = parser.parse_args()
    figures = []
    with small_group() as enter, tempfile.TemporaryDirectory() as folder:
        for named in options.programs:
            name, program = named.split("=", 1)
            program = pathlib.Path(program)
            library = program.parent / "libonnxruntime.so.1"
            print(f"{name}: program {megabytes(program.stat().st_size)}, ONNX Runtime {megabytes(library.stat().st_size)}")
            figures.append({"program": name, "bytes": program.stat().st_size, "library_bytes": library.stat().st_size})
            if open(program, "rb").read(20)[18:20] != {"x86_64": b"\x3e\0", "aarch64": b"\xb7\0"}[os.uname().machine]:
                continue  # under QEMU neither time nor memory is the program's own
            for pair in options.model:
                model, dims = pair.rsplit("=", 1)
                body = zeros(dims)
                feed = pathlib.Path(folder) / "input.npy"
                feed.write_bytes(body)
                run = [program, "run", model, "--input", feed]
                run_ms, run_bytes = best(lambda: run_once(run))
                serve_ms, serve_bytes = best(lambda: serve_once([program, "serve", model], body))
                fits = "not tried (no right to make control groups)"
                if enter:
                    try:
                        run_once(run, enter)
                        serve_once([program, "serve", model], body, enter)
                        fits = "runs and serves"
                    except (RuntimeError, OSError) as error:
                        fits = f"does not: {error}"
                print(f"  {pathlib.Path(model).name} ({megabytes(os.path.getsize(model))}) on one core:\n"
                      f"    run:   first prediction {run_ms:.0f} ms after the start (with the process's end), {megabytes(run_bytes)} at most\n"
                      f"    serve: first answer {serve_ms:.0f} ms after the start, {megabytes(serve_bytes)} at most\n"
                      f"    in a control group of 64 MB: {fits}")
                figures[-1][pathlib.Path(model).name] = {"run_ms": run_ms, "run_bytes": run_bytes, "serve_ms": serve_ms,
                                                         "serve_bytes": serve_bytes, "in_64_mb": fits}
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
