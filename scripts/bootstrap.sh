#!/usr/bin/env bash
# Installs what building and testing Onward needs and this machine lacks; does nothing where all is there.
#
#   scripts/bootstrap.sh          what the build and the tests need
#   scripts/bootstrap.sh --dev    also clang-tidy and the fuzzers' compiler
#
# scripts/bootstrap_edge.sh adds what the edge build needs.
#
# System packages come from apt; ONNX Runtime's library and the ONNX library's source from PyPI; ONNX Runtime's headers from the
# distribution's newer release. All of it is pinned with checksums (docs/dependencies.md) and kept outside build/, in
# $ONWARD_DEPS (default: ~/.cache/onward/deps). ONNXRUNTIME_ROOT or ONNX_ROOT in the environment win.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/installing.sh

packages="build-essential cmake ninja-build ccache pkg-config python3 python3-venv python3-pip mold clang-format-14
  protobuf-compiler libprotobuf-dev libboost-dev libssl-dev libsimdjson-dev libfmt-dev libcli11-dev
  libyaml-cpp-dev zlib1g-dev libspng-dev libjpeg-dev libgtest-dev libgmock-dev libbenchmark-dev
  libgrpc++-dev protobuf-compiler-grpc"
# Boost.Beast of Debian 12's default (1.74) is older than what Onward is tested with.
apt-cache show libboost1.81-dev >/dev/null 2>&1 && packages="${packages/libboost-dev/libboost1.81-dev}"
if [ "${1:-}" = "--dev" ]; then packages="$packages clang-14 clang-tidy-14 libclang-rt-14-dev"; fi

ort_headers() {
  local target=$1 work=$2 suite source
  case "$(. /etc/os-release && echo "$ID")" in
    debian) suite=$ORT_HEADERS_DEBIAN_SUITE ;;
    ubuntu) suite=$ORT_HEADERS_UBUNTU_SUITE ;;
    *) die "set ONNXRUNTIME_ROOT to an ONNX Runtime with include/ and lib/" ;;
  esac
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
  # The machine's own first source, with the newer suite in place of its own.
  source=""
  for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/ubuntu.sources; do
    [ ! -f "$file" ] || source=$file
  done
  if [ -n "$source" ]; then
    awk -v suite="$suite" 'NF == 0 { exit } /^Suites:/ { print "Suites: " suite; next } /^Components:/ { print "Components: main universe"; next } { print }' \
      "$source" > "$work/newer.sources"
    [ "$suite" = "$ORT_HEADERS_UBUNTU_SUITE" ] || sed -i 's/^Components:.*/Components: main/' "$work/newer.sources"
    source="$work/newer.sources"
  else
    awk -v suite="$suite" '$1 == "deb" { sub($3, suite); print; exit }' /etc/apt/sources.list > "$work/newer.list"
    source="$work/newer.list"
  fi
  local options=(-qq -o "Dir::Etc::sourcelist=$source" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$work/lists"
                 -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root)
  (cd "$work" && apt-get "${options[@]}" update && apt-get "${options[@]}" download libonnxruntime-dev)
  dpkg-deb -x "$work"/libonnxruntime-dev_*.deb "$work/unpacked"
  [ -f "$work/unpacked/usr/include/onnxruntime/onnxruntime_c_api.h" ] || die "libonnxruntime-dev has no headers"
  (cd "$work/unpacked/usr/include/onnxruntime" && cat onnxruntime_c_api.h onnxruntime_cxx_api.h onnxruntime_cxx_inline.h) |
    sha256sum | grep -q "^$ORT_HEADERS_SHA256 " || die "ONNX Runtime's headers are not the pinned ones"
  mkdir -p "$target"
  cp -r "$work/unpacked/usr/include/onnxruntime" "$target/"
}

install_onnxruntime() {
  local place="$deps/onnxruntime-$ORT_VERSION" work
  if [ -n "${ONNXRUNTIME_ROOT:-}" ] || [ -e "$place/lib/libonnxruntime.so" ]; then return 0; fi
  say "fetching ONNX Runtime $ORT_VERSION"
  work=$(mktemp -d)
  ort_library "$(uname -m)" "$work/made" "$work"
  ort_headers "$work/made/include" "$work/apt"
  mv "$work/made" "$place"
  rm -rf "$work"
}

install_onnx() {
  local place="$deps/onnx-$ONNX_VERSION" work
  if [ -n "${ONNX_ROOT:-}" ] || [ -e "$place/lib/libonnx.a" ]; then return 0; fi
  say "building the ONNX library $ONNX_VERSION (once, about three minutes)"
  work=$(mktemp -d)
  pip_download "$work" --no-binary onnx --no-build-isolation "onnx==$ONNX_VERSION"
  check_sum "$ONNX_SOURCE_SHA256" "$work/onnx-$ONNX_VERSION.tar.gz"
  tar -xzf "$work/onnx-$ONNX_VERSION.tar.gz" -C "$work"
  cmake -G Ninja -S "$work/onnx-$ONNX_VERSION" -B "$work/build" -DCMAKE_BUILD_TYPE=Release -DONNX_BUILD_PYTHON=OFF \
    -DONNX_ML=ON -DONNX_USE_LITE_PROTO=OFF -DCMAKE_POSITION_INDEPENDENT_CODE=ON "-DCMAKE_INSTALL_PREFIX=$work/made" \
    >"$work/log" 2>&1 && ninja -C "$work/build" install >>"$work/log" 2>&1 || { tail -n 30 "$work/log" >&2; die "the ONNX library did not build"; }
  mv "$work/made" "$place"
  rm -rf "$work"
}

mkdir -p "$deps"
# shellcheck disable=SC2086
install_packages $packages
install_onnxruntime
install_onnx
