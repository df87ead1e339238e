# Makes .venv/ from the locked requirements; sourced by the other scripts. Needs Python 3.11+, nothing else.
# usage: make_environment runtime|dev
find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "comfygen needs Python 3.11 or newer on PATH; set PYTHON=/path/to/python3.11 if it is elsewhere" >&2
  return 1
}

make_environment() {
  local lock="requirements/$1.txt" stamp=".venv/.made-from-$1" wanted python
  wanted=$(cat "$lock" pyproject.toml | cksum)
  if [ -x .venv/bin/python ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
    return
  fi
  python=$(find_python)
  echo "making the environment in .venv (once; about half a minute) ..." >&2
  [ -x .venv/bin/python ] || "$python" -m venv .venv || {
    echo "could not make .venv: on Debian and Ubuntu, install python3-venv (or set PYTHON to another Python)" >&2
    return 1
  }
  rm -f .venv/.made-from-*
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "$wanted" >"$stamp"
  if [ "$1" = dev ]; then # the development lock holds everything that the runtime lock holds
    cat requirements/runtime.txt pyproject.toml | cksum >.venv/.made-from-runtime
  fi
}

# Adds one package of the development lock to an environment that was made for running.
# usage: add_package NAME
add_package() {
  local pinned
  if .venv/bin/python -m pip show --quiet "$1" >/dev/null 2>&1; then
    return
  fi
  pinned=$(mktemp)
  awk -v start="^$1==" '$0 ~ start { found = 1; print; next } found && /^[ \t]/ { print; next } { found = 0 }' \
    requirements/dev.txt >"$pinned"
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r "$pinned"
  rm -f "$pinned"
}
