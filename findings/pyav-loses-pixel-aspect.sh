#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# PyAV 18.1.0 (FFmpeg 8.1.2, Linux x86-64, Python 3.11): the sample aspect ratio of an output's video reaches the codec
# parameters alone, not AVStream.sample_aspect_ratio, where the muxers of Matroska and NUT look for it, and there is no
# setter for that one. `ffmpeg -aspect` sets both.
#
# One expects a Matroska file with a display size, as FFmpeg's program writes it. What happens: its DisplayUnit says
# "unknown" (54 B2 81 04), and for a codec whose packets do not say the aspect themselves it is lost.
#   mkv: asked for 4/3, reads back None, DisplayUnit unknown: True
#   nut: asked for 4/3, reads back None
# Exits 1 if that changes.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0
"$folder/venv/bin/python" - "$folder" <<'PYTHON' | tee "$folder/said"
import sys
from fractions import Fraction

import av

for extension in ("mkv", "nut"):
    path = f"{sys.argv[1]}/out.{extension}"
    with av.open(path, "w") as output:
        track = output.add_stream("libvpx", 25, width=64, height=48)
        track.pix_fmt = "yuv420p"
        track.codec_context.sample_aspect_ratio = Fraction(4, 3)
        frame = av.VideoFrame(64, 48, "yuv420p")
        output.mux([*track.encode(frame), *track.encode(None)])
    with av.open(path) as found:
        said = f"{extension}: asked for 4/3, reads back {found.streams.video[0].sample_aspect_ratio or None}"
    if extension == "mkv":
        with open(path, "rb") as file:
            said += f", DisplayUnit unknown: {bytes.fromhex('54b28104') in file.read()}"
    print(said)
PYTHON
grep -q "^mkv: asked for 4/3, reads back None, DisplayUnit unknown: True" "$folder/said"
grep -q "^nut: asked for 4/3, reads back None" "$folder/said"
