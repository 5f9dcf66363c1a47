#!/usr/bin/env bash
# Writes docs/supported_ops.md from the operator tables in the binary; with --check fails where the committed file differs.
set -euo pipefail
cd "$(dirname "$0")/.."
made=$(mktemp)
trap 'rm -f "$made"' EXIT
build/release/onward list-ops --markdown > "$made"
if [ "${1:-}" = "--check" ]; then
  diff -u docs/supported_ops.md "$made" || { echo "docs/supported_ops.md is out of date: run scripts/generate_docs.sh" >&2; exit 1; }
else
  cp "$made" docs/supported_ops.md
fi
