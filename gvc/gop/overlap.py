# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Overlap of T2V GOPs: a GOP may code pictures of the next one too, so that the two can be blended into each other."""

import numpy as np

from ..media import Clip
from ..pictures.fade import fade


class Overlap:
    """Joins the GOPs of one stream; encoder and decoder have one each."""

    def __init__(self):
        self.forget()

    def forget(self) -> None:
        """Blend nothing into the next GOP."""
        self._foreseen: Clip | None = None

    def join(self, clip: Clip, shown: int, key: bool) -> Clip:
        """Return the first `shown` pictures of a GOP's `clip`, uint8 [T, H, W] a plane; keep the rest for the next GOP.

        Those that the GOP before has coded too fade from its version to this one's, unless the GOP is a keyframe:
        decoding may have started there.
        """
        pictures = tuple(plane[:shown] for plane in clip)
        if self._foreseen and not key:
            pictures = tuple(_blend(*planes) for planes in zip(self._foreseen, pictures, strict=True))
        ahead = tuple(plane[shown:] for plane in clip)
        self._foreseen = ahead if len(ahead[0]) else None
        return pictures


def _blend(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Fade from `before`, uint8 [N, H, W], to `after`, uint8 [T, H, W], over their first min(N, T) pictures."""
    count = min(len(before), len(after))
    mixed = [fade(before[i], after[i], [i + 1], count + 1) for i in range(count)]
    return np.concatenate([*mixed, after[count:]])
