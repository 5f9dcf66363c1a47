#!/usr/bin/env bash
# Makes the Python environment that the end-to-end tests use (real clients, ONNX Runtime's own Python package as a second
# opinion). Kept beside the other dependencies; does nothing on the second run. With arguments, runs its Python with them,
# in the project's folder: scripts/test_env.sh -m pytest tests/python. With --clients alone: the environment of
# KServe's and OpenVINO's clients, which is large and optional.
set -euo pipefail
cd "$(dirname "$0")/.."
deps=${ONWARD_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/onward/deps}
if [ "${1:-}" = --clients ]; then
  # They pin other versions of what the rest needs.
  if [ ! -e "$deps/clients-env/ready" ]; then
    python3 -m venv "$deps/clients-env"
    "$deps/clients-env/bin/pip" install -q --disable-pip-version-check kserve==0.15.2 ovmsclient==2023.1
    touch "$deps/clients-env/ready"
  fi
  exit 0
fi
sum=$(sha256sum tests/requirements.txt | cut -c1-16)
place="$deps/test-env-$sum"
if [ ! -e "$place/ready" ]; then
  python3 -m venv "$place"
  "$place/bin/pip" install -q --disable-pip-version-check -r tests/requirements.txt
  touch "$place/ready"
fi
# The web page is tested in a browser where the distribution has one as a package (Ubuntu's is a snap).
if ! command -v chromium >/dev/null && [ "$(. /etc/os-release && echo "$ID")" = debian ] && { [ "$(id -u)" = 0 ] || command -v sudo >/dev/null; }; then
  as_root=$([ "$(id -u)" = 0 ] || echo sudo)
  DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null ||
    echo "test_env: the web page's tests are passed over: chromium can't be installed" >&2
fi
[ $# -eq 0 ] || exec "$place/bin/python" "$@"
