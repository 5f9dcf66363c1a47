# For scripts/bootstrap*.sh: where things go, and how they are fetched and checked. Read with `.` after versions.sh.
# shellcheck shell=bash
deps=${ONWARD_DEPS:-${XDG_CACHE_HOME:-$HOME/.cache}/onward/deps}
say() { printf 'bootstrap: %s\n' "$*" >&2; }
die() { printf 'bootstrap: error: %s\n' "$*" >&2; exit 1; }

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Those that are missing of the named ones.
install_packages() {
  local missing="" package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  command -v apt-get >/dev/null || die "this system has no apt-get; install these by hand:$missing"
  say "installing:$missing"
  as_root apt-get update -qq
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

check_sum() { printf '%s  %s\n' "$1" "$2" | sha256sum --check --status || die "wrong checksum: $(basename "$2")"; }

# pip download into $1, by name; a virtual environment of its own keeps the system's Python as it is.
pip_download() {
  local folder=$1
  shift
  [ -x "$deps/pip/bin/pip" ] || { python3 -m venv "$deps/pip" && "$deps/pip/bin/pip" install -q setuptools wheel protobuf; }
  "$deps/pip/bin/pip" download -q --disable-pip-version-check --no-deps -d "$folder" "$@"
}

# ONNX Runtime's library for the machine $1 (as uname calls it) into $2/lib, by way of the folder $3.
ort_library() {
  local machine=$1 target=$2 work=$3 sum
  case "$machine" in
    x86_64) sum=$ORT_WHEEL_SHA256_x86_64 ;;
    aarch64) sum=$ORT_WHEEL_SHA256_aarch64 ;;
    *) die "there is no ONNX Runtime for $machine on PyPI; set ONNXRUNTIME_ROOT to one with include/ and lib/" ;;
  esac
  pip_download "$work" --only-binary=:all: --implementation cp --python-version 311 --abi cp311 \
    --platform "manylinux_2_28_$machine" "onnxruntime==$ORT_VERSION"
  check_sum "$sum" "$work"/onnxruntime-*.whl
  (cd "$work" && python3 -m zipfile -e onnxruntime-*.whl wheel)
  mkdir -p "$target/lib"
  cp "$work/wheel/onnxruntime/capi/libonnxruntime.so.$ORT_VERSION" "$target/lib/"
  ln -s "libonnxruntime.so.$ORT_VERSION" "$target/lib/libonnxruntime.so.1"
  ln -s libonnxruntime.so.1 "$target/lib/libonnxruntime.so"
}
