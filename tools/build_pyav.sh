#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Build PyAV from its source on PyPI with the FFmpeg in PREFIX, in a new virtual environment, PREFIX/venv.
# usage: tools/build_pyav.sh PREFIX PYTHON
set -eu
prefix=$(cd "$1" && pwd)
python=$2
PKG_CONFIG_PATH=$prefix/lib/pkgconfig
LDFLAGS=-Wl,-rpath,$prefix/lib
export PKG_CONFIG_PATH LDFLAGS

major=$(pkg-config --modversion libavcodec | cut -d. -f1)
case $major in
61) version='>=14,<16' ;;
62) version='>=18,<19' ;;
63) version='>=19,<20' ;;
*)
    echo "no PyAV is known to build with the libavcodec $major of $prefix; use FFmpeg 7.1, 8.1 or 9.0" >&2
    exit 1
    ;;
esac
"$python" -m venv "$prefix/venv"
"$prefix/venv/bin/python" -m pip install --disable-pip-version-check --quiet numpy
nice "$prefix/venv/bin/python" -m pip install --disable-pip-version-check --no-binary av "av$version"
"$prefix/venv/bin/python" -c "import av; av.Codec('gvc', 'w'), av.Codec('gvc', 'r'); print('PyAV', av.__version__, 'knows gvc')"
