#!/usr/bin/env bash
# The long tier: every test with many more seeds, then under AddressSanitizer and UBSan, then
# clang-tidy. Usage: run_nightly.sh RELEASE_BUILD_FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
jobs=${BRINK_JOBS:-$(nproc)}

BRINK_NIGHTLY=1 scripts/run_tests.sh "$1"

cmake --preset asan
cmake --build build/asan --parallel "$jobs"
ctest --preset asan --parallel "$jobs"

if command -v run-clang-tidy-16 >/dev/null; then
  run-clang-tidy-16 -quiet -p "$1" -j "$jobs" "$PWD/(models|sim|calibrate)/.*\.cpp$"
else
  echo "nightly: clang-tidy-16 is not installed, so the sources were not checked with it"
fi
