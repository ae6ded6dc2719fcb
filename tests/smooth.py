# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Clips of smooth moving colours, which survive a conversion to RGB and back."""

import numpy as np

from gvc.media import Clip, Planes, VideoFormat
from gvc.prior import Condition


def smooth_clip(video_format: VideoFormat, frames: int, seed: int = 0) -> Clip:
    """Return a clip of waves in all planes, whose colours are all within the RGB gamut."""
    phases = np.random.default_rng(seed).uniform(0, 6, 3)
    clip = []
    for (height, width), phase, swing in zip(video_format.plane_shapes, phases, (60, 25, 25), strict=True):
        t, y, x = np.ogrid[:frames, : float(height), : float(width)]
        wave = np.sin(phase + 0.4 * t + 2 * y / height) * np.cos(phase - 0.2 * t + 2 * x / width)
        clip.append(np.round(128 + swing * wave).astype(np.uint8))
    return tuple(clip)


def grey_clip(video_format: VideoFormat, frames: int, seed: int = 0) -> Clip:
    """Return the luma of `smooth_clip` without colour; in full range its samples equal its R, G and B."""
    luma, *chroma = smooth_clip(video_format, frames, seed)
    return (luma, *(np.full_like(plane, 128) for plane in chroma))


def picture(clip: Clip, index: int) -> Planes:
    """Return one picture of a clip."""
    return tuple(plane[index] for plane in clip)


def condition_of(mode: str, video_format: VideoFormat, clip: Clip, prompt: str = "") -> Condition:
    """Return the condition for a clip in a mode, with exact boundaries."""
    first = picture(clip, 0) if mode != "t2v" else None
    last = picture(clip, -1) if mode == "flf2v" else None
    return Condition(video_format, len(clip[0]), first, last, prompt=prompt)


def stretch(clip: Clip, frames: int, height: int, width: int) -> Clip:
    """Pad a clip of even size by repeating its edges."""
    result = []
    for plane, factor in zip(clip, (1, 2, 2), strict=True):
        size = (frames, height // factor, width // factor)
        result.append(np.pad(plane, [(0, n - m) for n, m in zip(size, plane.shape, strict=True)], mode="edge"))
    return tuple(result)
