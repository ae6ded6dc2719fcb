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

from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np

from ..._native import local_velocity
from ...bitstream.levels import MAX_LEVEL, level_sigma, sigma_level
from ...entropy import RangeDecoder, RangeEncoder
from ...errors import BitstreamError
from ...loop.codebook import ATOM_OVERHEAD, bit_price
from ...machine.parallel import each
from ...media import Clip
from ...prior import CHROMA_WEIGHT, Condition
from . import bands, basis, mean
from .activity import activity_maps
from .correction import Corrections, Grid, read_corrections, write_corrections
from .correction_search import CorrectionSearch
from .mean import MotionMean
from .texture import textured

SAMPLE_SCALE = 64.0  # luma samples per latent unit
PLANE_WEIGHTS = (1 / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE)
CARRY_THRESHOLD = 1.1  # ratio of a band's variance to the water level from which the band is carried
LEVEL_BITS = 10  # number of bits that code the noise level of the water level
LEAST_KEPT = 0.02  # smallest share of a carried variance that remains after scaling
VERSIONS = (1, 2, 3, 4)
LEARNED = 4  # first version that adapts variances to decoded coefficients
CORRECTION_PRICE = 0.5  # price of a bit of corrections, relative to a bit of atoms
FILL = bands.BANDS  # index of the level for the mean energy of bands that are not carried
FILL_UNIT = 64.0  # energy that variance 1 stands for in that level, so that energies fit the range of levels


@dataclass(frozen=True)
class Layout:
    """The unknown pictures of a GOP and the structure of their coefficients, which follow from the condition alone."""

    span: slice  # unknown pictures
    time: np.ndarray  # temporal basis, float32 [T', T']
    planes: list[bands.PlaneBands]
    activity: list[np.ndarray | None]  # activity map of each plane

    @classmethod
    def of(cls, condition: Condition) -> "Layout":
        """Return the layout for a condition, which is computed once."""
        return condition.once(cls, lambda: cls._of(condition))

    @classmethod
    def _of(cls, condition: Condition) -> "Layout":
        span = mean.unknown_pictures(condition)
        known = int(condition.first is not None) + int(condition.last is not None)
        size = max(span.stop - span.start, 0)
        time, frequencies = basis.temporal(size, known)
        return cls(
            span,
            time,
            [bands.PlaneBands.of(frequencies, *s) for s in condition.format.plane_shapes],
            activity_maps(condition),
        )


def _residual_coefficients(layout: Layout, clip: Clip, predicted: Clip) -> list[np.ndarray]:
    """Return the coefficients of clip - predicted in latent units, float32 [T', H, W] for each plane."""
    coefficients = []
    for c, p, weight, activity in zip(clip, predicted, PLANE_WEIGHTS, layout.activity, strict=True):
        residual = (c[layout.span].astype(np.float32) - p) * np.float32(weight)
        coefficients.append(basis.forward(residual if activity is None else residual / activity, layout.time))
    return coefficients


class GpAnalysis:
    """Encoder: the best mean of a GOP and the band energies of its residual."""

    def __init__(self, condition: Condition, layout: Layout, clip: Clip):
        self._condition, self._layout, self._clip = condition, layout, clip
        self._colour = tuple(int(plane.mean() + 0.5) for plane in clip)
        self._motion_mean, self._corrections = MotionMean(condition, VERSIONS[-1]), Corrections()
        choices = mean.choices(condition, VERSIONS[-1])
        means = {choice: self._mean(choice) for choice in choices}
        errors = {choice: _squared_error(layout, clip, m) for choice, m in means.items()}
        self._has_motion, self._known_error = mean.MOTION in choices, _boundary_error(condition, clip)
        choice = min(errors, key=errors.get)
        self._use_mean(choice, means[choice], errors[choice])

    def _mean(self, choice: int) -> Clip:
        if choice == mean.MOTION:
            return self._motion_mean.unknown()
        return mean.still(self._condition, choice, self._colour)

    def _use_mean(self, choice: int, predicted: Clip, error: float) -> None:
        """Choose a mean, and measure its residual. error: its weighted squared error."""
        self._choice, self._error = choice, error
        coefficients, planes = _residual_coefficients(self._layout, self._clip, predicted), self._layout.planes
        self._counts = np.array([plane.counts() for plane in planes])
        self._energies = np.array([p.energies(c) for p, c in zip(planes, coefficients, strict=True)])

    def refined(self, sigma: float) -> "GpAnalysis":
        """Return the analysis with the corrections of motion that are worth their bits for coding down to sigma."""
        if not self._has_motion:
            return self
        price = CORRECTION_PRICE * bit_price(sigma, SAMPLE_SCALE)
        better = copy(self)
        better._corrections = CorrectionSearch(self._motion_mean, self._clip[0], price).find()
        better._motion_mean = replace(self._motion_mean, corrections=better._corrections.fields)
        corrected = better._mean(mean.MOTION)
        error = _squared_error(self._layout, self._clip, corrected)
        if error >= self._error:
            return self
        better._use_mean(mean.MOTION, corrected, error)
        return better

    def _levels(self, sigma: float) -> np.ndarray:
        """Return the levels of all bands and of the fill, int64 [3, BANDS + 1]."""
        variances = self._energies / np.maximum(self._counts, 1)
        carried = variances > CARRY_THRESHOLD * sigma * sigma
        levels = np.zeros((3, bands.BANDS + 1), np.int64)
        levels[:, : bands.BANDS] = np.where(carried, bands.nearest_level(variances), 0)
        left = np.where(carried, 0.0, self._energies).sum(1) / np.maximum((~carried).sum(1), 1)
        levels[:, FILL] = np.where(left > 0, bands.nearest_level(left / FILL_UNIT), 0)
        return levels

    def describe(self, sigma: float) -> bytes:
        """Return the side information: kind of mean, water level, colour (FLAT) or corrections (MOTION), and levels."""
        encoder = RangeEncoder()
        encoder.encode_bits(self._choice, 2)
        encoder.encode_bits(sigma_level(sigma), LEVEL_BITS)
        if self._choice == mean.FLAT:
            for value in self._colour:
                encoder.encode_bits(value, 8)
        if self._choice == mean.MOTION:
            span = self._layout.span
            write_corrections(
                encoder, _grid(self._condition), self._corrections.cells or [[]] * (span.stop - span.start)
            )
        bands.write_levels(encoder, self._levels(sigma), self._condition.memory)
        return encoder.finish()

    def rate_distortion(self, sigma: float) -> tuple[float, float]:
        """Predict (bits of the atoms, squared error in weighted sample units) by reverse water-filling."""
        variances = self._energies / np.maximum(self._counts, 1)
        carried = variances > CARRY_THRESHOLD * sigma * sigma
        gain = np.where(carried, variances / sigma**2, 1.0)
        bits = ATOM_OVERHEAD * float((self._counts * 0.5 * np.log2(gain)).sum())
        error = float((self._energies / gain).sum()) * SAMPLE_SCALE**2
        return bits, error + self._known_error


def _grid(condition: Condition) -> Grid:
    return Grid(*condition.format.plane_shapes[0])


def _squared_error(layout: Layout, clip: Clip, predicted: Clip) -> float:
    """Return the weighted squared error of a mean."""
    total = 0.0
    for c, p, weight in zip(clip, predicted, PLANE_WEIGHTS, strict=True):
        difference = c[layout.span].astype(np.float32) - p
        total += weight**2 * float(np.vdot(difference, difference))
    return total


def _boundary_error(condition: Condition, clip: Clip) -> float:
    """Return the weighted squared error of the decoded boundary pictures, in squared luma samples."""
    total = 0.0
    for index, known in ((0, condition.first), (-1, condition.last)):
        if known is not None:
            for c, k, weight in zip(clip, known, PLANE_WEIGHTS, strict=True):
                total += (weight * SAMPLE_SCALE) ** 2 * float(((c[index].astype(np.float32) - k) ** 2).sum())
    return total


class ConditionedGp:
    """The Gaussian process conditioned on one GOP; its latent vector holds the carried coefficients."""

    tail: list[slice] = []  # noqa: RUF012 - coefficients belong to no single picture
    known = None
    follows_flow = False  # because a Gaussian's flow ends in noise and not in a picture

    def __init__(self, condition: Condition, layout: Layout, side: bytes, version: int):
        self._condition, self._layout, self._version = condition, layout, version
        decoder = RangeDecoder(side, "side")
        choice = decoder.decode_bits(2)
        if choice not in mean.choices(condition, version):
            raise BitstreamError("mean", 0, f"value {choice} does not fit the boundaries of this GOP")
        self._water = level_sigma(min(decoder.decode_bits(LEVEL_BITS), MAX_LEVEL)) ** 2 if version > 1 else 0.0
        colour = tuple(decoder.decode_bits(8) for _ in range(3)) if choice == mean.FLAT else (0, 0, 0)
        self.motion_mean = MotionMean(condition, version)
        if choice == mean.MOTION and version >= mean.CORRECTED:
            count, closed = layout.span.stop - layout.span.start, condition.last is not None
            corrections = read_corrections(decoder, _grid(condition), count, closed)
            self.motion_mean = replace(self.motion_mean, corrections=corrections.fields)
        self.memory = bands.read_levels(decoder, 3, condition.memory)
        decoder.finish()
        without_motion = partial(mean.still, condition, choice, colour)
        self._compute_mean = self.motion_mean.unknown if choice == mean.MOTION else without_motion
        variances = bands.level_variances()[self.memory[:, : bands.BANDS].ravel()]
        # Levels are rounded, so the variance of a carried band can be a little below the water level.
        kept = np.maximum(variances - self._water, LEAST_KEPT * variances)
        self._scales = np.sqrt(kept / np.where(variances > 0, variances, 1.0)).astype(np.float32)
        self._variances = kept
        counts = [plane.counts() for plane in self._layout.planes]
        self.size = int(sum(c[v[: bands.BANDS] > 0].sum() for c, v in zip(counts, self.memory, strict=True)))
        self.blocks = [slice(0, self.size)] if self.size else []

    # The following properties take memory and time. They are computed at their first use, so that the codec can check
    # `size` before.

    @cached_property
    def _mean(self) -> Clip:
        return self._compute_mean()

    @cached_property
    def _carried(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The carried coefficients of each plane and their bands, as from `PlaneBands.carried`."""
        return [p.carried(v[: bands.BANDS]) for p, v in zip(self._layout.planes, self.memory, strict=True)]

    @cached_property
    def _band(self) -> np.ndarray:
        """The band of each value of the latent, numbered across all planes, uint8 [size]."""
        return np.concatenate([np.uint8(i * bands.BANDS) + numbers for i, (_, numbers) in enumerate(self._carried)])

    @cached_property
    def _slabs(self) -> list[tuple[slice, int, np.ndarray, np.ndarray]]:
        """(Part of the latent, frequencies, spatial bands [h, w], their variances) of each plane's temporal bands."""
        slabs, start = [], 0
        variances = self._variances.reshape(3, bands.TEMPORAL_BANDS, bands.SPATIAL_BANDS)
        for plane, levels, of_plane in zip(self._layout.planes, self.memory, variances, strict=True):
            for band, frequencies, numbers in plane.slabs(levels[: bands.BANDS]):
                stop = start + frequencies * int(np.count_nonzero(numbers != bands.NOT_CARRIED))
                slabs.append((slice(start, stop), frequencies, np.ascontiguousarray(numbers), of_plane[band]))
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
        activity = self._layout.activity[plane]
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
        coefficients = _residual_coefficients(self._layout, clip, self._mean)
        pairs = zip(coefficients, self._carried, strict=True)
        corners = [c[:, : mask.shape[1], : mask.shape[2]][mask] for c, (mask, _) in pairs]
        return np.concatenate(corners) * self._scales[self._band]

    def decode_latent(self, x0: np.ndarray, realism: float) -> Clip:
        """Return the pictures, uint8 [T, H, W] for each plane; realism > 0 sharpens luma and adds grain to it."""
        planes, start = [], 0
        x0 = x0 / self._scales[self._band]
        for i, (mask, numbers) in enumerate(self._carried):
            count = len(numbers)
            corner = np.zeros(mask.shape, np.float32)
            corner[mask] = x0[start : start + count]
            start += count
            unknown = self._add_residual(i, corner)
            known = [p[i][None] for p in (self._condition.first, self._condition.last) if p is not None]
            pieces = [*known[:1], unknown, *known[1:]]
            planes.append(np.concatenate(pieces)[: self._condition.frames])
        if realism > 0:
            planes[0] = textured(planes[0], self.deviations()[0], self.sigma, realism)
        return tuple(planes)

    def _add_residual(self, plane: int, corner: np.ndarray) -> np.ndarray:
        """Return the unknown pictures of a plane, uint8 [T', H, W], from a low-frequency corner of its coefficients."""
        predicted, activity = self._mean[plane], self._layout.activity[plane]
        if not len(predicted) or not corner.any():
            return predicted
        residual = basis.inverse(corner, self._layout.time, *predicted.shape[1:])
        if activity is not None:
            residual *= activity
        residual *= np.float32(1 / PLANE_WEIGHTS[plane])
        residual += predicted
        return np.clip(np.rint(residual, out=residual), 0, 255, out=residual).astype(np.uint8, order="C")


class GpPrior:
    """The bundled prior `gp`.

    version: version of the streams to decode, default the latest; encoding needs the latest.
    """

    weights_hash = bytes(8)
    modes = ("t2v", "i2v", "flf2v")
    adaptive_modes = ("flf2v",)
    cheap_steps = True
    concurrent = True
    sample_scale = SAMPLE_SCALE

    def __init__(self, version: int = VERSIONS[-1]):
        self.name, self._version = f"gp/{version}", version

    def analyse(self, condition: Condition, clip: Clip) -> GpAnalysis:
        """Choose the mean of a GOP and measure the bands of its residual."""
        return GpAnalysis(condition, Layout.of(condition), clip)

    def condition(self, condition: Condition, side: bytes) -> ConditionedGp:
        """Condition the process on one GOP. Raises BitstreamError if `side` is not valid."""
        return ConditionedGp(condition, Layout.of(condition), side, self._version)
