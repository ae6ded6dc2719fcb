"""The metrics by name, and one pass over the pictures that measures any of them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from .errors import MetricError
from .flicker import Flicker
from .frames import Frames
from .perceptual import PerPicture, dists, lpips
from .pixels import ms_ssim, psnr_rgb, psnr_y
from .vmaf import Vmaf

# Networks look at every fifth picture: a number that shares no factor with the length of GOPs, whose boundary pictures
# would otherwise be seen more often than they are there.
EVERY = 5


class Meter(Protocol):
    """Measures one metric over consecutive pictures."""

    def add(self, source: Frames, decoded: Frames) -> None: ...

    def finish(self) -> list[float | None]:
        """Return a value for each picture, None where there is none."""


@dataclass(frozen=True)
class Metric:
    """One metric. `smallest` is the least side of a picture in pixels; `start` opens a meter, given every, w, h."""

    label: str
    unit: str
    higher_is_better: bool
    smallest: int
    start: Callable[[int, int, int], Meter]


class _PerPicture:
    """A meter for a function of two pictures alone, which may look at every n-th only."""

    def __init__(self, function: PerPicture, every: int = 1):
        self._function, self._every = function, every
        self._values: list[float | None] = []

    def add(self, source: Frames, decoded: Frames) -> None:
        for i in range(len(source)):  # one by one: a network's features take hundreds of times a picture's memory
            wanted = len(self._values) % self._every == 0
            self._values.append(self._function(source[[i]], decoded[[i]]).item() if wanted else None)

    def finish(self) -> list[float | None]:
        return self._values


METRICS = {
    "psnr_rgb": Metric("PSNR RGB", "dB", True, 1, lambda *_: _PerPicture(psnr_rgb)),
    "psnr_y": Metric("PSNR Y", "dB", True, 1, lambda *_: _PerPicture(psnr_y)),
    "ms_ssim": Metric("MS-SSIM", "", True, 161, lambda every, *_: _PerPicture(ms_ssim, every)),
    "lpips_alex": Metric("LPIPS (AlexNet)", "", False, 32, lambda every, *_: _PerPicture(lpips("alexnet"), every)),
    "lpips_vgg": Metric("LPIPS (VGG)", "", False, 32, lambda every, *_: _PerPicture(lpips("vgg16"), every)),
    "dists": Metric("DISTS", "", False, 32, lambda every, *_: _PerPicture(dists(), every)),
    "vmaf": Metric("VMAF", "", True, 64, lambda every, w, h: Vmaf(w, h)),
    "flicker": Metric("flicker", "levels", False, 32, lambda every, w, h: Flicker(w, h)),
}


@dataclass
class Scores:
    """Values by metric and picture, and for what could not be measured the reason."""

    frames: dict[str, list[float | None]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def means(self) -> dict[str, float]:
        """Return the mean over the pictures that have a value; a metric without any is left out."""
        known = {name: [v for v in values if v is not None] for name, values in self.frames.items()}
        return {name: float(np.mean(values)) for name, values in known.items() if values}


def measure(pairs: Iterable[tuple[Frames, Frames]], names: Iterable[str] = METRICS, every: int = EVERY) -> Scores:
    """Measure decoded pictures against their source in one pass; what cannot be had is left out and said.

    Args:
        pairs: (source, decoded), consecutive pictures of one size.
        names: of METRICS.
        every: metrics by networks, and MS-SSIM, look at every n-th picture only.
    """
    scores, meters = Scores(), None
    for source, decoded in pairs:
        if meters is None:
            meters = {}
            for name in names:
                with _noting(scores, name):
                    meters[name] = _start(name, every, source)
        for name, meter in meters.items():
            if name not in scores.missing:
                with _noting(scores, name):
                    meter.add(source, decoded)
    for name, meter in (meters or {}).items():
        if name not in scores.missing:
            with _noting(scores, name):
                scores.frames[name] = meter.finish()
    return scores


def _start(name: str, every: int, first: Frames) -> Meter:
    metric, (height, width) = METRICS[name], first.luma.shape[1:]
    if min(width, height) < metric.smallest:
        raise MetricError(f"pictures of {width}x{height} are too small; it needs {metric.smallest} pixels a side")
    return metric.start(every, width, height)


@contextmanager
def _noting(scores: Scores, name: str) -> Iterator[None]:
    """Turn what keeps a metric from being measured into a note."""
    try:
        yield
    except MetricError as error:
        scores.missing[name] = f"{METRICS[name].label}: {error}"
