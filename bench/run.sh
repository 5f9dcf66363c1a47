#!/usr/bin/env bash
# Measures what conversion costs as a whole process and what serving adds to ONNX Runtime: bench/run.sh BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/release}
out="$build/bench"
mkdir -p "$out"

# conversion FILE: milliseconds and peak memory of the whole process, best of five.
conversion() {
  python3 - "$build/onward" "$1" "$2" <<'PY'
import resource, subprocess, sys, time
best = None
for _ in range(5):
    start = time.perf_counter()
    if subprocess.run([sys.argv[1], "convert", sys.argv[2], "-o", sys.argv[3]]).returncode:
        sys.exit(1)
    best = min(best or 9e9, (time.perf_counter() - start) * 1000)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
print(f"convert {sys.argv[2]}: {best:.0f} ms, {peak:.0f} MB at most (wanted: at most 60 ms, 80 MB)")
PY
}

image_model=
for file in examples/segmentation/Model.keras examples/segmentation/Model.pt2; do
  target="$out/$(basename "$file").onnx"
  if conversion "$file" "$target"; then image_model=${image_model:-$target}; fi
done
"$build/bench/serving_bench" tests/fixtures/models ${image_model:+"$image_model"}
python3 bench/server_bench.py "$build/onward" tests/fixtures/models

# Beside onnxruntime.quantization, where some Python has it (PYTHON=…).
"${PYTHON:-python3}" bench/quantize_bench.py --onward "$build/onward" --json "$out/quantize.json"

# Beside tf2onnx, where that Python has TensorFlow.
"${PYTHON:-python3}" bench/convert_bench.py --onward "$build/onward" --json "$out/convert.json"
# Beside torch.onnx, where that Python has torch.
"${PYTHON:-python3}" bench/torch_bench.py --onward "$build/onward" --json "$out/torch.json"
