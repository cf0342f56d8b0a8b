#!/usr/bin/env bash
# Makes a virtual environment with pip in it; says what is missing where that cannot be done.
#   make_venv.sh DIR
set -euo pipefail
dir="$1"

[ -x "$dir/bin/python" ] && "$dir/bin/python" -m pip --version >/dev/null 2>&1 && exit 0

for name in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
  if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python="$name"
    break
  fi
done
[ -n "${python:-}" ] || { echo "setup: Python 3.11 or newer is needed; on Debian: apt-get install python3" >&2; exit 1; }

# Debian ships the venv module without ensurepip, which is a package of its own.
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  package="$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "setup: installing $package" >&2
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
  else
    echo "setup: $python cannot make virtual environments; on Debian: sudo apt-get install $package" >&2
    exit 1
  fi
fi

rm -rf "$dir" # a half-made one would be kept as it is
"$python" -m venv "$dir"
