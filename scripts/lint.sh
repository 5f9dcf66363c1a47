#!/usr/bin/env bash
# clang-tidy over the files that differ from main's merge base, or all of them with LINT_ALL=1.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
if [ "${LINT_ALL:-}" = 1 ]; then
  files=$(git ls-files 'src/*.cpp')
else
  files=$( (git diff --name-only --diff-filter=d "$(git merge-base HEAD main)"; git ls-files --others --exclude-standard) |
    { grep -E '^src/.*\.cpp$' || [ $? = 1 ]; } | sort -u)  # 1: nothing matched
fi
[ -n "$files" ] || { echo "lint: nothing changed"; exit 0; }
echo "$files" | xargs -P 2 -n 4 clang-tidy-14 -p "$build" --quiet --extra-arg=-Wno-unknown-warning-option
