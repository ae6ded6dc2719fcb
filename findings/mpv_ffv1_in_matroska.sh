#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# mpv 0.35.1 (Debian 12): FFV1 in Matroska files that a newer FFmpeg has written.
#
# Expected: it plays both ways in which Matroska may hold FFV1, as the specification of Matroska has them: the CodecID
# V_FFV1, and V_MS/VFW/FOURCC with FFmpeg's FourCC.
# Seen: FFmpeg 5.1 writes the latter, which plays. FFmpeg 9.0.2 writes V_FFV1, and mpv, which brings a demuxer of its
# own, says "Unknown/unsupported CodecID (V_FFV1)" and shows no video, though its libavcodec decodes FFV1.
#
# Needs Debian 12's mpv and ffmpeg, Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
newer=$("$folder/venv/bin/python" -c 'import imageio_ffmpeg; print(imageio_ffmpeg.get_ffmpeg_exe())')
cd "$folder"
plays() { # FFMPEG FILE
    "$1" -nostdin -v error -f lavfi -i testsrc=size=64x64:rate=25:duration=1 -c:v ffv1 "$2"
    "$1" -version | head -n 1
    mpv --no-config --vo=null --msg-level=all=warn "$2" >"$2.log" 2>&1 && echo "$2 plays" || cat "$2.log"
    ! grep -q 'CodecID (V_FFV1)' "$2.log"
}
mpv --version | head -n 1
plays ffmpeg older.mkv
if plays "$newer" newer.mkv; then exit 1; fi
