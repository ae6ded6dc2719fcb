# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding of a GOP: from a GopUnit to pictures, given the decoded boundary that it shares with the GOP before.

The first part (`open_gop`) needs the GOPs before and is short. The second one (`ParsedGop.reconstruct`) is most of the
work and needs nothing else.
"""

from dataclasses import dataclass, replace

from ..bitstream import GopUnit, SequenceHeader
from ..errors import BitstreamError
from ..loop.budget import beyond_samples, beyond_steps, beyond_work
from ..loop.denoise import OnStep, denoise, finish
from ..loop.noise import ReplayNoise
from ..machine.lazy import lazy
from ..media import Clip
from ..prior import Anchor, Array, Condition, ConditionedPrior, Prior
from ..stills.recovery import RecoveringStills
from .rule import rule_of
from .tail import PictureTail, add_latent_tail


def check_unit(header: SequenceHeader, unit: GopUnit) -> None:
    """Raise BitstreamError if a sequence header does not allow a GOP, independently of earlier GOPs."""
    if unit.tail and not header.mode.has_tail:
        raise BitstreamError("tail", 0, f"a {header.mode} GOP cannot have any")
    if unit.ahead and not header.mode.overlaps:
        raise BitstreamError("ahead", 0, f"a {header.mode} GOP cannot have any")
    _keep_within(beyond_samples(unit.shown + unit.ahead, header.format))


def _keep_within(excess: str) -> None:
    """Raise BitstreamError unless `excess` is empty. excess: result of a check in gvc.loop.budget."""
    if excess:
        raise BitstreamError("budget", 0, f"the GOP is larger than a decoder accepts: {excess}")


@dataclass(frozen=True)
class Reconstruction:
    """A GOP at the end of its coded steps, in the encoder or the decoder."""

    conditioned: ConditionedPrior
    condition: Condition
    new: int  # number of pictures without the anchor
    x: Array  # state x_t of the trajectory
    t: float  # time where the coded steps end
    tail: PictureTail | None = None  # correction of the last pictures
    cut: bool = False  # whether atoms are missing, so that the prior has to find the rest of the way by itself

    @lazy
    def plain(self) -> Clip:
        """The GOP's pictures without the anchor at realism 0, uint8 [T, H, W] for each plane."""
        return self.pictures(0.0)

    def pictures(self, realism: float) -> Clip:
        """Return the GOP's pictures without the anchor, including those ahead, uint8 [T, H, W] for each plane."""
        flow = (1.0 if self.cut else realism) if self.conditioned.follows_flow else 0.0
        clip = self.conditioned.decode_latent(finish(self.conditioned, self.x, self.t, flow), realism)
        clip = tuple(plane[-self.new :] for plane in clip)
        return self.tail.correct(clip) if self.tail else clip

    def shown(self, realism: float) -> Clip:
        """Return the pictures to show, as `pictures` does."""
        return self.pictures(realism) if realism else self.plain

    def anchor(self) -> Anchor:
        """Return the state for the next GOP: the last still, or without one the last picture at realism 0.

        It does not depend on the realism with which pictures are shown, so all decoders have the same state.
        """
        return Anchor(self.condition.last or tuple(plane[-1] for plane in self.plain), self.conditioned.memory)

    def corrected(self, tail: bytes) -> "Reconstruction":
        """Return the reconstruction with a coded tail, or unchanged if `tail` is empty. Raises BitstreamError."""
        return replace(self, tail=PictureTail.parse(tail, self.condition.format)) if tail else self


@dataclass(frozen=True)
class ParsedGop:
    """A GOP whose stills and side information are decoded, but not its atoms.

    What the next GOP of the chain needs is known already, if `condition.ending` is. So `reconstruct` may run in another
    thread, at the same time as that of other GOPs if the prior is `concurrent`.
    """

    header: SequenceHeader
    unit: GopUnit
    condition: Condition
    conditioned: ConditionedPrior

    def reconstruct(self, on_step: OnStep | None = None) -> Reconstruction:
        """Replay the atoms. Raises BitstreamError."""
        header, unit, conditioned = self.header, self.unit, self.conditioned
        rule, cut = rule_of(header, unit), bool(unit.damage)
        with ReplayNoise(conditioned, header, unit.index, unit.atoms, rule.noisy, cut=cut) as noise:
            x, t = (noise.whole(), 1.0) if noise.exhausted else denoise(conditioned, rule, noise, on_step)
            noise.finish()
        reconstruction = Reconstruction(conditioned, self.condition, unit.shown + unit.ahead, x, t, cut=cut)
        if unit.tail and header.transition.corrects_latent:
            add_latent_tail(x, conditioned.tail, unit.tail)
            return reconstruction
        return reconstruction.corrected(unit.tail)


def open_gop(
    prior: Prior, header: SequenceHeader, unit: GopUnit, anchor: Anchor | None, stills: RecoveringStills
) -> ParsedGop:
    """Decode a GOP's stills and side information; `stills` has decoded those of the chain that were there.

    Raises BitstreamError, also for a GOP that would be too much work.
    """
    check_unit(header, unit)
    rule = rule_of(header, unit)
    if header.lowres_steps and not prior.has_low_band:
        raise BitstreamError("lowres_steps", 0, f"the prior {prior.name} computes no steps at low resolution")
    _keep_within(beyond_steps(rule, cheap=prior.cheap_steps))
    condition = condition_of(header, unit, anchor, stills)
    conditioned = prior.condition(condition, unit.side)
    if unit.bare and conditioned.size:
        raise BitstreamError("boundary_flags", 0, "a bare GOP must have no latent, but this one has one")
    _keep_within(beyond_work(header, rule, conditioned.blocks, condition.frames, len(unit.atoms)))
    return ParsedGop(header, unit, condition, conditioned)


def condition_of(header: SequenceHeader, unit: GopUnit, anchor: Anchor | None, stills: RecoveringStills) -> Condition:
    """Return the condition that stills and anchor give. Raises BitstreamError if the stills do not fit the mode."""
    anchor = anchor if header.mode.has_first else None
    frames = int(anchor is not None) + unit.shown + unit.ahead
    wants_first = header.mode.has_first and anchor is None
    wants_last = header.mode.has_last and frames > 1
    if bool(unit.first) != wants_first or bool(unit.last) != wants_last:
        raise BitstreamError("boundary_flags", 0, f"the stills do not fit a {header.mode} GOP of {frames} pictures")
    _keep_within(beyond_samples(frames, header.format))
    first = stills.decode(unit.first, "first") if unit.first else anchor and anchor.planes
    last = stills.decode(unit.last, "last", unit.last_check if unit.checked else None) if unit.last else None
    return Condition(header.format.coded, frames, first, last, anchor.memory if anchor else None, header.prompt)
