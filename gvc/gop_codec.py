"""One GOP to a GopUnit and back, given the decoded boundary it shares with the GOP before."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .bitstream import GopUnit, SequenceHeader
from .errors import BitstreamError, MediaError
from .loop import denoise, finish, rule_of
from .noise import ReplayNoise, SearchNoise
from .priors.base import Clip, Condition, Planes, Prior
from .rate import still_crf
from .schedule import MAX_LEVEL, level_sigma, matched_levels, sigma_level
from .stills import COARSEST, FINEST, decode_still, encode_still

MAX_SAMPLES = 2**28  # luma samples of a GOP: bounds the memory of either side
START_SNR = 0.02  # coding starts where the latent's mean energy is this small beside the noise
STILL_LADDER = {
    "fast": (60, 50, 40, 30),
    "medium": (63, 58, 53, 48, 43, 38, 33, 28, 23),
    "slow": tuple(range(63, 20, -3)),
}
STRIDE = {"fast": 16, "medium": 8, "slow": 6}  # noise levels a step
BUDGET_REACH = 64  # levels below the predicted stop that a budget may still buy
UNIT_BYTES = 40  # of a GOP packet beside stills, side information and atoms; keyframes repeat the sequence header


@dataclass(frozen=True)
class Anchor:
    """What a GOP hands to the next one in its chain."""

    planes: Planes  # its decoded last picture
    memory: Any  # of the prior


@dataclass(frozen=True)
class Target:
    """What a GOP aims at: a noise level to stop at, or the bits of its packet."""

    level: int | None = None
    bits: float | None = None


@dataclass(frozen=True)
class Boundaries:
    """The boundary stills of a GOP: own ones as bytes, all decoded."""

    first: bytes
    last: bytes
    condition: Condition

    @property
    def bits(self) -> int:
        """Bits of the own stills."""
        return 8 * (len(self.first) + len(self.last))


def check_size(header: SequenceHeader, frames: int) -> None:
    """Raise MediaError when a GOP of so many pictures needs more memory than GVC allows."""
    if frames * header.format.width * header.format.height > MAX_SAMPLES:
        raise MediaError(
            f"{frames} pictures of {header.format.width}x{header.format.height} are too much for one GOP; "
            f"at most {MAX_SAMPLES // 2**20} million luma samples fit, so ask for a smaller picture or shorter GOPs"
        )


def decode_gop(
    prior: Prior, header: SequenceHeader, unit: GopUnit, anchor: Anchor | None, realism: float
) -> tuple[Clip, Anchor]:
    """Decode a GOP.

    Returns:
        (the pictures it shows, uint8 [shown, H, W] a plane; the anchor for the next GOP).
    Raises BitstreamError.
    """
    condition = _condition_of(header, unit, anchor)
    conditioned = prior.condition(condition, unit.side)
    noise = ReplayNoise(conditioned, header, unit.index, unit.atoms)
    x, t = denoise(conditioned, rule_of(header, unit), noise)
    noise.finish()
    return _reconstruct(conditioned, unit, x, t, realism)


def _reconstruct(conditioned, unit: GopUnit, x, t: float, realism: float) -> tuple[Clip, Anchor]:
    clip = conditioned.decode_latent(finish(conditioned, x, t, 0.0), 0.0)
    anchor = Anchor(tuple(plane[-1] for plane in clip), conditioned.memory)
    if realism > 0:
        clip = conditioned.decode_latent(finish(conditioned, x, t, realism), realism)
    return tuple(plane[-unit.shown :] for plane in clip), anchor


def _condition_of(header: SequenceHeader, unit: GopUnit, anchor: Anchor | None) -> Condition:
    """Return what the stills of a unit and the anchor say. Raises BitstreamError when they don't fit the mode."""
    chained = header.mode != "t2v"
    frames = unit.shown + int(chained and anchor is not None)
    wants_first = chained and anchor is None
    wants_last = header.mode == "flf2v" and frames > 1
    if bool(unit.first) != wants_first or bool(unit.last) != wants_last:
        raise BitstreamError("boundary flags", 0, f"the stills do not fit a {header.mode} GOP of {frames} pictures")
    if frames * header.format.width * header.format.height > MAX_SAMPLES:
        raise BitstreamError("pictures shown", 0, "the GOP is larger than a decoder accepts")
    first = anchor.planes if chained and anchor else None
    if unit.first:
        first = decode_still(unit.first, header.format)
    last = decode_still(unit.last, header.format) if unit.last else None
    return Condition(header.format, frames, first, last, anchor.memory if anchor else None)


class GopEncoder:
    """Codes GOPs with one prior and one sequence header."""

    def __init__(self, prior: Prior, header: SequenceHeader, preset: str, atoms: int):
        self._prior, self._header, self._preset = prior, header, preset
        self._fixed = atoms if header.transition == "sde" else None

    def encode(self, clip: Clip, key: bool, index: int, anchor: Anchor | None, target: Target) -> tuple[GopUnit, Any]:
        """Code the new pictures `clip`, uint8 [shown, H, W] a plane.

        Returns:
            (the unit, a function of realism that gives (pictures, anchor) as `decode_gop` will).
        """
        shown = len(clip[0])
        anchor = anchor if self._header.mode != "t2v" and not key else None
        spanned = clip
        if anchor:
            spanned = tuple(
                np.concatenate([known[None], plane]) for known, plane in zip(anchor.planes, clip, strict=True)
            )
        check_size(self._header, len(spanned[0]))
        boundaries, analysis, level = self._choose_boundaries(spanned, anchor, target)
        side = analysis.describe(level_sigma(level))
        conditioned = self._prior.condition(boundaries.condition, side)
        unit = GopUnit(index, shown, self._header if key else None, boundaries.first, boundaries.last, side)
        budget = None
        if target.bits is not None:
            budget = max(0.0, target.bits - boundaries.bits - 8 * len(side) - 8 * unit_bytes(key))
        unit, x, t = self._search(unit, conditioned, spanned, level, budget)
        return unit, lambda realism: _reconstruct(conditioned, unit, x, t, realism)

    def floor(self, clip: Clip, anchor: Anchor | None) -> float:
        """Return the least bits that the packet of a GOP needs: its coarsest stills and headers."""
        boundaries = self._boundaries(clip, anchor, COARSEST)
        return boundaries.bits + 8 * (unit_bytes(anchor is None) + UNIT_BYTES)

    def _search(self, unit: GopUnit, conditioned, clip: Clip, level: int, budget: float | None):
        """Run the loop with the searching noise source; return (unit with levels and atoms, x, t)."""
        x0 = conditioned.encode_latent(clip)
        levels = []
        if self._fixed is None:
            start = _start_level(x0, level)
            stop = level if budget is None else max(level - BUDGET_REACH, 0)
            levels = matched_levels(start, stop, STRIDE[self._preset])
            unit = replace(unit, start=start, stop=stop, stride=STRIDE[self._preset])
        noise = SearchNoise(conditioned, self._header, unit.index, x0, levels, fixed=self._fixed, budget=budget)
        x, t = denoise(conditioned, rule_of(self._header, unit), noise)
        if levels:
            unit = replace(unit, start=max(unit.start, noise.stop), stop=noise.stop)
        return replace(unit, atoms=noise.finish()), x, t

    def _choose_boundaries(self, clip: Clip, anchor: Anchor | None, target: Target):
        """Return (boundaries, analysis, stop level) for the still quality of least cost."""
        if self._header.mode == "t2v" or (self._header.mode == "i2v" and anchor):
            candidates = [COARSEST]
        else:
            candidates = STILL_LADDER[self._preset]
        best, rising = None, 0
        for crf in candidates:
            boundaries = self._boundaries(clip, anchor, crf)
            analysis = self._prior.analyse(boundaries.condition, clip)
            level, cost = _cost(analysis, boundaries, target)
            if cost is None:  # the prior predicts nothing: one quality that fits
                boundaries = self._boundaries(clip, anchor, still_crf(level))
                return boundaries, self._prior.analyse(boundaries.condition, clip), level
            if best is None or cost < best[0]:
                best, rising = (cost, boundaries, analysis, level), 0
            elif (rising := rising + 1) == 2:
                break
        return best[1:]

    def _boundaries(self, clip: Clip, anchor: Anchor | None, crf: int) -> Boundaries:
        """Code and decode the stills that the mode asks for."""
        mode, video, frames = self._header.mode, self._header.format, len(clip[0])
        crf = min(max(crf, FINEST), COARSEST)
        if mode == "t2v":
            return Boundaries(b"", b"", Condition(video, frames))
        first = b"" if anchor else encode_still(tuple(p[0] for p in clip), crf, self._preset)
        last = encode_still(tuple(p[-1] for p in clip), crf, self._preset) if mode == "flf2v" and frames > 1 else b""
        known = [decode_still(still, video) if still else None for still in (first, last)]
        condition = Condition(
            video, frames, anchor.planes if anchor else known[0], known[1], anchor.memory if anchor else None
        )
        return Boundaries(first, last, condition)


def unit_bytes(key: bool) -> int:
    """Return about how many bytes of a GOP packet are neither stills, side information nor atoms."""
    return 22 + 65 * key


def _start_level(x0, stop: int) -> int:
    """Return the noise level where coding starts: where the latent is small beside the noise."""
    energy = float((x0**2).sum()) / max(1, len(x0))
    start = sigma_level((energy / START_SNR) ** 0.5)
    return min(max(start, stop), MAX_LEVEL)


def _cost(analysis, boundaries: Boundaries, target: Target) -> tuple[int, float | None]:
    """Return (stop level, cost) of coding with these boundaries; cost None where the prior predicts nothing.

    With a fixed level the cost is the distortion plus the bits at the exchange rate of the atoms at that level (a bit
    less of a Gaussian at noise sigma costs 2 ln 2 sigma^2); with a bit budget it is the distortion.
    """
    if target.level is not None:
        predicted = analysis.rate_distortion(level_sigma(target.level))
        if predicted is None:
            return target.level, None
        bits, error = predicted
        return target.level, error + (bits + boundaries.bits) * _exchange(level_sigma(target.level))
    left = target.bits - boundaries.bits
    low, high = 0, MAX_LEVEL
    if analysis.rate_distortion(level_sigma(high)) is None:
        return sigma_level(1.0), None
    while low < high:  # the finest level whose atoms and side information the budget is predicted to pay
        middle = (low + high) // 2
        sigma = level_sigma(middle)
        if analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma)) > left:
            low = middle + 1
        else:
            high = middle
    overdraft = max(0.0, -left) * _exchange(level_sigma(MAX_LEVEL))
    return low, analysis.rate_distortion(level_sigma(low))[1] + overdraft


def _exchange(sigma: float) -> float:
    """Return the squared error (luma samples) that one bit of atoms at this level is worth."""
    return 2 * 0.6931 * (64.0 * sigma) ** 2 / 1.35
