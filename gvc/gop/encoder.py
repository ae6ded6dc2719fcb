# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Encoding of a GOP: from pictures to a GopUnit, given the decoded boundary that it shares with the GOP before."""

from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from ..bitstream import INDEXES, GopUnit, SequenceHeader, gop_overhead
from ..bitstream.levels import MAX_LEVEL, level_sigma, matched_levels, sigma_level
from ..errors import MediaError
from ..loop.budget import beyond_work
from ..loop.codebook import bit_price
from ..loop.denoise import OnStep, denoise, with_known
from ..loop.search import SearchNoise
from ..media import Clip
from ..plan.gops import Gop
from ..plan.settings import Settings
from ..plan.target import Target
from ..prior import Analysis, Anchor, Array, ConditionedPrior, Prior
from ..stills.recovery import check_of
from .boundary import Boundaries, BoundaryCoder, stop_level
from .decoder import Reconstruction
from .rule import CurrentGop, in_loop, rule_of
from .source import Source
from .tail import PictureTailSearch, add_latent_tail, encode_latent_tail

START_SNR = 0.02  # ratio of the latent's mean energy to the noise's at which coding starts
# Noise levels in a step, by effort. Smaller steps make each atom worth more: a stride of 2 instead of 8 saves 8 % in
# t2v and 4 % in i2v (two clips).
LEVEL_STRIDE = {"fast": 16, "medium": 8, "slow": 6}
# levels in a step, by effort, for priors whose steps take little time
CHEAP_LEVEL_STRIDE = {"fast": 8, "medium": 2, "slow": 1}
MAX_STRIDE = 255
BUDGET_REACH = 64  # levels by which coding on a budget may stop below the predicted level
LEAST_SIDE_BYTES = 20  # smallest size of side information, for the estimate of the lowest bitrate
REFINED_SHARE = 0.5  # largest share of the bits without stills for refined side information
REFINEMENT_STRIDE = 64  # levels between refinements, two octaves: a bit must then save 16 times the squared error
TAIL_SHARE = 0.12  # share of the bits for atoms that is reserved for the tail
TAIL_FRAMES = 2  # number of latent frames with twice the atoms, according to the paper


@dataclass
class OpenGop:
    """A GOP whose stills are coded.

    gop: the GOP.
    source: its source pictures.
    boundaries: its coded stills.
    analyses: result of GopEncoder.analyse, if that was begun; default None.
    number: number of the GOP in its chain.
    memory: ConditionedPrior.memory for later GOPs of the chain, which may begin before this one is coded.
    """

    gop: Gop
    source: Source
    boundaries: Boundaries
    analyses: Future | None = None
    number: int = 0
    memory: Future = field(default_factory=Future)

    @property
    def anchor(self) -> Anchor | None:
        """State for the next GOP, if that does not depend on this one's atoms; otherwise None."""
        condition = self.boundaries.condition
        return Anchor(condition.ending, condition.handed_on(self.memory)) if condition.ending else None


class GopEncoder:
    """Codes GOPs with one prior and one sequence header.

    Each GOP is coded in two steps. `open` codes its stills, for one GOP after another. `code` does the rest, and may
    run in several threads for several GOPs if the prior is `concurrent`.

    on_step: an observer of the loop's steps, default none.

    Attributes:
        current: the GOP that is being coded, or one of them.
    """

    def __init__(self, prior: Prior, header: SequenceHeader, settings: Settings, on_step: OnStep | None = None):
        self._prior, self._header, self._settings = prior, header, settings
        self._on_step, self.current = on_step, CurrentGop()
        self._boundaries = BoundaryCoder(prior, header, settings.effort)
        self._first = 0  # index of the chain's key GOP

    @property
    def knows_stills(self) -> bool:
        """Whether all stills of the chain are coded already, whatever the targets of its further GOPs."""
        return self._boundaries.known

    def open(self, gop: Gop, anchor: Anchor | None, target: Target | None) -> OpenGop:
        """Code the stills of a GOP. Raises MediaError if it is too large.

        target: target of the GOP, whose bits are those of whole packets; None if the encoder `knows_stills`.
        """
        source = Source.of(gop, anchor, self._header)
        target = target and target.less(8 * gop_overhead(gop.key))
        if gop.key:
            self._first = gop.index
        boundaries = self._boundaries.choose(source, anchor, target)
        return OpenGop(gop, source, boundaries, number=(gop.index - self._first) % INDEXES)

    def analyse(self, opened: OpenGop, level: int) -> tuple[Analysis, Analysis]:
        """Return the analysis of an open GOP, and a refined one for coding down to a noise level."""
        plain = self._plain(opened)
        return plain, plain.refined(level_sigma(level))

    def code(self, opened: OpenGop, target: Target) -> tuple[GopUnit, Reconstruction]:
        """Code an open GOP; the bits of `target` are those of whole packets.

        Returns:
            (the unit, what `open_gop` will make of it).
        Raises MediaError when the GOP is too much work for decoders.
        """
        try:
            return self._code(opened, target.less(8 * gop_overhead(opened.gop.key)))
        except BaseException as error:
            if not opened.memory.done():
                opened.memory.set_exception(error)
            raise

    def _code(self, opened: OpenGop, target: Target) -> tuple[GopUnit, Reconstruction]:
        gop, boundaries, source = opened.gop, opened.boundaries, opened.source
        bits = boundaries.left(target)
        analysis = self._analysis(opened, target, bits)
        level, _ = stop_level(analysis, target, boundaries)
        side = analysis.describe(level_sigma(level))
        conditioned = self._prior.condition(boundaries.condition, side)
        opened.memory.set_result(conditioned.memory)
        unit = GopUnit(
            header=self._header if gop.key else None,
            index=gop.index,
            shown=len(gop.pictures),
            ahead=len(gop.ahead),
            first=boundaries.first,
            last=boundaries.last,
            side=side,
            checked=True,
            compact=True,
            number=opened.number,
            last_check=check_of(boundaries.condition.last) if boundaries.last else 0,
        )
        budget = max(0.0, bits - 8 * len(side))
        scheme = self._header.transition
        with_tail = self._settings.tail and not (gop.ends or scheme.corrects_latent)
        if scheme.fixed:
            unit, x, t = self._search_fixed(gop.number, unit, conditioned, source.clip)
        else:
            atoms_budget = budget * (1 - TAIL_SHARE * with_tail)
            stop = max(level - BUDGET_REACH, target.level or 0) if target.bounded else level
            unit, x, t = self._search_matched(
                gop.number, unit, conditioned, source.clip, stop=stop, budget=atoms_budget
            )
        if excess := self._excess(unit, conditioned, source.frames):
            raise MediaError(f"{excess}; set more atoms, a lower quality or preset=fast")
        reconstruction = Reconstruction(conditioned, boundaries.condition, len(source.pictures), x, t)
        return self._with_tail(unit, reconstruction, source.new, budget) if with_tail else (unit, reconstruction)

    def _analysis(self, opened: OpenGop, target: Target, bits: float) -> Analysis:
        """Return the finest refinement of the analysis that fits into a share of `bits`."""
        plain, refined = opened.analyses.result() if opened.analyses else (self._plain(opened), None)
        sigma = level_sigma(stop := stop_level(plain, target, opened.boundaries)[0])
        refined = refined or plain.refined(sigma)
        if not target.bounded:
            return refined
        most = max(REFINED_SHARE * bits, 8 * len(plain.describe(sigma)))
        while 8 * len(refined.describe(sigma)) > most:
            stop += REFINEMENT_STRIDE  # A refinement for a coarser level takes fewer bits.
            if stop >= MAX_LEVEL:
                return plain
            refined = plain.refined(level_sigma(stop))
        return refined

    def _plain(self, opened: OpenGop) -> Analysis:
        return opened.boundaries.analysis or self._prior.analyse(opened.boundaries.condition, opened.source.clip)

    def floor(self, gop: Gop, anchor: Anchor | None) -> tuple[float, float]:
        """Estimate the smallest number of bits of a GOP's packet without atoms, as (first still, everything else)."""
        boundaries = self._boundaries.coarsest(Source.of(gop, anchor, self._header), anchor)
        return 8 * len(boundaries.first), 8 * (len(boundaries.last) + gop_overhead(gop.key) + LEAST_SIDE_BYTES)

    def _search_matched(
        self, number: int, unit: GopUnit, conditioned: ConditionedPrior, clip: Clip, *, stop: int, budget: float
    ):
        """Code atoms that match the posterior, down to a level or until a budget is spent; return (unit, x, t)."""
        x0 = with_known(conditioned, conditioned.encode_latent(clip))  # The decoder knows stills, not their sources.
        stride = (CHEAP_LEVEL_STRIDE if self._prior.cheap_steps else LEVEL_STRIDE)[self._settings.effort]
        while True:
            levels = matched_levels(_start_level(x0, stop), stop, stride)
            coded = replace(unit, start=levels[0], stop=stop, stride=stride, bare=not len(x0))
            with SearchNoise(conditioned, self._header, unit.index, x0, levels, budget=budget) as noise:
                x, t = self._denoise(number, coded, conditioned, noise)
                coded = replace(coded, start=max(coded.start, noise.stop), stop=noise.stop, atoms=noise.finish())
            if not self._excess(coded, conditioned, len(clip[0])) or 2 * stride > MAX_STRIDE:
                return coded, x, t
            stride *= 2  # The limit for decoders depends on the bytes of atoms; these are too few for so many steps.

    def _search_fixed(self, number: int, unit: GopUnit, conditioned: ConditionedPrior, clip: Clip):
        """Code a fixed number of atoms at every step and correct the last latent frame, as the paper does."""
        x0 = conditioned.encode_latent(clip)
        counts = self._fixed_counts(conditioned)
        with SearchNoise(conditioned, self._header, unit.index, x0, fixed=counts) as noise:
            x, t = self._denoise(number, unit, conditioned, noise)
            unit = replace(unit, atoms=noise.finish())
        if self._settings.tail and conditioned.tail:
            unit = replace(unit, tail=encode_latent_tail([x0[part] - x[part] for part in conditioned.tail]))
            add_latent_tail(x, conditioned.tail, unit.tail)
        return unit, x, t

    def _denoise(
        self, number: int, unit: GopUnit, conditioned: ConditionedPrior, noise: SearchNoise
    ) -> tuple[Array, float]:
        """Return (x_t, t) at the end of the loop that the levels of a unit ask for. number: number of the GOP."""
        rule = rule_of(self._header, unit)
        self.current = CurrentGop(number, len(rule.times))
        with in_loop(self.current):
            return denoise(conditioned, rule, noise, self._on_step)

    def _excess(self, unit: GopUnit, conditioned: ConditionedPrior, frames: int) -> str:
        """Return a clause that says which limit of decoders a unit exceeds, or ""."""
        rule, coded = rule_of(self._header, unit), len(unit.atoms)
        return beyond_work(self._header, rule, conditioned.blocks, frames, coded)

    def _fixed_counts(self, conditioned: ConditionedPrior) -> list[int]:
        """Return the number of atoms of each block; in I2V the last latent frames get twice as many."""
        blocks, atoms = len(conditioned.blocks), self._settings.atoms
        doubled = TAIL_FRAMES if self._header.mode.has_tail and conditioned.tail else 0
        return [atoms * (2 if i >= blocks - doubled else 1) for i in range(blocks)]

    def _with_tail(self, unit: GopUnit, reconstruction: Reconstruction, new: Clip, budget: float):
        """Add a correction of the last pictures if it is worth its bits; return (unit, reconstruction)."""
        search = PictureTailSearch(new, reconstruction.plain, self._header.format.coded, self._settings.effort)
        price = bit_price(level_sigma(unit.stop), self._prior.sample_scale)
        tail = search.best(price, budget - 8 * len(unit.atoms))
        return replace(unit, tail=tail), reconstruction.corrected(tail)


def _start_level(x0, stop: int) -> int:
    """Return the noise level where coding starts: the latent is small compared with the noise there."""
    energy = float((x0**2).sum()) / max(1, len(x0))
    return min(max(sigma_level((energy / START_SNR) ** 0.5), stop), MAX_LEVEL)
