#!/usr/bin/env bash
# Installs what the edge build needs beyond scripts/bootstrap.sh, and this machine lacks: the sources of two libraries that
# have no static form in Debian; and, on an x86-64 Debian, what it takes to build for aarch64 and to try that here: the
# cross compiler, a sysroot in $ONWARD_DEPS, ONNX Runtime for aarch64, and QEMU.
#
#   scripts/bootstrap_edge.sh           for this machine
#   scripts/bootstrap_edge.sh aarch64   also for aarch64
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/versions.sh
. scripts/installing.sh

# The files $4… of the source package $1 from PyPI, whose checksum is $2, into $3.
library_source() {
  local package=$1 sum=$2 place=$3 work file
  shift 3
  [ ! -e "$place/$(basename "$1")" ] || return 0
  say "fetching the source of $(basename "$place")"
  work=$(mktemp -d)
  pip_download "$work" --no-binary "${package%%=*}" "$package"
  check_sum "$sum" "$work"/*.tar.gz
  mkdir -p "$work/source" "$place"
  tar -xzf "$work"/*.tar.gz -C "$work/source" --strip-components 1
  for file in "$@"; do cp "$work/source/$file" "$place/$(basename "$file").part"; done
  for file in "$@"; do mv "$place/$(basename "$file").part" "$place/$(basename "$file")"; done
  rm -rf "$work"
}

# Debian's own arm64 packages of what is linked, unpacked; the machine's list of architectures stays as it is.
sysroot() {
  local place="$deps/sysroot-aarch64" work
  [ ! -e "$place/ready" ] || return 0
  say "fetching the libraries for aarch64"
  work=$(mktemp -d)
  mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
  local options=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::Etc::sourceparts=-
                 -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root
                 -o "Dir::Etc::sourcelist=$(debian_source)")
  (cd "$work/debs" && apt-get "${options[@]}" update &&
    apt-get "${options[@]}" download zlib1g-dev libssl-dev libjpeg62-turbo-dev libyaml-cpp-dev)
  for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/unpacked"; done
  mkdir -p "$place"
  cp -r "$work/unpacked/usr" "$place/"
  touch "$place/ready"
  rm -rf "$work"
}

debian_source() {
  if [ -f /etc/apt/sources.list.d/debian.sources ]; then echo /etc/apt/sources.list.d/debian.sources; else echo /etc/apt/sources.list; fi
}

onnxruntime_aarch64() {
  local place="$deps/onnxruntime-$ORT_VERSION-aarch64" work headers
  [ ! -e "$place/lib/libonnxruntime.so" ] || return 0
  say "fetching ONNX Runtime $ORT_VERSION for aarch64"
  headers="${ONNXRUNTIME_ROOT:-$deps/onnxruntime-$ORT_VERSION}/include"
  work=$(mktemp -d)
  ort_library aarch64 "$work/made" "$work"
  cp -r "$headers" "$work/made/include"
  mv "$work/made" "$place"
  rm -rf "$work"
}

# What QEMU shows programs for aarch64: the cross compiler's libc, and the processor of a small board, since ONNX Runtime reads
# there what it runs on and falls over an x86-64's.
qemu_root() {
  local place="$deps/qemu-aarch64"
  [ ! -e "$place/proc/cpuinfo" ] || return 0
  mkdir -p "$place/proc" "$place/sys/devices/system/cpu"
  ln -sfn /usr/aarch64-linux-gnu/lib "$place/lib"
  echo 0 > "$place/sys/devices/system/cpu/possible"
  echo 0 > "$place/sys/devices/system/cpu/present"
  cat > "$place/proc/cpuinfo" <<'CPU'
processor	: 0
BogoMIPS	: 108.00
Features	: fp asimd evtstrm crc32 cpuid
CPU implementer	: 0x41
CPU architecture: 8
CPU variant	: 0x0
CPU part	: 0xd08
CPU revision	: 3
CPU
}

mkdir -p "$deps"
library_source "pysimdjson==$PYSIMDJSON_VERSION" "$PYSIMDJSON_SHA256" "$deps/simdjson-$SIMDJSON_VERSION" simdjson/simdjson.h simdjson/simdjson.cpp
library_source "pyspng==$PYSPNG_VERSION" "$PYSPNG_SHA256" "$deps/spng-$SPNG_VERSION" \
  "vendor/libspng-$SPNG_VERSION/spng/spng.h" "vendor/libspng-$SPNG_VERSION/spng/spng.c"
[ "${1:-}" = aarch64 ] || exit 0
[ "$(uname -m)" != aarch64 ] || die "this machine is aarch64: its own edge build (preset edge) is the one for aarch64"
[ "$(. /etc/os-release && echo "$ID")" = debian ] ||
  die "building for aarch64 takes Debian, whose arm64 packages the libraries come from; build on an aarch64 machine instead (make edge)"
install_packages g++-aarch64-linux-gnu qemu-user
sysroot
onnxruntime_aarch64
qemu_root
