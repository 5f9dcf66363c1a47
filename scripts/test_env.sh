#!/usr/bin/env bash
# Makes the Python environment that the end-to-end tests use (real clients, ONNX Runtime's own Python package as a second
# opinion). Kept beside the other dependencies; does nothing on the second run.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${ONWARD_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/onward/deps}
sum=$(sha256sum tests/requirements.txt | cut -c1-16)
place="$deps/test-env-$sum"
[ ! -e "$place/ready" ] || exit 0
python3 -m venv "$place"
"$place/bin/pip" install -q --disable-pip-version-check -r tests/requirements.txt
touch "$place/ready"
