#!/usr/bin/env bash
# Makes the Python environment: what pyproject.toml names, and brink itself, editable. The
# C++ engine is not compiled here: CMake's release preset puts it into python/brink.
# Usage: setup_python.sh ENVIRONMENT
set -euo pipefail
environment=$1
cd "$(dirname "$0")/.."

find_python() {
  local candidate
  # The distribution's Python first: its headers (python3-dev) are installed.
  for candidate in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do
    if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  echo "setup: no Python >= 3.11 with the venv module was found; install python3.11 and python3.11-venv" >&2
  return 1
}

if [ ! -x "$environment/bin/python" ]; then
  python=$(find_python)
  echo "setup: making $environment with $python"
  "$python" -m venv "$environment"
fi

requirements=$("$environment/bin/python" - <<'PY'
import tomllib
with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)
wanted = project["build-system"]["requires"] + project["project"]["dependencies"]
print("\n".join(wanted + project["project"]["optional-dependencies"]["test"]))
PY
)
echo "setup: installing the Python packages"
mapfile -t wanted <<<"$requirements"
"$environment/bin/python" -m pip install --quiet "${wanted[@]}"
"$environment/bin/python" -m pip install --quiet --no-build-isolation --no-deps --editable .
