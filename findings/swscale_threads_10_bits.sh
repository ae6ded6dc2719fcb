#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# libswscale 9.5.102 (FFmpeg 8.1, in the wheel of PyAV 18.1.0; Linux x86-64, Python 3.11): where several threads convert
# to 10-bit Y'CbCr and the width is no multiple of 16, a picture now and then has a row, the first one of a thread's
# share, that was not converted: its luma is 512. One thread, other widths and 8 bits show nothing of it. PyAV's
# `reformat` and `to_ndarray` use as many threads as there are processors unless told otherwise.
#
# One expects a picture of one colour to stay one. What happens instead, with pictures of 854x240 (rgb24 to yuv420p10le):
#   854x240, 4 threads: some of 500 pictures have luma of 512 beside that of 426
#   854x240, 1 thread:  none has
#   848x240, 4 threads: none has
# How many of them it is differs from run to run. Exits 1 if it is none.
set -e
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q av==18.1.0 numpy==2.2.6
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import av
import numpy as np


def damaged(width, threads):
    """How many of 500 pictures of one colour have more than one after the conversion."""
    count, values = 0, set()
    for _ in range(500):
        frame = av.VideoFrame.from_ndarray(np.full((240, width, 3), (90, 120, 70), np.uint8), "rgb24")
        luma = frame.reformat(format="yuv420p10le", threads=threads).planes[0]
        rows = np.frombuffer(luma, np.uint16).reshape(240, -1)[:, :width]
        count += bool((rows != rows[0, 0]).any())
        values |= set(np.unique(rows).tolist())
    print(f"{width}x240, {threads} threads: {count} of 500 damaged, luma values {sorted(values)}")
    return count


print("PyAV", av.__version__, "libswscale", av.library_versions["libswscale"])
several, one, even = damaged(854, 4), damaged(854, 1), damaged(848, 4)
sys.exit(not (several > 0 == one == even))
PYTHON
