# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Losses and errors on the way of a stream, by seeds: what happens to packets, and what a viewer sees after it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gvc.media import Planes
from gvc.metrics.pixels import BEST_PSNR, PEAK

BURST = 4  # mean number of packets that are lost in a row in bursts
LPIPS_EVERY = 4  # LPIPS takes longest, so it is measured of one picture in so many
GREY = 128  # value of all samples that are seen before the first picture


@dataclass(frozen=True)
class Coded:
    """A packet of any codec.

    place: number of the picture that it is shown as.
    key: whether it is a keyframe.
    """

    data: bytes
    place: int
    key: bool


Distance = Callable[[Planes, Planes], float]
Damage = Callable[[Sequence[Coded], np.random.Generator], list[Coded]]


def lost(share: float) -> Damage:
    """Return a function that loses each packet with a probability."""
    return lambda packets, rng: [p for p, kept in zip(packets, rng.random(len(packets)) >= share, strict=True) if kept]


def bursts(share: float) -> Damage:
    """Return a function that loses packets in bursts of BURST on average (Gilbert's model), `share` of all."""

    def apply(packets: Sequence[Coded], rng: np.random.Generator) -> list[Coded]:
        kept, bad = [], False
        for packet in packets:
            bad = rng.random() < (1 - 1 / BURST if bad else share / (BURST * (1 - share)))
            if not bad:
                kept.append(packet)
        return kept

    return apply


def flipped(rate: float) -> Damage:
    """Return a function that flips each bit with a probability."""

    def apply(packets: Sequence[Coded], rng: np.random.Generator) -> list[Coded]:
        damaged = []
        for packet in packets:
            data = np.frombuffer(packet.data, np.uint8).copy()
            count = rng.binomial(8 * len(data), rate)
            for bit in rng.choice(8 * len(data), count, replace=False):
                data[bit // 8] ^= 1 << bit % 8
            damaged.append(replace(packet, data=data.tobytes()))
        return damaged

    return apply


KINDS: dict[str, Damage] = {
    "1 % of packets": lost(0.01),
    "5 % of packets": lost(0.05),
    "10 % of packets": lost(0.1),
    "5 % in bursts": bursts(0.05),
    "bits, 1e-5": flipped(1e-5),
    "bits, 1e-4": flipped(1e-4),
}


@dataclass(frozen=True)
class Seen:
    """What a viewer sees of a damaged stream, compared with the whole one.

    shown: number of pictures that came at their own time.
    exact: number of times at which the right picture is seen, equal in all samples.
    frozen: number of times at which the picture before is seen again, although the right one is another one.
    psnr: mean PSNR in dB of luma at the times that are not exact; None if there are none.
    lpips: mean LPIPS at the first of every LPIPS_EVERY of these times; None if there are none.
    """

    shown: int
    exact: int
    frozen: int
    psnr: float | None
    lpips: float | None


def seen(whole: Sequence[Planes], came: dict[int, Planes], lpips: Distance) -> Seen:
    """Compare pictures with those of the whole stream.

    whole: all pictures.
    came: pictures that came, by place.
    lpips: function for the LPIPS of two pictures.
    """
    now, exact, frozen, ratios, distances = tuple(np.full_like(plane, GREY) for plane in whole[0]), 0, 0, [], []
    for place, right in enumerate(whole):
        before, now = now, came.get(place, now)
        if _equal(now, right):
            exact += 1
            continue
        frozen += _equal(now, before)
        ratios.append(_psnr(now[0], right[0]))
        if len(ratios) % LPIPS_EVERY == 1:
            distances.append(lpips(now, right))
    shown = sum(0 <= place < len(whole) for place in came)
    return Seen(shown, exact, frozen, _mean(ratios), _mean(distances))


def _equal(picture: Planes, other: Planes) -> bool:
    return all(map(np.array_equal, picture, other))


def _psnr(plane: np.ndarray, other: np.ndarray) -> float:
    error = np.square(plane.astype(np.float32) - other).mean()
    return min(20 * np.log10(PEAK) - 10 * np.log10(error), BEST_PSNR) if error else BEST_PSNR


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
