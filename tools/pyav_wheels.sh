#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Install wheels of PyAV from PyPI, one for each version of libavcodec in them, to test the plugin with all of these.
# usage: tools/pyav_wheels.sh PYTHON FOLDER [VERSION ...]
#
# Each wheel is installed into an environment of its own, FOLDER/VERSION. Versions without a wheel for this Python are
# reported and left out. One environment also gets OpenCV with its libavcodec 59.37, so that a process has two of them.
set -eu
python=$1
folder=$2
shift 2
# libavcodec   60.31  61.3   61.19  62.11  62.28  63.1 (for Python 3.12 and newer)
[ $# -gt 0 ] || set -- 12.3.0 13.1.0 15.1.0 16.1.0 18.1.0 19.0.2

for version in "$@"; do
    [ ! -e "$folder/$version/.installed" ] || continue
    beside=
    [ "$version" != 18.1.0 ] || beside="opencv-python-headless==4.12.0.88 numpy<2.3"
    "$python" -m venv --clear --without-pip "$folder/$version"
    if "$python" -m pip --quiet --disable-pip-version-check --python "$folder/$version/bin/python" \
        install --no-deps --only-binary :all: "av==$version" $beside; then
        touch "$folder/$version/.installed"
    else
        echo "PyPI has no wheel of PyAV $version for $("$python" -V)" >&2
        rm -r "${folder:?}/$version"
    fi
done
