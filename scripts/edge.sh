#!/usr/bin/env bash
# `make edge`: installs, builds, tests and measures the edge program: scripts/edge.sh ONWARD
set -euo pipefail
cd "$(dirname "$0")/.."
onward=$(realpath "$1")

builds=edge
if [ "$(uname -m)" = x86_64 ] && [ "$(. /etc/os-release && echo "$ID")" = debian ]; then
  builds="edge edge-aarch64"
  scripts/bootstrap_edge.sh aarch64
else
  echo "edge: the cross build for aarch64 takes an x86-64 Debian: building for this machine only" >&2
  scripts/bootstrap_edge.sh
fi
for build in $builds; do
  cmake --preset "$build" --log-level=WARNING >/dev/null
  cmake --build --preset "$build"
done

ONWARD=$onward scripts/test_env.sh -m pytest -q -rs -p no:cacheprovider tests/e2e/edge_test.py tests/e2e/bundle_test.py

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$onward" convert examples/segmentation/Model.keras -o "$work/segmentation.onnx" >/dev/null
"$onward" bundle tests/fixtures/models/cnn.onnx segmentation="$work/segmentation.onnx" -o "$work/app" --format ort >/dev/null
cp tests/fixtures/models/cnn.onnx "$work/"
cp "$work"/app/models/*.ort "$work/"
models=()
for form in onnx ort; do models+=(--model "$work/cnn.$form=1,16,96,96" --model "$work/segmentation.$form=1,512,512,1"); done
programs=()
for build in $builds; do programs+=("$build=build/$build/dist/onward-edge"); done
python3 bench/edge_figures.py "${programs[@]}" "${models[@]}"
