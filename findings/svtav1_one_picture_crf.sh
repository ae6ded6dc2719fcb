#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# SVT-AV1 4.1.0 in PyAV 18.1.0: one picture, one crf, and only the prediction structure differs.
#
# Expected: a single intra picture refers to nothing, so low delay (pred-struct=1) and random access (2) code it alike.
# Seen: low delay takes 2.0 times the bytes at crf 20 and 3.4 times at crf 45, for a better picture: the only picture
# gets another quantiser. Who compares encoders of single pictures by crf, or moves from one structure to the other,
# compares two qualities.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.2.6
SVT_LOG=0 "$folder/venv/bin/python" - <<'P'
from fractions import Fraction

import av
import numpy as np

random = np.random.default_rng(1)
blocks = np.kron(random.integers(30, 220, (30, 52)), np.ones((8, 8)))
grey = np.clip(blocks + random.normal(0, 6, blocks.shape), 0, 255).astype(np.uint8)


def code(structure, crf):
    encoder = av.CodecContext.create("libsvtav1", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 416, 240, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
    encoder.options = {"crf": str(crf), "preset": "6", "svtav1-params": f"pred-struct={structure}"}
    frame = av.VideoFrame.from_ndarray(grey, "gray").reformat(format="yuv420p")
    frame.pts = 0
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    decoder = av.CodecContext.create("libdav1d", "r")
    (shown,) = [picture for packet in (*packets, None) for picture in decoder.decode(packet)]
    luma, source = (picture.to_ndarray()[:240].astype(float) for picture in (shown, frame))
    return sum(packet.size for packet in packets), 10 * np.log10(255**2 / np.square(luma - source).mean())


ratios = {}
for crf in (20, 45):
    coded = {name: code(structure, crf) for name, structure in (("low delay", 1), ("random access", 2))}
    ratios[crf] = coded["low delay"][0] / coded["random access"][0]
    said = (f"{name} {size} bytes, {psnr:.1f} dB" for name, (size, psnr) in coded.items())
    print(f"PyAV {av.__version__}, crf {crf}: {'; '.join(said)}")
raise SystemExit(not (ratios[20] > 1.5 and ratios[45] > 2.5))
P
