#!/bin/sh
# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
#
# SVT-AV1 4.1.0 in PyAV 18.1.0, run as root: opening the encoder moves the *caller's* thread, and all of its own, to the
# real-time class SCHED_FIFO with priority 99. Threads made later inherit that.
#
# Expected: a library leaves the scheduling of the thread that calls it alone.
# Seen: policy 0 (SCHED_OTHER) before, 1 (SCHED_FIFO) with priority 99 afterwards, and it stays so when the encoder is
# gone. In a container, where everybody is root, a Python program that codes one AV1 picture then starves all others on a
# machine with few processors. Other users have no such right, so there nothing changes.
#
# Needs root, Python 3.11 to 3.13 and PyPI. Exits 1 if this changes.
set -eu
[ "$(id -u)" = 0 ] || { echo "needs root" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0
SVT_LOG=1 "$folder/venv/bin/python" - <<'P'
import gc
import os
from fractions import Fraction

import av


def scheduling():
    return os.sched_getscheduler(0), os.sched_getparam(0).sched_priority


before = scheduling()
encoder = av.CodecContext.create("libsvtav1", "w")
encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
encoder.options = {"preset": "10"}
encoder.open()
opened = scheduling()
frame = av.VideoFrame(64, 64, "yuv420p")
frame.pts = 0
packets = [*encoder.encode(frame), *encoder.encode(None)]
del encoder
gc.collect()
closed = scheduling()
print(f"PyAV {av.__version__}: policy and priority of the main thread {before}, opened {opened}, closed {closed}")
fifo = (os.SCHED_FIFO, 99)
raise SystemExit(not (len(packets) == 1 and before == (os.SCHED_OTHER, 0) and opened == closed == fifo))
P
