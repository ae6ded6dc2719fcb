# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""What a decoder computes on the way to the pictures of a golden stream (tests/golden/README.md).

All but the pictures is exact, so that a checksum says enough. The pictures are computed here anew, in binary64 and by
the formulas of docs/BITSTREAM.md, so that a decoder can be held to the bounds of its section 16.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gvc.bitstream import GopUnit, SequenceHeader, parse_sequence_header, read_packet
from gvc.bitstream.levels import MAX_LEVEL, level_sigma
from gvc.entropy import RangeDecoder
from gvc.gop.decoder import Reconstruction, open_gop
from gvc.gop.rule import rule_of
from gvc.loop.denoise import estimate
from gvc.loop.noise import ReplayNoise
from gvc.media import Clip, Packet, Planes
from gvc.prior import Anchor
from gvc.priors import prior_for
from gvc.priors.gp.layout import Layout
from gvc.priors.gp.mean import FLAT, MOTION, SMOOTHNESS, still
from gvc.stills.recovery import RecoveringStills

TEMPORAL_EDGES = (0.000001, 0.06, 0.16, 0.4)
SPATIAL_EDGES = (0.005, 0.015, 0.03, 0.06, 0.1, 0.16, 0.25, 0.4, 0.6)
BOUND = 2.0**-6  # of the error of a picture before it is rounded


@dataclass(frozen=True)
class DecodedGop:
    """One GOP of a stream, and what the decoder makes of it."""

    header: SequenceHeader
    unit: GopUnit
    reconstruction: Reconstruction

    @cached_property
    def version(self) -> int:
        """Of the prior gp."""
        return int(self.header.prior.rpartition("/")[2])

    @cached_property
    def side(self) -> tuple[int, float, tuple[int, ...]]:
        """Kind of the mean, water level, and colour (11.2)."""
        decoder = RangeDecoder(self.unit.side)
        kind = decoder.decode_bits(2)
        water = level_sigma(min(decoder.decode_bits(10), MAX_LEVEL)) ** 2 if self.version > 1 else 0.0
        return kind, water, tuple(decoder.decode_bits(8) for _ in range(3 * (kind == FLAT)))

    @cached_property
    def mean(self) -> Clip:
        """Of the unknown pictures."""
        kind, _, colour = self.side
        reconstruction = self.reconstruction
        moving = reconstruction.conditioned.motion_mean
        return moving.unknown() if kind == MOTION else still(reconstruction.condition, kind, colour)

    @cached_property
    def scales(self) -> np.ndarray:
        """Of the bands of each plane, 1 where a band is not carried, float32 [3, 51] (11.2)."""
        levels = self.reconstruction.conditioned.memory.astype(int)
        variances = np.where(levels % 2, 1.4142135623730951, 1.0) * 2.0 ** ((levels - 28) // 2)
        kept = np.maximum(variances - self.side[1], 0.02 * variances)
        return np.where(levels > 0, np.sqrt(kept / variances), 1.0).astype(np.float32)

    @cached_property
    def activity(self) -> list[np.ndarray | None]:
        """Of each plane, None: 1 everywhere."""
        return list(map(Layout.of(self.reconstruction.condition).activity, range(3)))


def decoded_gops(extradata: bytes, packets: list[Packet], given: list[Planes | None] = ()) -> Iterator[DecodedGop]:
    """Decode the GOPs of a whole stream. given: pictures of the anchor of each GOP, None: the decoder's own."""
    header, anchor, stills = parse_sequence_header(extradata), None, None
    units = filter(None, (read_packet(packet.data) for packet in packets))
    for number, unit in enumerate(units):
        if unit.key:
            header, anchor, stills = unit.header, None, RecoveringStills(unit.header.format.coded)
        if anchor and given and given[number]:
            anchor = Anchor(given[number], anchor.memory)
        reconstruction = open_gop(prior_for(header, ""), header, unit, anchor, stills).reconstruct()
        yield DecodedGop(header, unit, reconstruction)
        anchor = reconstruction.anchor() if header.mode != "t2v" else None
        if anchor and unit.checked:
            anchor = Anchor(anchor.planes, reconstruction.condition.handed_on(anchor.memory))


def values_of(gop: DecodedGop) -> dict:
    """Return the checksums of what a GOP is made of."""
    conditioned, condition = gop.reconstruction.conditioned, gop.reconstruction.condition
    states = list(map(_crc, trajectory(gop)))
    moves = gop.side[0] == MOTION and condition.last is not None
    return {
        "known": [_crc(*planes) if planes else None for planes in (condition.first, condition.last)],
        "levels": _crc(conditioned.memory.astype(np.uint8)),
        "motion": list(map(_crc, condition.motion(SMOOTHNESS[4]))) if moves else None,
        "mean": list(map(_crc, gop.mean)),
        "activity": [None if plane is None else _crc(plane) for plane in gop.activity],
        "initial": states[0],
        "steps": states[1:-1],
        "clean": states[-1],
    }


def trajectory(gop: DecodedGop) -> Iterator[np.ndarray]:
    """Yield the latent at the beginning, after each step and at the end, float32, as section 8.1 has it."""
    conditioned, rule = gop.reconstruction.conditioned, rule_of(gop.header, gop.unit)
    with ReplayNoise(conditioned, gop.header, gop.unit.index, gop.unit.atoms, rule.noisy) as noise:
        x, t = noise.initial(), 1.0
        yield x
        for step, s in enumerate(rule.times):
            if rule.needs_network(step):
                x0_hat = estimate(conditioned, x, t)
            if rule.is_silent(step):
                x = np.float32(s / t) * x + np.float32(1 - s / t) * x0_hat
            else:
                how = rule.transition(t, s)
                z = noise.inject(step, t, s, x0_hat)[1]
                x = np.float32(how.keep) * x + np.float32(how.pull) * x0_hat
                x = x + np.float32(how.sigma) * z if how.sigma else x
            yield x
            t = s
        yield estimate(conditioned, x, t) if t else x


def unrounded(gop: DecodedGop) -> list[np.ndarray]:
    """Return the unknown pictures as section 11.10 has them before it rounds, float64 [U, H, W] a plane."""
    conditioned, condition = gop.reconstruction.conditioned, gop.reconstruction.condition
    *_, clean = trajectory(gop)
    known = (condition.first is not None) + (condition.last is not None)
    planes, start = [], 0
    for plane, (mean, activity) in enumerate(zip(gop.mean, gop.activity, strict=True)):
        count, height, width = mean.shape
        bands = _bands(count, known, height, width)
        carried = conditioned.memory[plane][bands] > 0
        coefficients = np.zeros(bands.shape)
        part = slice(start, start + np.count_nonzero(carried))
        coefficients[carried] = clean[part] / gop.scales[plane][bands[carried]]
        start = part.stop
        r = np.einsum("kj,kvu->jvu", _temporal(count, known), coefficients)
        r = np.einsum("vy,jvu->jyu", _cosine(height), r)
        r = np.einsum("ux,jyu->jyx", _cosine(width), r)
        planes.append(mean + 64 / (1.5 if plane else 1) * (1.0 if activity is None else activity) * r)
    return planes


def pictures_at_fault(gop: DecodedGop) -> int:
    """Return how many samples of the unknown pictures break the bounds of section 16."""
    reconstruction, faults = gop.reconstruction, 0
    first = reconstruction.condition.first is not None
    clip = reconstruction.conditioned.decode_latent(list(trajectory(gop))[-1], 0.0)
    for found, exact in zip(clip, unrounded(gop), strict=True):
        off = np.abs(found[int(first) :][: len(exact)].astype(float) - np.clip(np.rint(exact), 0, 255))
        uncertain = np.abs(np.abs(exact - np.floor(exact)) - 0.5) < BOUND
        faults += np.count_nonzero(off > uncertain)
    return faults


def _bands(count: int, known: int, height: int, width: int) -> np.ndarray:
    """Return the band of each coefficient of a plane (11.1), int [count, height, width]."""
    k = np.arange(count)
    frequency = (k / max(count, 1), (2 * k + 1) / (2 * count + 1), (k + 1) / (count + 1))[known]
    temporal = sum((frequency >= edge).astype(int) for edge in TEMPORAL_EDGES)
    radius = (np.arange(height)[:, None] / height) ** 2 + (np.arange(width) / width) ** 2
    return 10 * temporal[:, None, None] + sum((radius >= edge * edge).astype(int) for edge in SPATIAL_EDGES)


def _cosine(size: int) -> np.ndarray:
    k, j = np.mgrid[:size, :size]
    basis = np.sqrt(2 / max(size, 1)) * np.cos(np.pi * k * (2 * j + 1) / (2 * max(size, 1)))
    basis[:1] /= np.sqrt(2)
    return basis


def _temporal(count: int, known: int) -> np.ndarray:
    """Return E[k][j] of section 11.8."""
    k, j = np.mgrid[:count, :count]
    if known == 0:
        return _cosine(count)
    if known == 1:
        return 2 / np.sqrt(2 * count + 1) * np.sin(np.pi * (2 * k + 1) * (j + 1) / (2 * count + 1))
    return np.sqrt(2 / (count + 1)) * np.sin(np.pi * (k + 1) * (j + 1) / (count + 1))


def _crc(*arrays: np.ndarray) -> str:
    """Return the CRC-32 of arrays as little-endian bytes, 8 hexadecimal digits."""
    crc = 0
    for array in arrays:
        crc = zlib.crc32(np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).tobytes(), crc)
    return f"{crc:08x}"
