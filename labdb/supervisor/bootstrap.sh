#!/bin/sh
# Makes .venv from requirements.lock where it is missing or older than the lock. Writes only inside the project's folder.
# Python: $PYTHON if given, else the first of the names below that is 3.11 to 3.13.
set -eu
cd "$(dirname "$0")/../.."
uv_version=0.13.9
stamp=.venv/.requirements.lock
uv=.venv/bootstrap/bin/uv

say() { printf '%s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

wanted() { cat requirements.lock labdb/supervisor/bootstrap.sh; }
if [ -f "$stamp" ] && wanted | cmp -s - "$stamp" && .venv/bin/python -c '' 2>/dev/null; then exit 0; fi

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; }
find_python() {
  for name in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11; do
    if fits "$name"; then command -v "$name"; return; fi
  done
  fail "No Python 3.11, 3.12 or 3.13 was found (looked for: ${PYTHON:-} python3 python3.13 python3.12 python3.11)." \
    "Install one, for example with: apt install python3 python3-venv. Or name one: make PYTHON=/path/to/python3.12"
}

# caches: the caller's where one is named, else inside the project
export UV_CACHE_DIR="${UV_CACHE_DIR:-$PWD/var/cache/uv}" PIP_CACHE_DIR="${PIP_CACHE_DIR:-$PWD/var/cache/pip}"
export PIP_DISABLE_PIP_VERSION_CHECK=1 UV_PYTHON_DOWNLOADS=never
[ -d var ] || (umask 077 && mkdir var)

python=$(find_python)
begin=$(date +%s)
say "making the environment in .venv with $("$python" --version) ..."
make_venv() {
  "$python" -m venv --clear "$1" >"$1.log" 2>&1 && rm -f "$1.log" && return
  say "$(cat "$1.log")"; rm -rf "$1" "$1.log"
  fail "$python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv"
}
rm -rf .venv
make_venv .venv
.venv/bin/python -m venv .venv/bootstrap --without-pip
.venv/bin/python -m pip --python .venv/bootstrap/bin/python install -q "uv==$uv_version" 2>.venv/uv.log || true
if ! "$uv" pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock 2>>.venv/uv.log; then
  say "uv $uv_version could not do it ($(tail -n 1 .venv/uv.log)); installing with pip, which takes about a minute ..."
  .venv/bin/python -m pip install -q --require-hashes -r requirements.lock
fi
wanted >"$stamp"
say "made the environment in $(($(date +%s) - begin)) s"
