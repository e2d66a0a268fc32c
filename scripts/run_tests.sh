#!/usr/bin/env bash
# Runs every test of a finished build and ends with the closing lines of ctest and pytest.
# Usage: run_tests.sh BUILD_FOLDER
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
results=$build/test_results
mkdir -p "$results"

if [ -z "${BRINK_SHARED_DATA:-}" ] && [ -d ../shared/data ]; then
  BRINK_SHARED_DATA=$(cd ../shared/data && pwd)
  export BRINK_SHARED_DATA
fi

# Skips are counted from what the tests print, so it has to be kept whole.
ctest --test-dir "$build" --parallel "${BRINK_JOBS:-$(nproc)}" --output-on-failure --no-tests=error \
  --output-junit test_results/ctest.xml --test-output-size-passed 4000000 </dev/null 2>&1 |
  tee "$results/ctest.log"
ctest_status=${PIPESTATUS[0]}

.venv/bin/python -m pytest --junitxml="$results/pytest.xml" </dev/null 2>&1 | tee "$results/pytest.log"
pytest_status=${PIPESTATUS[0]}

.venv/bin/python scripts/report_skipped.py "$results"
skips_status=$?

echo
grep -E '^[0-9]+% tests passed' "$results/ctest.log"
tail -n 1 "$results/pytest.log"
[ "$ctest_status" -eq 0 ] && [ "$pytest_status" -eq 0 ] && [ "$skips_status" -eq 0 ]
