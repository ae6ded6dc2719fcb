# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gp`: a Gaussian process over the GOP, conditioned on its decoded boundary pictures. Closed form: no weights.

Mean: gvc.priors.gp.mean. Residual: an activity map (gvc.priors.gp.activity) times independent Gaussian coefficients in
an orthonormal basis (gvc.priors.gp.basis), one variance a band (gvc.priors.gp.bands), sent. So the exact velocity is
one multiplication a coefficient. Since gp/4 variances follow, at each step and for no bits, how much larger or smaller
the coefficients in the neighbourhood have turned out than their bands say.

What is carried follows reverse water-filling (Cover and Thomas, "Elements of Information Theory", 10.3): with the water
level theta = sigma^2 of the noise where coding stops, a coefficient of variance v > theta is scaled by
sqrt(1 - theta / v), so that the noise leaves an error of theta in each; the others are not carried at all.

Streams of gp/1 carry more and scale nothing, neither they nor those of gp/2 correct motion (gvc.priors.gp.correction),
and none of those up to gp/3 learns variances; they can be decoded.
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
from .mean import Moved
from .texture import textured

SAMPLE_SCALE = 64.0  # luma samples a latent unit
PLANE_WEIGHTS = (1 / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE, CHROMA_WEIGHT / SAMPLE_SCALE)
CARRY_THRESHOLD = 1.1  # a band is carried when its variance exceeds the water level so many times
LEVEL_BITS = 10  # of the noise level that is the water level
LEAST_KEPT = 0.02  # share of a carried variance that the scale leaves
VERSIONS = (1, 2, 3, 4)
LEARNED = 4  # the version from which on variances follow what has been decoded
CORRECTION_PRICE = 0.5  # of a bit of corrections, beside one of atoms
FILL = bands.BANDS  # index of the level that says the energy of what is not carried
FILL_UNIT = 64.0  # that level is of a band's energy over this, so that it fits the range of levels


@dataclass(frozen=True)
class Layout:
    """The unknown pictures of a GOP and their coefficients: all that follows from its condition alone."""

    span: slice
    time: np.ndarray
    planes: list[bands.PlaneBands]
    activity: list[np.ndarray | None]

    @classmethod
    def of(cls, condition: Condition) -> "Layout":
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
    """Return the coefficients of clip - predicted in latent units, float32 [T', H, W] a plane."""
    coefficients = []
    for c, p, weight, activity in zip(clip, predicted, PLANE_WEIGHTS, layout.activity, strict=True):
        residual = (c[layout.span].astype(np.float32) - p) * np.float32(weight)
        coefficients.append(basis.forward(residual if activity is None else residual / activity, layout.time))
    return coefficients


class GpAnalysis:
    """Encoder: the best mean of a GOP and the band energies of what it leaves."""

    def __init__(self, condition: Condition, layout: Layout, clip: Clip):
        self._condition, self._layout, self._clip = condition, layout, clip
        self._colour = tuple(int(plane.mean() + 0.5) for plane in clip)
        self._moved, self._corrections = Moved(condition, VERSIONS[-1]), Corrections()
        choices = mean.choices(condition, VERSIONS[-1])
        means = {choice: self._mean(choice) for choice in choices}
        errors = {choice: _squared_error(layout, clip, m) for choice, m in means.items()}
        self._moves, self._known_error = mean.MOTION in choices, _boundary_error(condition, clip)
        choice = min(errors, key=errors.get)
        self._settle(choice, means[choice], errors[choice])

    def _mean(self, choice: int) -> Clip:
        return self._moved.unknown() if choice == mean.MOTION else mean.still(self._condition, choice, self._colour)

    def _settle(self, choice: int, predicted: Clip, error: float) -> None:
        self._choice, self._error = choice, error
        coefficients, planes = _residual_coefficients(self._layout, self._clip, predicted), self._layout.planes
        self._counts = np.array([plane.counts() for plane in planes])
        self._energies = np.array([p.energies(c) for p, c in zip(planes, coefficients, strict=True)])

    def refined(self, sigma: float) -> "GpAnalysis":
        """Return the analysis with corrections of motion, as far as they are worth their bits at a noise level."""
        if not self._moves:
            return self
        price = CORRECTION_PRICE * bit_price(sigma, SAMPLE_SCALE)
        better = copy(self)
        better._corrections = CorrectionSearch(self._moved, self._clip[0], price).find()
        better._moved = replace(self._moved, corrections=better._corrections.fields)
        corrected = better._mean(mean.MOTION)
        error = _squared_error(self._layout, self._clip, corrected)
        if error >= self._error:
            return self
        better._settle(mean.MOTION, corrected, error)
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
        """Return choice of mean, water level, colour (FLAT only) or corrections (MOTION only), and levels."""
        encoder = RangeEncoder()
        encoder.encode_bits(self._choice, 2)
        encoder.encode_bits(sigma_level(sigma), LEVEL_BITS)
        if self._choice == mean.FLAT:
            for value in self._colour:
                encoder.encode_bits(value, 8)
        if self._choice == mean.MOTION:
            span = self._layout.span
            write_corrections(
                encoder, _grid(self._condition), self._corrections.said or [[]] * (span.stop - span.start)
            )
        bands.write_levels(encoder, self._levels(sigma), self._condition.previous)
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
    """Return the weighted squared error, in sample units, of the boundary pictures themselves."""
    total = 0.0
    for index, known in ((0, condition.first), (-1, condition.last)):
        if known is not None:
            for c, k, weight in zip(clip, known, PLANE_WEIGHTS, strict=True):
                total += (weight * SAMPLE_SCALE) ** 2 * float(((c[index].astype(np.float32) - k) ** 2).sum())
    return total


class ConditionedGp:
    """The process given boundaries, mean and variances; its latent vector holds the carried coefficients."""

    tail: list[slice] = []  # noqa: RUF012 - coefficients belong to no single picture
    known = None
    follows_flow = False  # a Gaussian's ends in noise

    def __init__(self, condition: Condition, layout: Layout, side: bytes, version: int):
        self._condition, self._layout, self._version = condition, layout, version
        decoder = RangeDecoder(side)
        choice = decoder.decode_bits(2)
        if choice not in mean.choices(condition, version):
            raise BitstreamError("choice of mean", 0, f"value {choice} does not fit the boundaries of this GOP")
        self._water = level_sigma(min(decoder.decode_bits(LEVEL_BITS), MAX_LEVEL)) ** 2 if version > 1 else 0.0
        colour = tuple(decoder.decode_bits(8) for _ in range(3)) if choice == mean.FLAT else (0, 0, 0)
        self.moved = Moved(condition, version)
        if choice == mean.MOTION and version >= mean.CORRECTED:
            count, closed = layout.span.stop - layout.span.start, condition.last is not None
            corrections = read_corrections(decoder, _grid(condition), count, closed)
            self.moved = replace(self.moved, corrections=corrections.fields)
        self.memory = bands.read_levels(decoder, 3, condition.previous)
        decoder.finish()
        self._mean_of = self.moved.unknown if choice == mean.MOTION else partial(mean.still, condition, choice, colour)
        variances = bands.level_variances()[self.memory[:, : bands.BANDS].ravel()]
        # Levels are rounded, so a carried band can say a little less than the water level.
        kept = np.maximum(variances - self._water, LEAST_KEPT * variances)
        self._scales = np.sqrt(kept / np.where(variances > 0, variances, 1.0)).astype(np.float32)
        self._variances = kept
        counts = [plane.counts() for plane in self._layout.planes]
        self.size = int(sum(c[v[: bands.BANDS] > 0].sum() for c, v in zip(counts, self.memory, strict=True)))
        self.blocks = [slice(0, self.size)] if self.size else []

    # What takes memory and time comes when it is first used: the codec looks at the size before.

    @cached_property
    def _mean(self) -> Clip:
        return self._mean_of()

    @cached_property
    def _carried(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Which coefficients of each plane are carried, and their bands, by `PlaneBands.carried`."""
        return [p.carried(v[: bands.BANDS]) for p, v in zip(self._layout.planes, self.memory, strict=True)]

    @cached_property
    def _band(self) -> np.ndarray:
        """The band of each value of the latent, counted through all planes, uint8 [size]."""
        return np.concatenate([np.uint8(i * bands.BANDS) + numbers for i, (_, numbers) in enumerate(self._carried)])

    @cached_property
    def _slabs(self) -> list[tuple[slice, int, np.ndarray, np.ndarray]]:
        """Return (part of the latent, frequencies, bands [h, w], their variances) by plane and temporal band."""
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
        """The noise level where coding stops; 0 where the stream does not say it."""
        return float(np.sqrt(self._water))

    def zeros(self) -> np.ndarray:
        """Return float32 [size] zeros."""
        return np.zeros(self.size, np.float32)

    def deviations(self) -> list[np.ndarray | float]:
        """Return the error that coding is expected to leave in unknown samples, a plane: float32 [H, W], or one number.

        Carried coefficients keep the water level's, the others all that the stream says of them.
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
        """Return (x - E[x0 | x_t = x]) / t, exact for the Gaussian of the variances in force."""
        if self._version >= LEARNED:
            return self._learned_velocity(x, t)
        shrunk = (1 - t) * self._variances
        gain = (shrunk / ((1 - t) * shrunk + t * t)).astype(np.float32)
        return (x - gain[self._band] * x) / np.float32(t)

    def _learned_velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        """Return the velocity with variances that follow the state itself."""
        result = np.empty_like(x)

        def fill(part: slice, frequencies: int, numbers: np.ndarray, variances: np.ndarray) -> None:
            result[part] = local_velocity(x[part].reshape(frequencies, -1), numbers, variances, t).ravel()

        each(fill, *zip(*self._slabs, strict=True))
        return result

    def encode_latent(self, clip: Clip) -> np.ndarray:
        """Return the carried coefficients of the clip's residual, scaled, float32 [size]."""
        coefficients = _residual_coefficients(self._layout, clip, self._mean)
        pairs = zip(coefficients, self._carried, strict=True)
        corners = [c[:, : mask.shape[1], : mask.shape[2]][mask] for c, (mask, _) in pairs]
        return np.concatenate(corners) * self._scales[self._band]

    def decode_latent(self, x0: np.ndarray, realism: float) -> Clip:
        """Return the pictures, uint8 [T, H, W] a plane; `realism` makes them sharper and adds grain."""
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
        """Return the unknown pictures of a plane, uint8 [T', H, W], from its low-frequency coefficients."""
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
    """The bundled prior. version: of the streams that it can decode; it analyses for the last one only."""

    weights_hash = bytes(8)
    modes = ("t2v", "i2v", "flf2v")
    adaptive_modes = ("flf2v",)
    cheap_steps = True
    sample_scale = SAMPLE_SCALE

    def __init__(self, version: int = VERSIONS[-1]):
        self.name, self._version = f"gp/{version}", version
        self._latest: tuple[Condition | None, Layout | None] = None, None

    def analyse(self, condition: Condition, clip: Clip) -> GpAnalysis:
        """Choose the mean and measure the bands."""
        return GpAnalysis(condition, self._layout(condition), clip)

    def condition(self, condition: Condition, side: bytes) -> ConditionedGp:
        """Prepare the process for one GOP. Raises BitstreamError."""
        return ConditionedGp(condition, self._last_layout(condition), side, self._version)

    def _layout(self, condition: Condition) -> Layout:
        """Return the layout of a GOP that is analysed, and keep it until the GOP is coded."""
        known, layout = self._latest
        if known is not condition:
            layout = Layout.of(condition)
            self._latest = condition, layout
        return layout

    def _last_layout(self, condition: Condition) -> Layout:
        """Return the layout of a GOP that is coded, and forget it."""
        layout = self._layout(condition)
        self._latest = None, None
        return layout
