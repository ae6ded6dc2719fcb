"""One GOP to a GopUnit and back, given the decoded boundary it shares with the GOP before."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .bitstream import GopUnit, SequenceHeader
from .boundary import Anchor, BoundaryCoder, Target
from .errors import BitstreamError, MediaError
from .loop import denoise, finish, rule_of
from .noise import ReplayNoise, SearchNoise
from .priors.base import Array, Clip, Condition, ConditionedPrior, Planes, Prior
from .schedule import MAX_LEVEL, level_sigma, matched_levels, sigma_level
from .stills import COARSEST, decode_still

MAX_SAMPLES = 2**27  # luma samples of a GOP: bounds the memory of either side
START_SNR = 0.02  # coding starts where the latent's mean energy is this small beside the noise
LEVEL_STRIDE = {"fast": 16, "medium": 8, "slow": 6}  # noise levels a step
BUDGET_REACH = 64  # levels below the predicted stop that a budget may still buy
UNIT_BYTES, KEY_BYTES = 24, 65  # of a GOP packet beside stills, side information and atoms
LEAST_SIDE_BYTES = 20


@dataclass(frozen=True)
class Reconstruction:
    """A GOP at the end of its coded steps, on either side: the state x_t of the trajectory at time t."""

    conditioned: ConditionedPrior
    last: Planes | None  # decoded last still
    shown: int
    x: Array
    t: float

    @cached_property
    def plain(self) -> Clip:
        """The pictures shown at realism 0, uint8 [shown, H, W] a plane."""
        return self.pictures(0.0)

    def pictures(self, realism: float) -> Clip:
        """Return the pictures shown, uint8 [shown, H, W] a plane."""
        clip = self.conditioned.decode_latent(finish(self.conditioned, self.x, self.t, realism), realism)
        return tuple(plane[-self.shown :] for plane in clip)

    def anchor(self) -> Anchor:
        """Return what the next GOP sees: exact where there is a still, and whatever realism the viewer likes."""
        return Anchor(self.last or tuple(plane[-1] for plane in self.plain), self.conditioned.memory)


def decode_gop(prior: Prior, header: SequenceHeader, unit: GopUnit, anchor: Anchor | None) -> Reconstruction:
    """Replay a GOP. Raises BitstreamError."""
    condition = _condition_of(header, unit, anchor)
    conditioned = prior.condition(condition, unit.side)
    noise = ReplayNoise(conditioned, header, unit.index, unit.atoms)
    x, t = denoise(conditioned, rule_of(header, unit), noise)
    noise.finish()
    return Reconstruction(conditioned, condition.last, unit.shown, x, t)


def _condition_of(header: SequenceHeader, unit: GopUnit, anchor: Anchor | None) -> Condition:
    """Return what the stills of a unit and the anchor say. Raises BitstreamError when they don't fit the mode."""
    anchor = anchor if header.mode != "t2v" else None
    frames = unit.shown + int(anchor is not None)
    wants_first = header.mode != "t2v" and anchor is None
    wants_last = header.mode == "flf2v" and frames > 1
    if bool(unit.first) != wants_first or bool(unit.last) != wants_last:
        raise BitstreamError("boundary flags", 0, f"the stills do not fit a {header.mode} GOP of {frames} pictures")
    if frames * header.format.width * header.format.height > MAX_SAMPLES:
        raise BitstreamError("pictures shown", 0, "the GOP is larger than a decoder accepts")
    first = decode_still(unit.first, header.format) if unit.first else anchor and anchor.planes
    last = decode_still(unit.last, header.format) if unit.last else None
    return Condition(header.format, frames, first, last, anchor.memory if anchor else None)


class GopEncoder:
    """Codes GOPs with one prior and one sequence header."""

    def __init__(self, prior: Prior, header: SequenceHeader, preset: str, atoms: int):
        self._prior, self._header, self._stride = prior, header, LEVEL_STRIDE[preset]
        self._fixed = atoms if header.transition == "sde" else None
        self._boundaries = BoundaryCoder(prior, header, preset)

    def encode(
        self, clip: Clip, index: int, anchor: Anchor | None, key: bool, target: Target
    ) -> tuple[GopUnit, Reconstruction]:
        """Code the new pictures `clip`, uint8 [shown, H, W] a plane; `target.bits` are those of the whole packet.

        Returns:
            (the unit, what `decode_gop` will make of it).
        Raises MediaError when the GOP is too large.
        """
        spanned = self._spanned(clip, anchor)
        if target.bits is not None:
            target = Target(bits=max(0.0, target.bits - 8 * _unit_bytes(key)))
        boundaries, analysis, level = self._boundaries.choose(spanned, anchor, target)
        side = analysis.describe(level_sigma(level))
        conditioned = self._prior.condition(boundaries.condition, side)
        header = self._header if key else None
        unit = GopUnit(index, len(clip[0]), header, boundaries.first, boundaries.last, side)
        budget = None if target.bits is None else max(0.0, target.bits - boundaries.bits - 8 * len(side))
        unit, x, t = self._search(unit, conditioned, spanned, level, budget)
        return unit, Reconstruction(conditioned, boundaries.condition.last, unit.shown, x, t)

    def floor(self, clip: Clip, anchor: Anchor | None, key: bool) -> float:
        """Return about the least bits that the packet of a GOP needs: coarsest stills and no atoms."""
        boundaries = self._boundaries.code(self._spanned(clip, anchor), anchor, COARSEST)
        return boundaries.bits + 8 * (_unit_bytes(key) + LEAST_SIDE_BYTES)

    def _spanned(self, clip: Clip, anchor: Anchor | None) -> Clip:
        """Return the clip with the anchor before it."""
        if anchor:
            clip = tuple(np.concatenate([known[None], plane]) for known, plane in zip(anchor.planes, clip, strict=True))
        frames, height, width = clip[0].shape
        if frames * height * width > MAX_SAMPLES:
            raise MediaError(
                f"{frames} pictures of {width}x{height} are too much for one GOP; at most {MAX_SAMPLES // 2**20} "
                "million luma samples fit, so ask for a smaller picture or shorter GOPs"
            )
        return clip

    def _search(self, unit: GopUnit, conditioned: ConditionedPrior, clip: Clip, level: int, budget: float | None):
        """Run the loop with the searching noise source; return (unit with levels and atoms, x, t)."""
        x0 = conditioned.encode_latent(clip)
        levels = []
        if self._fixed is None:
            stop = level if budget is None else max(level - BUDGET_REACH, 0)
            levels = matched_levels(_start_level(x0, level), stop, self._stride)
            unit = replace(unit, start=levels[0], stop=stop, stride=self._stride)
        noise = SearchNoise(conditioned, self._header, unit.index, x0, levels, fixed=self._fixed, budget=budget)
        x, t = denoise(conditioned, rule_of(self._header, unit), noise)
        if levels:
            unit = replace(unit, start=max(unit.start, noise.stop), stop=noise.stop)
        return replace(unit, atoms=noise.finish()), x, t


def _unit_bytes(key: bool) -> int:
    """Return about how many bytes of a GOP packet are neither stills, side information nor atoms."""
    return UNIT_BYTES + KEY_BYTES * key


def _start_level(x0, stop: int) -> int:
    """Return the noise level where coding starts: where the latent is small beside the noise."""
    energy = float((x0**2).sum()) / max(1, len(x0))
    return min(max(sigma_level((energy / START_SNR) ** 0.5), stop), MAX_LEVEL)
