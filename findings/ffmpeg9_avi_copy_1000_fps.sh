#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# FFmpeg 9.0.2 (from imageio-ffmpeg 0.8.1): a track of 25 frames a second, copied from Matroska into AVI.
#
# Expected: 25 frames a second in AVI's header, as Matroska's default duration says and as encoding into AVI gives.
# Seen: the copy takes Matroska's time base, 1/1000 s, as the frame rate: the header says 1000 frames a second, and for
# each millisecond without a picture there is an empty chunk with an index entry, 24 bytes more for each of them.
# AVI has no other timestamps; players go by the header. `-r 25` before `-i` is a way around it.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
cd "$folder"
venv/bin/python - <<'P'
import os
import struct
import subprocess

import imageio_ffmpeg


def ffmpeg(*arguments):
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments], check=True)


def facts(name):
    """Frames a second by the stream header, chunks of video, and bytes of a file."""
    with open(name, "rb") as file:
        content = file.read()
    header = content.index(b"strh") + 8
    scale, rate = struct.unpack_from("<II", content, header + 20)
    index = content.rindex(b"idx1")
    (entries,) = struct.unpack_from("<I", content, index + 4)
    return rate / scale, entries // 16, len(content)


ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=2", "-c:v", "mjpeg", "film.mkv")
ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=2", "-c:v", "mjpeg", "coded.avi")
ffmpeg("-i", "film.mkv", "-c", "copy", "copied.avi")
print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version(), "film.mkv:", os.path.getsize("film.mkv"), "bytes")
found = {name: facts(name) for name in ("coded.avi", "copied.avi")}
for name, (rate, chunks, size) in found.items():
    print(f"{name}: {rate:g} frames/s, {chunks} chunks, {size} bytes")
raise SystemExit(found["coded.avi"][:2] != (25, 50) or found["copied.avi"][:2] != (1000, 2000))
P
