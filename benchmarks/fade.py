# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`python -m benchmarks.fade CODED DECODED FRAMES RATE`: make a video that fades from each coded still to the next."""

import sys
from fractions import Fraction

import av
import numpy as np

from benchmarks.codecs import GOP


def fade(coded: str, decoded: str, frames: int, rate: Fraction) -> None:
    """Write a lossless video. The coded stills are every (GOP - 1)th picture and the last one."""
    with av.open(coded) as container:
        stills = [frame.to_ndarray(format="yuv420p").astype(np.float32) for frame in container.decode(video=0)]
    places = [*range(0, frames - 1, GOP - 1), frames - 1]
    with av.open(decoded, "w") as output:
        height, width = stills[0].shape[0] * 2 // 3, stills[0].shape[1]
        track = output.add_stream("ffv1", rate=rate, width=width, height=height, pix_fmt="yuv420p")
        for index in range(frames):
            after = int(np.searchsorted(places, index))
            share = 1.0 if index == places[after] else (index - places[after - 1]) / (places[after] - places[after - 1])
            mixed = share * stills[after] + (1 - share) * stills[max(after - 1, 0)]
            frame = av.VideoFrame.from_ndarray(np.round(mixed).astype(np.uint8), format="yuv420p")
            frame.pts = index
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


if __name__ == "__main__":
    fade(sys.argv[1], sys.argv[2], int(sys.argv[3]), Fraction(sys.argv[4]))
