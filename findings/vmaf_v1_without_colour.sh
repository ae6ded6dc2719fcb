#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# libvmaf 86da14d (FFmpeg 9.0.2 from imageio-ffmpeg 0.8.1): VMAF v1 (vmaf_v1.0.16_3d0h), which judges chroma as well.
#
# Expected: a colourful picture that has lost all of its colour gets less than one that is equal to its source.
# Seen: it gets 100, the best there is, at every size, and the features of chroma (speed_chroma_*) are 0. Noise in chroma
# does cost points, but only from 320 pixels a side on; smaller pictures get 100 with any chroma whatever, without a word.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imageio-ffmpeg==0.8.1
cd "$folder"
venv/bin/python - <<'P'
import json
import subprocess

import imageio_ffmpeg

HARM = {"none": "null", "grey": "hue=s=0", "noise": "noise=c1s=60:c2s=60:c1f=t:c2f=t"}  # Luma stays as it is.
MODEL = "libvmaf=model=version=vmaf_v1.0.16_3d0h:log_fmt=json:log_path=log.json"


def vmaf(size, harm):
    """Mean VMAF v1 of a colourful test picture whose chroma is harmed, and the largest feature of chroma."""
    source = f"testsrc2=size={size}:rate=5:duration=0.6,noise=c0s=20:c1s=20:c2s=20"
    graph = f"format=yuv420p,split[a][b];[a]{harm},format=yuv420p10le[shown];[b]format=yuv420p10le[source];"
    command = ["-f", "lavfi", "-i", source, "-lavfi", f"{graph}[shown][source]{MODEL}", "-f", "null", "-"]
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *command], check=True)
    with open("log.json", encoding="utf-8") as file:
        log = json.load(file)
    chroma = [v for frame in log["frames"] for name, v in frame["metrics"].items() if name.startswith("speed_chroma")]
    return log["pooled_metrics"]["vmaf"]["mean"], max(chroma)


print("ffmpeg", imageio_ffmpeg.get_ffmpeg_version())
found = {(size, name): vmaf(size, harm) for size in ("1280x720", "416x240") for name, harm in HARM.items()}
for (size, name), (score, chroma) in found.items():
    print(f"{size}, harm to chroma: {name}: VMAF v1 {score:.2f}, features of chroma up to {chroma:.2f}")
seen = {case for case, (score, chroma) in found.items() if score < 99.9 or chroma > 0.01}
raise SystemExit(seen != {("1280x720", "noise")})
P
