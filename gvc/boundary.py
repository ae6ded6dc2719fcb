"""Boundary stills of a GOP: coding them, and choosing the quality that serves the whole GOP best."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any

from .bitstream import SequenceHeader
from .codebook import ATOM_OVERHEAD
from .priors.base import Analysis, Clip, Condition, Planes, Prior
from .rate import still_crf
from .schedule import MAX_LEVEL, level_sigma, sigma_level
from .stills import COARSEST, STRIDE, decode_still, encode_still, search_quantiser

FIRST_CRF = 47
FINEST_SIGMA = 0.05  # where coding on a budget stops at the latest, if the prior cannot predict its rate


@dataclass(frozen=True)
class Anchor:
    """What a GOP hands to the next one in its chain."""

    planes: Planes  # its decoded last picture
    memory: Any  # of the prior


@dataclass(frozen=True)
class Target:
    """What a GOP aims at: a noise level to stop at, bits for its stills, side information and atoms, or both.

    With both the level is aimed at, and the bits are not exceeded.
    """

    level: int | None = None
    bits: float | None = None


@dataclass(frozen=True)
class Boundaries:
    """The GOP's own stills as bytes (b"" where it has none), and the condition that all its boundaries make."""

    first: bytes
    last: bytes
    condition: Condition

    @property
    def bits(self) -> int:
        """Bits of the own stills."""
        return 8 * (len(self.first) + len(self.last))


@dataclass
class _Trial:
    """One quality of the stills and what it would lead to."""

    boundaries: Boundaries
    analysis: Analysis
    level: int  # where the atoms stop
    cost: float | None  # None: the prior predicts nothing


@dataclass
class BoundaryCoder:
    """Codes the stills that a stream's mode asks for."""

    prior: Prior
    header: SequenceHeader
    preset: str
    _crf: int = field(default=FIRST_CRF, init=False)  # of the last stills: where the search for the next ones starts

    def choose(self, clip: Clip, anchor: Anchor | None, target: Target) -> tuple[Boundaries, Analysis, int]:
        """Return (boundaries, analysis of the clip given them, noise level where the atoms should stop)."""
        trials: dict[int, _Trial] = {}

        def trial(crf: int) -> _Trial:
            if crf not in trials:
                trials[crf] = self._try(clip, anchor, target, crf)
            return trials[crf]

        if trial(self._crf).boundaries.bits:
            if trial(self._crf).cost is None:
                self._crf = self._plain_choice(trial, target)
            else:
                self._crf = search_quantiser(lambda crf: trial(crf).cost, self._crf, self.preset)
        best = trial(self._crf)
        return best.boundaries, best.analysis, best.level

    def code(self, clip: Clip, anchor: Anchor | None, crf: int) -> Boundaries:
        """Code and decode the stills with one quantiser."""
        mode, video, frames = self.header.mode, self.header.format.coded, len(clip[0])
        if mode == "t2v":
            return Boundaries(b"", b"", Condition(video, frames, prompt=self.header.prompt))
        has_last = mode == "flf2v" and frames > 1
        first = b"" if anchor else encode_still(tuple(plane[0] for plane in clip), crf, self.preset)
        last = encode_still(tuple(plane[-1] for plane in clip), crf, self.preset) if has_last else b""
        known_first = anchor.planes if anchor else decode_still(first, video)
        known_last = decode_still(last, video) if last else None
        memory = anchor.memory if anchor else None
        condition = Condition(video, frames, known_first, known_last, memory, self.header.prompt)
        return Boundaries(first, last, condition)

    def _try(self, clip: Clip, anchor: Anchor | None, target: Target, crf: int) -> _Trial:
        boundaries = self.code(clip, anchor, crf)
        analysis = self.prior.analyse(boundaries.condition, clip)
        if analysis.rate_distortion(1.0) is None:
            return _Trial(
                boundaries, analysis, sigma_level(FINEST_SIGMA) if target.level is None else target.level, None
            )
        level, overdraft = target.level or 0, 0.0
        if target.bits is not None:
            left = target.bits - boundaries.bits
            level = max(level, _affordable_level(analysis, left))
            overdraft = max(0.0, -left) * self._bit_price(MAX_LEVEL)
        bits, error = analysis.rate_distortion(level_sigma(level))
        spent = 0.0 if target.level is None else (bits + boundaries.bits) * self._bit_price(target.level)
        return _Trial(boundaries, analysis, level, error + spent + overdraft)

    def _bit_price(self, level: int) -> float:
        return bit_price(level_sigma(level), self.prior.sample_scale)

    def _plain_choice(self, trial, target: Target) -> int:
        """Return a quantiser for a prior that predicts nothing: by the level, and stills of half the bits at most."""
        crf = FIRST_CRF if target.level is None else still_crf(target.level)
        while target.bits is not None and crf < COARSEST and trial(crf).boundaries.bits > target.bits / 2:
            crf = min(crf + STRIDE[self.preset], COARSEST)
        return crf


def _affordable_level(analysis: Analysis, bits: float) -> int:
    """Return the finest level whose atoms and side information are predicted to take no more than `bits`."""

    def affordable(level: int) -> bool:
        sigma = level_sigma(level)
        return analysis.rate_distortion(sigma)[0] + 8 * len(analysis.describe(sigma)) <= bits

    return bisect_left(range(MAX_LEVEL), True, key=affordable)


def bit_price(sigma: float, sample_scale: float) -> float:
    """Return the squared error (luma samples) that one bit of atoms at this noise level is worth.

    A bit less on a Gaussian costs 2 ln 2 times its posterior variance, which is half the noise's where the prior's
    variance is like the noise's. `sample_scale`: of the prior.
    """
    return 0.6931 * (sample_scale * sigma) ** 2 / ATOM_OVERHEAD
