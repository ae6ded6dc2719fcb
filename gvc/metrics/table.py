# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The metrics by name, and one pass over the pictures that measures any of them."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from .errors import MetricError, needed
from .flicker import Flicker
from .frames import Frames
from .pixels import ms_ssim, psnr_rgb, psnr_y
from .source import SourceMemory
from .vmaf import Vmaf

if TYPE_CHECKING:
    from .perceptual import Dists, Lpips, NetworkDistance

# Networks look at every fifth picture only. Five has no factor in common with the usual lengths of GOPs; otherwise the
# pictures at GOP boundaries would be seen more often than their share.
EVERY = 5


class Meter(Protocol):
    """Measures one metric over consecutive pictures."""

    def add(self, source: Frames, decoded: Frames) -> None: ...

    def finish(self) -> list[float | None]:
        """Return a value for each picture; None for a picture without one."""

    def close(self) -> None:
        """Release processes and files, whether the measurement is finished or not."""


@dataclass(frozen=True)
class Metric:
    """One metric.

    Args:
        label: name in reports.
        unit: unit in reports; empty if there is none.
        digits: number of decimals in reports.
        higher_is_better: whether higher values mean closer pictures.
        smallest: smallest side of a picture, in pixels, that the metric can measure.
        start: function that opens a meter. It is given `every`, width, height and the memory of the source.
    """

    label: str
    unit: str
    digits: int
    higher_is_better: bool
    smallest: int
    start: Callable[[int, int, int, SourceMemory], Meter]


class _PerPicture:
    """A meter for a function of one source picture and one decoded picture. It may measure every n-th pair only."""

    def __init__(self, function: Callable[[Frames, Frames], np.ndarray], every: int = 1):
        self._function, self._every = function, every
        self._values: list[float | None] = []

    def add(self, source: Frames, decoded: Frames) -> None:
        for i in range(len(source)):  # One by one, as features take hundreds of times the memory of a picture.
            wanted = len(self._values) % self._every == 0
            self._values.append(self._of(source[[i]], decoded[[i]]) if wanted else None)

    def _of(self, source: Frames, decoded: Frames) -> float:
        return self._function(source, decoded).item()

    def finish(self) -> list[float | None]:
        return self._values

    def close(self) -> None:
        """Nothing is held."""


class _ByNetwork(_PerPicture):
    """A meter for a network, which looks at each picture of the source once."""

    def __init__(self, name: str, network: "NetworkDistance", every: int, memory: SourceMemory):
        super().__init__(network.distance, every)
        self._name, self._network, self._memory = name, network, memory

    def _of(self, source: Frames, decoded: Frames) -> float:
        known = self._memory.of((self._name, len(self._values)), lambda: self._network.features(source))
        return self._network.distance(known, decoded).item()


def _network(name: str, label: str, make: Callable[[ModuleType], "Lpips | Dists"]) -> Metric:
    """Return a metric by a network, which `make` takes from the module `perceptual`. Importing that needs torch."""

    def start(every: int, width: int, height: int, memory: SourceMemory) -> _ByNetwork:
        networks = needed("gvc.metrics.perceptual")
        return _ByNetwork(name, networks.NetworkDistance(make(networks)), every, memory)

    return Metric(label, "", 4, False, 32, start)


def _vmaf(label: str, model: str, smallest: int) -> Metric:
    """Return a metric by a model of libvmaf."""
    return Metric(label, "", 2, True, smallest, lambda every, width, height, _: Vmaf(model, width, height))


METRICS = {
    "psnr_rgb": Metric("PSNR RGB", "dB", 2, True, 1, lambda *_: _PerPicture(psnr_rgb)),
    "psnr_y": Metric("PSNR Y", "dB", 2, True, 1, lambda *_: _PerPicture(psnr_y)),
    "ms_ssim": Metric("MS-SSIM", "", 4, True, 161, lambda every, *_: _PerPicture(ms_ssim, every)),
    "lpips_alex": _network("lpips_alex", "LPIPS (AlexNet)", lambda networks: networks.Lpips("alexnet")),
    "lpips_vgg": _network("lpips_vgg", "LPIPS (VGG)", lambda networks: networks.Lpips("vgg16")),
    "dists": _network("dists", "DISTS", lambda networks: networks.Dists()),
    "vmaf": _vmaf("VMAF v0.6.1", "vmaf_v0.6.1", 64),
    "vmaf_neg": _vmaf("VMAF v0.6.1neg", "vmaf_v0.6.1neg", 64),
    "vmaf_v1": _vmaf("VMAF v1", "vmaf_v1.0.16_3d0h", 216),
    "flicker": Metric("flicker", "levels", 2, False, 32, lambda every, w, h, memory: Flicker(w, h, memory)),
}


@dataclass
class Scores:
    """Values by metric and picture, and the reasons why other metrics could not be measured."""

    frames: dict[str, list[float | None]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def means(self) -> dict[str, float]:
        """Return the mean over the pictures that have a value; a metric without any is left out."""
        known = {name: [v for v in values if v is not None] for name, values in self.frames.items()}
        return {name: float(np.mean(values)) for name, values in known.items() if values}


class Measurement:
    """Measures decoded pictures against their source, batch by batch. Metrics that cannot be measured are noted.

    A context manager: some meters have processes and files, which end with the block.

    Args:
        names: keys of METRICS. Default: all.
        every: distance between the pictures that metrics by networks, and MS-SSIM, look at. Default: 5.
        memory: memory of this source, shared by all measurements that begin at the same picture. Default: none.
    """

    def __init__(self, names: Iterable[str] = METRICS, every: int = EVERY, memory: SourceMemory | None = None):
        self._names, self._every, self._memory = list(names), every, memory or SourceMemory()
        self._scores = Scores()
        self._meters: dict[str, Meter] | None = None
        self._held = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def add(self, source: Frames, decoded: Frames) -> None:
        """Measure the next pictures; all pictures of a measurement have one size."""
        if self._meters is None:
            self._meters = {}
            for name in self._names:
                with self._noting(name):
                    meter = _start(name, self._every, source, self._memory)
                    self._meters[name] = self._held.enter_context(closing(meter))
        for name, meter in self._intact():
            with self._noting(name):
                meter.add(source, decoded)

    def finish(self) -> Scores:
        """Return all values. Call it once, at the end."""
        for name, meter in self._intact():
            with self._noting(name):
                self._scores.frames[name] = meter.finish()
        return self._scores

    def _intact(self) -> list[tuple[str, Meter]]:
        meters = self._meters or {}
        return [(name, meter) for name, meter in meters.items() if name not in self._scores.missing]

    @contextmanager
    def _noting(self, name: str) -> Iterator[None]:
        """Note the error that keeps a metric from being measured."""
        try:
            yield
        except MetricError as error:
            self._scores.missing[name] = f"{METRICS[name].label}: {error}"


def measure(
    pairs: Iterable[tuple[Frames, Frames]],
    names: Iterable[str] = METRICS,
    every: int = EVERY,
    memory: SourceMemory | None = None,
) -> Scores:
    """Measure pairs (source, decoded) of consecutive pictures in one pass; the arguments are those of Measurement."""
    with Measurement(names, every, memory) as measurement:
        for source, decoded in pairs:
            measurement.add(source, decoded)
        return measurement.finish()


def _start(name: str, every: int, first: Frames, memory: SourceMemory) -> Meter:
    metric, (height, width) = METRICS[name], first.luma.shape[1:]
    if min(width, height) < metric.smallest:
        raise MetricError(f"pictures of {width}x{height} are too small; it needs {metric.smallest} pixels a side")
    return metric.start(every, width, height, memory)
