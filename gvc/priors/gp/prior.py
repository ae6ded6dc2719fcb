# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gp`: a Gaussian process over the GOP, conditioned on its decoded boundary pictures, in closed form without weights.

The mean is in gvc.priors.gp.mean. The residual is an activity map (gvc.priors.gp.activity) times independent Gaussian
coefficients in an orthonormal basis (gvc.priors.gp.basis). The stream sends one variance for each band
(gvc.priors.gp.bands), so that the exact velocity is one multiplication for each coefficient. Since gp/4 a coefficient's
variance is also adapted, at each step and without bits, to the size of the coefficients around it.

Reverse water-filling (Cover and Thomas, "Elements of Information Theory", 10.3) decides which coefficients are carried.
The water level is theta = sigma^2 of the noise where coding stops. A coefficient of variance v > theta is scaled by
sqrt(1 - theta / v), so that the noise leaves an error of theta in each. The others are not carried at all.

Streams of older versions can be decoded. gp/1 carries more coefficients and does not scale them; gp/1 and gp/2 do not
correct motion (gvc.priors.gp.correction); none before gp/4 adapts variances.
"""

from collections.abc import Iterator

import numpy as np

from ..._native import local_velocity, with_residual
from ...bitstream.levels import MAX_LEVEL, level_sigma
from ...entropy import RangeDecoder
from ...errors import BitstreamError
from ...machine.lazy import lazy
from ...machine.parallel import each
from ...media import Clip
from ...prior import Condition
from . import bands, basis, mean
from .analysis import FILL, FILL_UNIT, LEVEL_BITS, GpAnalysis
from .correction import read_corrections
from .layout import PLANE_WEIGHTS, SAMPLE_SCALE, Layout
from .mean import Mean
from .residual import Residual
from .texture import textured

LEAST_KEPT = 0.02  # smallest share of a carried variance that remains after scaling
VERSIONS = (1, 2, 3, 4)
LEARNED = 4  # first version that adapts variances to decoded coefficients


class ConditionedGp:
    """The Gaussian process conditioned on one GOP; its latent vector holds the carried coefficients."""

    tail: list[slice] = []  # noqa: RUF012 - coefficients belong to no single picture
    known = ()
    follows_flow = False  # because a Gaussian's flow ends in noise and not in a picture

    def __init__(self, condition: Condition, layout: Layout, side: bytes, version: int):
        self._condition, self._layout, self._version = condition, layout, version
        decoder = RangeDecoder(side, "side")
        choice = decoder.decode_bits(2)
        if choice not in mean.choices(condition, version):
            raise BitstreamError("mean", 0, f"value {choice} does not fit the boundaries of this GOP")
        self._water = level_sigma(min(decoder.decode_bits(LEVEL_BITS), MAX_LEVEL)) ** 2 if version > 1 else 0.0
        colour = tuple(decoder.decode_bits(8) for _ in range(3)) if choice == mean.FLAT else (0, 0, 0)
        fields = []
        if choice == mean.MOTION and version >= mean.CORRECTED:
            closed = condition.last is not None
            fields = read_corrections(decoder, *condition.format.plane_shapes[0], layout.size, closed=closed)
        self.memory = bands.read_levels(decoder, 3, condition.memory)
        decoder.finish()
        self._stated_mean = Mean(condition, version, choice, colour, fields=fields)
        self._residual = self._take_residual()
        if self._residual:
            self._mean = self._residual.mean
        variances = bands.level_variances()[self.memory[:, : bands.BANDS].ravel()]
        # Levels are rounded, so the variance of a carried band can be a little below the water level.
        kept = np.maximum(variances - self._water, LEAST_KEPT * variances)
        self._scales = np.sqrt(kept / np.where(variances > 0, variances, 1.0)).astype(np.float32)
        self._variances = kept
        self.size = sum(map(self._carried_count, range(3)))
        self.blocks = [slice(0, self.size)] if self.size else []

    def _take_residual(self) -> Residual | None:
        """Encoder: return what the analysis of this GOP has left, if its mean is the stated one."""
        key, residual = self._condition.take(Residual) or (None, None)
        return residual if key == self._stated_mean.key() else None

    def _levels(self, plane: int) -> np.ndarray:
        """Return the levels of a plane's bands, int64 [BANDS]."""
        return self.memory[plane, : bands.BANDS]

    def _carried_count(self, plane: int) -> int:
        """Return the number of a plane's carried coefficients."""
        on = self._levels(plane) > 0
        return int(self._layout.planes[plane].counts()[on].sum()) if on.any() else 0

    @property
    def motion_mean(self) -> mean.MotionMean:
        """The motion-compensated mean with the corrections of the stream, whichever kind of mean is in use."""
        return self._stated_mean.motion

    # The following properties take memory and time. They are computed at their first use, so that the codec can check
    # `size` before.

    @lazy
    def _mean(self) -> Clip:
        return self._stated_mean.planes

    def _carried(self) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
        """Yield (plane, mask, bands) of the carried coefficients in each plane that has any (`PlaneBands.carried`)."""
        for i in range(3):
            if self._carried_count(i):
                yield i, *self._layout.planes[i].carried(self._levels(i))

    @lazy
    def _band(self) -> np.ndarray:
        """The band of each value of the latent, numbered across all planes, uint8 [size]."""
        numbers = [np.uint8(plane * bands.BANDS) + numbers for plane, _, numbers in self._carried()]
        return np.concatenate(numbers) if numbers else np.zeros(0, np.uint8)

    @lazy
    def _slabs(self) -> list[tuple[slice, int, np.ndarray, np.ndarray]]:
        """(Part of the latent, frequencies, spatial bands [h, w], their variances) of each plane's temporal bands."""
        slabs, start = [], 0
        variances = self._variances.reshape(3, bands.TEMPORAL_BANDS, bands.SPATIAL_BANDS)
        for i, plane in enumerate(self._layout.planes):
            for band, frequencies, numbers in plane.slabs(self._levels(i)):
                stop = start + frequencies * int(np.count_nonzero(numbers != bands.NOT_CARRIED))
                slabs.append((slice(start, stop), frequencies, np.ascontiguousarray(numbers), variances[i, band]))
                start = stop
        return slabs

    @property
    def sigma(self) -> float:
        """The noise level where coding stops; 0 for gp/1, whose streams do not say it."""
        return float(np.sqrt(self._water))

    def zeros(self) -> np.ndarray:
        """Return zeros, float32 [size]."""
        return np.zeros(self.size, np.float32)

    def deviations(self) -> list[np.ndarray | float]:
        """Return the expected error of unknown samples after coding, for each plane: float32 [H, W] or one number.

        It is a standard deviation in samples. Carried coefficients have the error of the water level; the others have
        the energy that the stream states for bands that are not carried.
        """
        return [self._deviation(i) for i in range(3)]

    def _deviation(self, plane: int) -> np.ndarray | float:
        layout, levels = self._layout.planes[plane], self.memory[plane]
        counts, carried = layout.counts(), levels[: bands.BANDS] > 0
        fill = bands.level_variances()[levels[FILL]] * FILL_UNIT * int((~carried).sum())
        left = (float(counts[carried].sum()) * self._water + fill) / max(int(counts.sum()), 1)
        activity = self._layout.activity(plane)
        return float(np.sqrt(left)) / PLANE_WEIGHTS[plane] * (1.0 if activity is None else activity)

    def velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        """Return (x - E[x0 | x_t = x]) / t, exact for a Gaussian of the current variances."""
        if self._version >= LEARNED:
            return self._learned_velocity(x, t)
        shrunk = (1 - t) * self._variances
        gain = (shrunk / ((1 - t) * shrunk + t * t)).astype(np.float32)
        return (x - gain[self._band] * x) / np.float32(t)

    def _learned_velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        """Return the velocity with variances adapted to the state itself."""
        result = np.empty_like(x)

        def fill(part: slice, frequencies: int, numbers: np.ndarray, variances: np.ndarray) -> None:
            result[part] = local_velocity(x[part].reshape(frequencies, -1), numbers, variances, t).ravel()

        each(fill, *zip(*self._slabs, strict=True))
        return result

    def encode_latent(self, clip: Clip) -> np.ndarray:
        """Return the scaled carried coefficients of the clip's residual, float32 [size]."""
        known, self._residual = self._residual, None
        if not self.size:
            self._layout.drop_activity()
            return self.zeros()
        residual = known if known and known.is_of(clip) else Residual(self._layout, clip, self._mean)
        corners = [
            residual.planes[i].coefficients(bands.PlaneBands.last(self._levels(i)))[mask]
            for i, mask, _ in self._carried()
        ]
        return np.concatenate(corners) * self._scales[self._band]

    def decode_latent(self, x0: np.ndarray, realism: float) -> Clip:
        """Return the pictures, uint8 [T, H, W] for each plane; realism > 0 sharpens luma and adds grain to it."""
        unknown, start = list(self._mean), 0
        x0 = x0 / self._scales[self._band]
        for i, mask, numbers in self._carried():
            coefficients = np.zeros(mask.shape, np.float32)
            coefficients[mask] = x0[start : start + len(numbers)]
            start += len(numbers)
            unknown[i] = self._with_residual(i, coefficients)
        planes = list(map(self._complete, range(3), unknown))
        if realism > 0:
            planes[0] = textured(planes[0], self.deviations()[0], self.sigma, realism)
        return tuple(planes)

    def _complete(self, plane: int, unknown: np.ndarray) -> np.ndarray:
        """Return all pictures of a plane, the known ones before and after the unknown ones; always a new array."""
        known = [planes[plane][None] for planes in (self._condition.first, self._condition.last) if planes is not None]
        return np.concatenate([*known[:1], unknown, *known[1:]])[: self._condition.frames]

    def _with_residual(self, plane: int, coefficients: np.ndarray) -> np.ndarray:
        """Return the unknown pictures of a plane, uint8 [T', H, W], from a low-frequency corner of its coefficients."""
        made, activity = self._mean[plane], self._layout.activity(plane)
        scale = 1 / PLANE_WEIGHTS[plane]

        def picture(mean_picture: np.ndarray, spatial: np.ndarray) -> np.ndarray:
            residual = basis.picture_of(spatial, *mean_picture.shape)
            return with_residual(mean_picture, residual, activity, scale)

        spatial = np.tensordot(self._layout.time.T, coefficients, 1)
        return np.array(each(picture, made, spatial), np.uint8).reshape(made.shape)


class GpPrior:
    """The bundled prior `gp`.

    version: version of the streams to decode, default the latest; encoding needs the latest.
    """

    weights_hash = bytes(8)
    modes = ("t2v", "i2v", "flf2v")
    adaptive_modes = ("flf2v",)
    cheap_steps = True
    has_low_band = False
    concurrent = True
    sample_scale = SAMPLE_SCALE

    def __init__(self, version: int = VERSIONS[-1]):
        self.name, self._version = f"gp/{version}", version

    def analyse(self, condition: Condition, clip: Clip) -> GpAnalysis:
        """Choose the mean of a GOP and measure the bands of its residual."""
        return GpAnalysis(condition, clip, VERSIONS[-1])

    def condition(self, condition: Condition, side: bytes) -> ConditionedGp:
        """Condition the process on one GOP. Raises BitstreamError if `side` is not valid."""
        return ConditionedGp(condition, Layout.of(condition), side, self._version)
