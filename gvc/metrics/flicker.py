# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Flicker: changes along the motion of the source that the source itself does not have.

The warping error of Lai et al. 2018 (arXiv 1808.00449) is the difference between a picture V and the one before it,
moved by optical flow, wherever the flow can be trusted. A blurred video has less of it than its source, so here the
residual of the source is subtracted before squaring:

    flicker(t) = sqrt(mean over visible pixels of (r_decoded - r_source)^2),  r_V = V(t) - warp(V(t - 1))

in levels of luma (0..255). Both residuals use the flow of the source, by DIS (Kroeger et al. 2016, arXiv 1603.03590,
as in OpenCV, preset medium). A pixel is visible where the flows forth and back cancel (Sundaram, Brox and Keutzer
2010): |b + f|^2 < .01 (|b|^2 + |f|^2) + .5. An error that moves with its object costs nothing; an error that comes and
goes does.
"""

import numpy as np

from .errors import needed
from .frames import Frames
from .source import SourceMemory


class Flicker:
    """Measures picture by picture. The first picture has no value."""

    def __init__(self, width: int, height: int, memory: SourceMemory):
        self._cv2 = needed("cv2")
        self._dis = self._cv2.DISOpticalFlow_create(self._cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        self._grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
        self._last, self._memory = None, memory
        self._values: list[float | None] = []

    def add(self, source: Frames, decoded: Frames) -> None:
        for picture, shown in zip(source.luma, decoded.luma, strict=True):
            error = shown.astype(np.float32) - picture
            self._values.append(self._against(*self._last, picture, error) if self._last else None)
            self._last = picture, error

    def finish(self) -> list[float | None]:
        return self._values

    def close(self) -> None:
        """Nothing is held."""

    def _against(self, before: np.ndarray, old_error: np.ndarray, now: np.ndarray, error: np.ndarray) -> float | None:
        """Return the flicker of a picture; None if no pixel is visible.

        Warping is linear, so the difference of the residuals is the residual of the coding error.
        """
        origin, visible = self._memory.of(("flicker", len(self._values)), lambda: self._motion(before, now))
        if not visible.any():
            return None
        return float(np.sqrt(np.square(error - self._warp(old_error, origin))[visible].mean()))

    def _motion(self, before: np.ndarray, now: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return each pixel's place (x, y) in the last picture, float32 [H, W, 2], and its visibility, bool [H, W]."""
        back, forth = self._dis.calc(now, before, None), self._dis.calc(before, now, None)
        origin = self._grid + back
        forth = self._warp(forth, origin)
        inside = ((origin >= 0) & (origin <= self._grid[-1, -1])).all(-1)
        return origin, inside & (_square(back + forth) < 0.01 * (_square(back) + _square(forth)) + 0.5)

    def _warp(self, values: np.ndarray, origin: np.ndarray) -> np.ndarray:
        return self._cv2.remap(values, origin, None, self._cv2.INTER_LINEAR, borderMode=self._cv2.BORDER_REPLICATE)


def _square(vectors: np.ndarray) -> np.ndarray:
    return np.square(vectors).sum(-1)
