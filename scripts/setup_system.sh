#!/usr/bin/env bash
# Installs the Debian 12 packages that Brink is built from. Does nothing, quickly, when all
# are there. Usage: setup_system.sh [--test]   (--test adds what only the tests use)
set -euo pipefail

packages=(
  g++ cmake ninja-build ccache pkg-config make git
  libsimgrid-dev libeigen3-dev libboost-graph-dev nlohmann-json3-dev libfmt-dev
  libcli11-dev librandom123-dev zlib1g-dev libgtest-dev libgmock-dev
  python3 python3-venv python3-dev
)
if [ "${1:-}" = "--test" ]; then
  packages+=(chromium)  # opens the HTML report without a network
fi

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = "installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
  echo "setup: needed, and apt-get is not here to install them: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null && ! { [ -t 0 ] && command -v sudo >/dev/null; }; then
    echo "setup: installing packages needs root or sudo. Run as root, once:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
