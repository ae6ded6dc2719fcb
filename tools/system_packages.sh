#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# Install missing Debian packages for the build, the demo and the checks.
# usage: tools/system_packages.sh PYTHON [ffmpeg|tests]    also install those for building FFmpeg, or for all tests
set -eu
python=$1
purpose=${2:-}
missing=

need() { # COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}

need "$python" python3
need ffmpeg ffmpeg
need ffprobe ffmpeg
need c++ g++
need cmake cmake
need clang-format clang-format
"$python" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
"$python" -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
    2>/dev/null || missing="$missing python3-dev"
if [ "$purpose" = tests ]; then
    need chromium chromium
    need mpv mpv
    need melt melt
    need gio libglib2.0-bin
    need update-mime-database shared-mime-info
    need cvlc vlc-bin
    need cvlc vlc-plugin-base
    need pkg-config pkg-config
    for package in gstreamer1.0-tools gstreamer1.0-libav gstreamer1.0-plugins-base gstreamer1.0-plugins-good; do
        need gst-launch-1.0 $package
    done
    need gst-discoverer-1.0 gstreamer1.0-plugins-base-apps
    pkg-config --exists gstreamer-video-1.0 2>/dev/null || missing="$missing libgstreamer-plugins-base1.0-dev"
    pkg-config --exists vlc-plugin 2>/dev/null || missing="$missing libvlccore-dev"
fi
if [ "$purpose" = ffmpeg ]; then
    need make make
    need patch patch
    need xz xz-utils
    need nasm nasm
    need pkg-config pkg-config
    for library in zlib:zlib1g-dev sdl2:libsdl2-dev x264:libx264-dev; do
        pkg-config --exists "${library%:*}" 2>/dev/null || missing="$missing ${library#*:}"
    done
fi

if [ -n "$missing" ]; then
    missing=$(printf '%s\n' $missing | sort -u | tr '\n' ' ')
    install="apt-get install -y --no-install-recommends $missing"
    if ! command -v apt-get >/dev/null 2>&1; then
        echo "gvc needs what Debian calls: $missing- install that with your system's package manager, then try again" >&2
        exit 1
    elif [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null 2>&1; then
        as_root=sudo
    else
        echo "some Debian packages are missing; as root run: apt-get update && $install" >&2
        exit 1
    fi
    echo "installing Debian packages: $missing"
    DEBIAN_FRONTEND=noninteractive
    export DEBIAN_FRONTEND
    $as_root apt-get update -q
    $as_root $install
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "gvc needs Python 3.11 or newer; name one by make PYTHON=..." >&2
    exit 1
}
