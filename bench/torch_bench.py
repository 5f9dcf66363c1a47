#!/usr/bin/env python3
"""`onward convert` beside torch.onnx on the same .pt2 files: time and memory of the whole process, nodes, and speed of the results.

    torch_bench.py --onward build/release/onward [--models ResNet50,…] [--runs 20] [--json out.json]

Needs numpy, onnx, onnxruntime and torch; torchvision's models take part where it is installed, torch.onnx where onnxscript is.
Without torch it says so and ends well. Both results run in the same ONNX Runtime in turns; the ratio is that of the medians.
"""
import sys

try:
    import onnx

    from onnx_runs import compare_all, loads, measured, medians
    from torch_models import MODELS, save
except ImportError as missing:
    print(f"skipped: {missing}; this comparison needs numpy, onnx, onnxruntime and torch in Python")
    sys.exit(0)

THEIRS = "import sys, torch; torch.onnx.export(torch.export.load(sys.argv[1]), (), sys.argv[2], dynamo=True, opset_version=18)"


def compare(name, onward, runs, folder):
    source, ours, theirs = folder / "model.pt2", folder / "ours.onnx", folder / "theirs.onnx"
    save(name, source)
    row = {"model": name}
    row["s"], row["mib"] = measured([onward, "convert", str(source), "-o", str(ours), "-q"])
    row["torch_s"], row["torch_mib"] = measured([sys.executable, "-c", THEIRS, str(source), str(theirs)])
    files = [file for file in (ours, theirs) if file.exists() and loads(file)]
    for key, file in (("nodes", ours), ("torch_nodes", theirs)):
        if file in files:
            row[key] = len(onnx.load(str(file), load_external_data=False).graph.node)
    if len(files) == 2:
        row["run_ms"], row["torch_run_ms"] = medians(files, runs)
        row["ratio"] = round(row["run_ms"] / row["torch_run_ms"], 3)
    return row


compare_all(__doc__, MODELS, compare)
