# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What tests/test_vapoursynth.py has a Python with VapourSynth do: it prints the frames of films as JSON.

python vapoursynth_exercise.py FILM...
"""

import hashlib
import json
import random
import sys
from collections.abc import Callable
from functools import partial

import numpy as np
import vapoursynth as vs

from gvc.vapoursynth import source


def checksum(frame: vs.VideoFrame) -> str:
    """Return the MD5 of a frame's planes."""
    planes = (np.ascontiguousarray(np.asarray(frame[i])) for i in range(frame.format.num_planes))
    return hashlib.md5(b"".join(plane.tobytes() for plane in planes)).hexdigest()


def checked(ask: Callable[[], vs.VideoFrame]) -> str:
    """Return the MD5 of the frame that a function returns, or what is said instead."""
    try:
        return checksum(ask())
    except vs.Error as error:
        return str(error).strip().splitlines()[-1]


def is_concealed(clip: vs.VideoNode, number: int) -> bool:
    """Return whether a frame can be had, but stands in for one that was lost."""
    try:
        return bool(clip.get_frame(number).props["gvc_concealed"])
    except vs.Error:
        return False


def report(path: str) -> dict:
    """Return what a film is like, and its frames in the order of the film and, from a second clip, in a random one."""
    try:
        clip, other = source(path), source(path)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}
    numbers = range(clip.num_frames)
    mixed = random.Random(7).sample(numbers, len(numbers))
    requests = {number: other.get_frame_async(number) for number in mixed}  # Several threads take them
    found = {number: checked(request.result) for number, request in requests.items()}
    return {
        "format": clip.format.name,
        "rate": str(clip.fps),
        "linear": [checked(partial(clip.get_frame, number)) for number in numbers],
        "mixed": [found[number] for number in numbers],
        "concealed": [number for number in numbers if is_concealed(clip, number)],
        "props": {name: str(value) for name, value in clip.get_frame(1).props.items()},
    }


print(json.dumps({path: report(path) for path in sys.argv[1:]}))
