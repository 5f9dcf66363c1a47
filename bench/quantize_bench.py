#!/usr/bin/env python3
"""`onward quantize` beside onnxruntime.quantization on the same float models, in one run.

    quantize_bench.py --onward build/release/onward [MODEL…] [--torch NAME,…] [--json out.json]

Needs numpy, onnx and onnxruntime; without them it says so and ends well. Models are the example pair, any given files, and, where
torch and torchvision are installed, some with random weights. Time and memory are of whole processes that do the same: one mode,
one method, the same samples, and no measuring (the rows "search" and "auto" measure). Answers and speed are measured on other samples, in the same ONNX Runtime, in turns.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "examples" / "segmentation"
try:
    import numpy as np
    import onnx  # noqa: F401
    import onnxruntime
    import onnxruntime.quantization  # noqa: F401

    from onnx_runs import measured
except ImportError as missing:
    print(f"skipped: {missing}; this comparison needs numpy, onnx and onnxruntime in Python")
    sys.exit(0)

THEIRS = """
import sys, pathlib, numpy as np
from onnxruntime.quantization import *
from onnxruntime.quantization.shape_inference import quant_pre_process
source, output, mode, method, folder = sys.argv[1:]
class Reader(CalibrationDataReader):
    def __init__(self): self.files = iter(sorted(pathlib.Path(folder).glob("*.npz")))
    def get_next(self):
        file = next(self.files, None)
        return dict(np.load(file)) if file else None
if mode == "static":
    quant_pre_process(source, output + ".pre", skip_symbolic_shape=True)
    quantize_static(output + ".pre", output, Reader(), per_channel=True, reduce_range=True,
                    calibrate_method={"minmax": CalibrationMethod.MinMax, "percentile": CalibrationMethod.Percentile,
                                      "entropy": CalibrationMethod.Entropy}[method],
                    activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8)
else:
    quantize_dynamic(source, output, per_channel=True, reduce_range=True, weight_type=QuantType.QInt8)
"""


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def random_feed(model, rng):
    types = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int32)": np.int32}
    feed = {}
    for one in model.get_inputs():
        dims = [dim if isinstance(dim, int) else 1 if i == 0 else 32 for i, dim in enumerate(one.shape)]
        dtype = types[one.type]
        feed[one.name] = (rng.random(dims, np.float32) if dtype is np.float32 else rng.integers(0, 100, dims).astype(dtype))
    return feed


def feeds_of(source, model, seeds):
    """Feeds for a model: drawn cells for the example pair (with masks), random ones for any other."""
    if source.parent == EXAMPLE:
        sys.path.insert(0, str(EXAMPLE))
        import cells
        one = model.get_inputs()[0]
        shape = [1 if not isinstance(dim, int) else dim for dim in one.shape]
        for seed in seeds:
            image, mask = cells.batch([seed], 512)
            yield {one.name: image.reshape(shape)}, mask[0] > 0.5
    else:
        for seed in seeds:
            yield random_feed(model, np.random.default_rng(seed)), None


def sqnr(expected, got):
    signal = sum(float((a.astype(np.float64) ** 2).sum()) for a in expected)
    noise = sum(float(((a.astype(np.float64) - b) ** 2).sum()) for a, b in zip(expected, got))
    return 200.0 if noise == 0 else 10 * np.log10(signal / noise)


def evaluate(sessions, feeds, runs):
    """For each session: SQNR against the first, IoU where there are masks, and the median milliseconds."""
    worst = {name: [] for name in sessions}
    overlap = {name: [0, 0] for name in sessions}
    for feed, mask in feeds:
        answers = {name: one.run(None, feed) for name, one in sessions.items()}
        for name, got in answers.items():
            worst[name].append(sqnr(answers["float"], got))
            if mask is not None:
                inside = got[0].reshape(mask.shape) > 0.5
                overlap[name][0] += int((inside & mask).sum())
                overlap[name][1] += int((inside | mask).sum())
    times = {name: [] for name in sessions}
    for _ in range(runs):
        for name, one in sessions.items():
            start = time.perf_counter()
            one.run(None, feeds[0][0])
            times[name].append((time.perf_counter() - start) * 1000)
    return {name: {"sqnr_db": float(np.mean(worst[name])), "milliseconds": float(np.median(times[name])),
                   "iou": overlap[name][0] / overlap[name][1] if overlap[name][1] else None} for name in sessions}


def bench_model(source, arguments, folder):
    base = folder / "float.onnx"
    subprocess.run([arguments.onward, "convert", source, "-o", base], check=True, stdout=subprocess.DEVNULL)
    model = session(base)
    samples = folder / "samples"
    samples.mkdir()
    for i, (feed, _) in enumerate(feeds_of(source, model, range(200000, 200000 + arguments.samples))):
        np.savez(samples / f"{i:04}.npz", **feed)
    made, files = {}, {"float": base}

    def make(name, file, command):
        seconds, mib = measured(command)
        if seconds is not None:
            made[name], files[name] = (seconds, mib), folder / file

    def ours(name, mode, *options):
        file = name.replace(" ", "_") + ".onnx"
        make(f"onward {name}", file, [arguments.onward, "quantize", base, "-o", folder / file, "--mode", mode,
                                      "--calibration", samples, *options])

    def theirs(name, mode, method="minmax"):
        file = "ort_" + name.replace(" ", "_") + ".onnx"
        make(f"onnxruntime {name}", file, [sys.executable, "-c", THEIRS, base, folder / file, mode, method, samples])

    for method in arguments.methods.split(","):
        ours(f"static {method}", "static", "--method", method, "--no-measure")
        theirs(f"static {method}", "static", method)
    ours("dynamic", "dynamic", "--no-measure")
    theirs("dynamic", "dynamic")
    ours("static search", "static")
    ours("auto", "auto")
    feeds = list(feeds_of(source, model, range(100000, 100000 + arguments.checks)))
    sessions = {}
    for name, file in files.items():
        try:
            sessions[name] = session(file)
        except Exception as error:  # onnxruntime's own exception types differ between versions
            print(f"  {name}: does not load: {str(error)[:150]}")
    rows = evaluate(sessions, feeds, arguments.runs)
    for name, row in rows.items():
        row["bytes"] = files[name].stat().st_size
        if name in made:
            row["seconds_to_make"], row["peak_mib"] = made[name]
    return rows


def show(source, rows):
    print(f"{source}")
    print(f"  {'':25} {'SQNR':>9} {'IoU':>7} {'size':>6} {'speed':>6} {'made in':>9} {'memory':>10}")
    base = rows["float"]
    for name, row in rows.items():
        iou = f"{row['iou']:.4f}" if row["iou"] is not None else ""
        cost = f"{row['seconds_to_make']:8.1f}s {row['peak_mib']:6.0f} MiB" if "peak_mib" in row else ""
        print(f"  {name:25} {row['sqnr_db']:6.1f} dB {iou:>7} {row['bytes'] / base['bytes']:6.3f} "
              f"{base['milliseconds'] / row['milliseconds']:6.2f} {cost}", flush=True)


def exported(names, folder):
    """Files of torch's models; those whose libraries are not installed are passed over."""
    for name in filter(None, names):
        try:
            import torch_models
            file = pathlib.Path(folder) / f"{name}.pt2"
            torch_models.save(name, file)
            yield file
        except ImportError as missing:
            print(f"{name}: skipped, {missing}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", type=pathlib.Path, help="further float models of any supported format")
    parser.add_argument("--onward", required=True)
    parser.add_argument("--torch", default="ResNet50,MobileNetV3,wide transformer,LSTM tagger")
    parser.add_argument("--no-example", action="store_true", help="leave the example pair out")
    parser.add_argument("--methods", default="minmax,percentile", help="how static scales are found: minmax, percentile, entropy")
    parser.add_argument("--samples", type=int, default=20)
    parser.add_argument("--checks", type=int, default=8)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    results = {}
    with tempfile.TemporaryDirectory() as exports:
        pair = [] if arguments.no_example else [EXAMPLE / "Model.keras", EXAMPLE / "Model.pt2"]
        given = [model.resolve() for model in arguments.models]
        for source in [*pair, *given, *exported(arguments.torch.split(","), exports)]:
            with tempfile.TemporaryDirectory() as folder:
                results[source.name] = bench_model(source, arguments, pathlib.Path(folder))
            show(source.name, results[source.name])
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
