#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# MediaInfo 24.12 (from pymediainfo 7.0.1): the Format of a video track with a FOURCC that it does not know.
#
# Expected: the same Format in AVI and in Matroska, whose V_MS/VFW/FOURCC tracks carry AVI's header with that FOURCC.
# Seen: Format is "QQQ1" in AVI and "V_MS/VFW/FOURCC / QQQ1" in Matroska. Codec ID is spelt that way of known codecs
# too, but their Format is the codec's name in both. Scripts that sort files by Format take one codec for two.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pymediainfo==7.0.1 imageio-ffmpeg==0.8.1
cd "$folder"
venv/bin/python - <<'P'
import subprocess
from pathlib import Path

import imageio_ffmpeg
from pymediainfo import MediaInfo

source = ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=25:duration=1", "-c:v", "ffvhuff"]
found = {}
for container in ("avi", "mkv"):
    known, unknown = f"known.{container}", f"unknown.{container}"
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), *source, known], check=True)
    Path(unknown).write_bytes(Path(known).read_bytes().replace(b"FFVH", b"QQQ1"))
    for name in (known, unknown):
        found[name] = MediaInfo.parse(name).video_tracks[0].format
        print(f"{name}: Format {found[name]}")
print("MediaInfo", ".".join(map(str, MediaInfo._get_library()[-1])))
expected = {"known": ("HuffYUV", "HuffYUV"), "unknown": ("QQQ1", "V_MS/VFW/FOURCC / QQQ1")}
raise SystemExit(found != {f"{k}.{c}": v for k, pair in expected.items() for c, v in zip(("avi", "mkv"), pair)})
P
