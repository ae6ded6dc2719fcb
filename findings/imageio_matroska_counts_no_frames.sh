#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# imageio 2.38.1 with its PyAV plugin (PyAV 18.1.0): how many pictures a file has.
#
# Expected: improps() gives the number of pictures, an estimate, or an error where a container does not know.
# Seen: of 20 pictures it says 20 in MP4 and AVI, and 0 in Matroska (shape (0, 64, 64, 3)); all 20 can be read from it.
# A loop over range(n_images) skips the whole video without a word.
#
# Needs Python 3.11 or newer with venv, and PyPI. Exits 1 if this changes.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check imageio==2.38.1 av==18.1.0 numpy==2.2.6
cd "$folder"
"$folder/venv/bin/python" - <<'P'
import av
import imageio
import imageio.v3 as iio
import numpy as np

pictures = np.random.default_rng(0).integers(0, 255, (20, 64, 64, 3), dtype=np.uint8)
found = {}
for name in ("film.mkv", "film.mp4", "film.avi"):
    iio.imwrite(name, pictures, plugin="pyav", codec="mpeg4", fps=25)
    said = iio.improps(name, plugin="pyav").n_images
    found[name] = said, sum(1 for _ in iio.imiter(name, plugin="pyav"))
    print(f"imageio {imageio.__version__}, PyAV {av.__version__}, {name}: says {said}, gives {found[name][1]}")
raise SystemExit(found != {"film.mkv": (0, 20), "film.mp4": (20, 20), "film.avi": (20, 20)})
P
