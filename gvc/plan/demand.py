# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What chains need: their predicted bits at several noise levels, and how a bitrate is shared out among them.

A chain that is coded apart must know its bits before. All chains get what they need for one noise level, so the whole
video has about the same quality. The predictions decide only how the bits are divided, and each chain meets its own.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..bitstream import SequenceHeader
from ..errors import RateError
from ..media import Picture
from ..prior import Prior
from ..stills.av1 import TRIAL_SPEED
from ..stills.chain import StillChain
from .bitrate import FILE_BYTES, overhead
from .chains import COARSEST_LEVEL, FINEST_LEVEL
from .control import duration, most_held
from .lengths import Cuts
from .quality import bitrate_quantiser, quality_level
from .settings import Settings
from .trials import Trials
from .window import Plan, Window

LEVELS = tuple(map(quality_level, (55, 35, 20, 5)))  # Levels of predictions, in rising order; others are interpolated.
FOLLOWED = 0.6  # Exponent of need: with 0 each second gets the same, with 1 each chain what it needs for one level
FLOOR = 0.6  # Ratio of the smallest possible bits to those predicted at the coarsest level


@dataclass(frozen=True)
class Demand:
    """What a chain needs.

    seconds: its duration.
    pictures: number of its pictures.
    bits: predicted bits of its packets at each of LEVELS; () if the prior predicts none.
    """

    seconds: float
    pictures: int
    bits: tuple[float, ...] = ()

    def at(self, level: float) -> float:
        """Return the predicted bits at a level. Without predictions it is the same for each second."""
        if not self.bits:
            return self.seconds
        octaves = [math.log2(bits) for bits in self.bits]
        i = min(max(bisect_left(LEVELS, level), 1), len(LEVELS) - 1)
        slope = (octaves[i] - octaves[i - 1]) / (LEVELS[i] - LEVELS[i - 1])
        return 2.0 ** (octaves[i] + slope * (level - LEVELS[i]))


def demand(pictures: Sequence[Picture], settings: Settings, prior: Prior, header: SequenceHeader) -> Demand:
    """Return what a chain of these pictures needs, in order of display."""
    facts = float(duration(pictures, header.format)), len(pictures)
    lengths = settings.lengths(prior)
    if not lengths:
        return Demand(*facts)
    if len(pictures) == 1:
        stills = (StillChain(header, bitrate_quantiser(level), TRIAL_SPEED) for level in LEVELS)
        return Demand(*facts, tuple(8.0 * len(still.code(pictures[0].planes)[0]) for still in stills))
    bits = np.zeros(len(LEVELS))

    def choose(window: Window) -> Plan:
        trials = Trials(prior, header, window, reorders=True)
        cuts = Cuts(lengths, window.before, window.pictures, window.limit)
        plans = [trials.predicted(Plan(level, bitrate_quantiser(level), cuts.best(level))) for level in LEVELS]
        bits[:] += [plan.first + sum(plan.lasts) + sum(plan.rests) for plan in plans]
        return plans[0]

    planner = settings.planner(choose, most_held(settings, header.format) - settings.gop, 0)
    for picture in pictures:
        list(planner.push(picture))
    list(planner.finish())
    return Demand(*facts, tuple(map(float, np.minimum.accumulate(bits))))


def shared_out(bitrate: int, seconds: float, demands: Sequence[Demand]) -> list[int]:
    """Return the bitrate of each chain, so that their joined file has `bitrate`.

    seconds: duration of the file.
    demands: demands of its chains, in order.

    Raises RateError if the bitrate is too low for the material.
    """
    fixed = [overhead(need.pictures, True) for need in demands]
    left = bitrate * seconds - sum(fixed) - 8 * FILE_BYTES
    least = FLOOR * sum(need.at(COARSEST_LEVEL) for need in demands if need.bits)
    if left <= least:
        raise RateError(
            f"the bitrate of {bitrate / 1000:.3g} kb/s lies below the floor of this material, about "
            f"{(bitrate * seconds - left + least) / seconds / 1000:.3g} kb/s; set a higher bitrate, or longer GOPs"
        )
    level = _common_level(left, demands)
    weights = [need.at(level) ** FOLLOWED * need.seconds ** (1 - FOLLOWED) for need in demands]
    most = [need.at(FINEST_LEVEL) if need.bits else left for need in demands]
    shares = zip(_limited(left, weights, most), fixed, demands, strict=True)
    return [round((bits + own) / need.seconds) for bits, own, need in shares]


def _limited(bits: float, weights: list[float], most: list[float]) -> list[float]:
    """Return shares of `bits` in proportion to weights, but at most as large as in `most` if that is possible."""
    shares, rising = [0.0] * len(weights), sorted(range(len(weights)), key=lambda i: most[i] / weights[i])
    for position, i in enumerate(rising):
        factor = bits / sum(weights[j] for j in rising[position:])
        last = position == len(rising) - 1
        shares[i] = factor * weights[i] if last else min(most[i], factor * weights[i])
        bits -= shares[i]
    return shares


def _common_level(bits: float, demands: Sequence[Demand]) -> int:
    """Return the level at which all chains together need about `bits`."""
    levels = range(FINEST_LEVEL, COARSEST_LEVEL)
    return FINEST_LEVEL + bisect_left(levels, True, key=lambda level: sum(need.at(level) for need in demands) <= bits)
