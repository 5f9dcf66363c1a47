#!/usr/bin/env bash
# Formats every C++ file of the project; with --check only says what is not formatted and fails.
set -euo pipefail
cd "$(dirname "$0")/.."
mode=-i
[ "${1:-}" != "--check" ] || mode="--dry-run --Werror"
# shellcheck disable=SC2086
git ls-files -z '*.cpp' '*.h' | xargs -0 clang-format-14 $mode
