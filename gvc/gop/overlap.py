# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Overlap of T2V GOPs: a GOP may also code the first pictures of the next one, so that both can be blended."""

import numpy as np

from ..media import Clip
from ..pictures.fade import fade


class Overlap:
    """Blends the GOPs of a stream at their joints; encoder and decoder each have an instance."""

    def __init__(self):
        self.forget()

    def forget(self) -> None:
        """Forget the stored pictures, so that the next GOP is not blended."""
        self._ahead: Clip | None = None

    def join(self, clip: Clip, shown: int, key: bool) -> Clip:
        """Return the pictures of a GOP to show, and store the further ones for the next GOP.

        Pictures that the GOP before has coded too fade from its version to this GOP's. A keyframe is not blended,
        since decoding may start there.

        clip: all pictures of the GOP, uint8 [T, H, W] for each plane.
        shown: number of pictures to show.
        key: whether the GOP is a keyframe.
        """
        pictures = tuple(plane[:shown] for plane in clip)
        if self._ahead and not key:
            pictures = tuple(_blend(*planes) for planes in zip(self._ahead, pictures, strict=True))
        ahead = tuple(plane[shown:] for plane in clip)
        self._ahead = ahead if len(ahead[0]) else None
        return pictures


def _blend(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Fade from `before`, uint8 [N, H, W], to `after`, uint8 [T, H, W], over their first min(N, T) pictures."""
    count = min(len(before), len(after))
    mixed = [fade(before[i], after[i], [i + 1], count + 1) for i in range(count)]
    return np.concatenate([*mixed, after[count:]])
