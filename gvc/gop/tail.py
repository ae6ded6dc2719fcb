# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The tail: a correction of the end of an I2V GOP, so that errors do not add up along a chain.

It has two forms. With the ancestral transition it is a still: the difference between the source and the decoded last
picture, coded like a boundary. It is added to that picture, and with decreasing weight to the pictures before it. With
the sde transition it is that of the paper (arXiv 2603.26571): the error of the last latent frame as a scale and 8-bit
values for each channel, deflated.
"""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from ..errors import BitstreamError
from ..media import Clip, Planes, VideoFormat
from ..prior import CHROMA_WEIGHT, Array, on_host
from ..stills.av1 import decode_still, encode_still, search_quantiser

ZERO = 128  # sample value of a difference of 0
RAMPS = (1, 4, 16)  # numbers of corrected pictures that an encoder tries
CHAIN_WEIGHT = 8.0  # largest weight of the last picture's error, since later GOPs refer to this picture (measured)
FIRST_QUANTISER = 53  # quantiser at which the search begins
FORBIDDEN_PRICE = 1e9  # cost of each bit of a tail beyond the budget; it grows with bits to lead the search to fewer
LATENT_PEAK = 127  # largest 8-bit value of a latent correction


@dataclass(frozen=True)
class PictureTail:
    """A correction of the last pictures of a GOP."""

    ramp: int  # number of corrected pictures
    difference: Planes  # correction of the last picture, int32 [H, W] for each plane

    @classmethod
    def parse(cls, data: bytes, video: VideoFormat) -> "PictureTail":
        """Return the correction that `data` codes. Raises BitstreamError."""
        if data[0] == 0:
            raise BitstreamError("ramp", 0, "it corrects no picture")
        still = decode_still(data[1:], video)
        return cls(data[0], tuple(plane.astype(np.int32) - ZERO for plane in still))

    def correct(self, clip: Clip) -> Clip:
        """Return a corrected copy of `clip`, uint8 [T, H, W] for each plane.

        The picture i places before the last one gets (ramp - i) / ramp of the difference.
        """
        corrected = tuple(plane.copy() for plane in clip)
        for i in range(min(self.ramp, len(clip[0]))):
            for plane, difference in zip(corrected, self.difference, strict=True):
                share = (2 * difference * (self.ramp - i) + self.ramp) // (2 * self.ramp)
                plane[-1 - i] = _samples(plane[-1 - i] + share)
        return corrected


class PictureTailSearch:
    """Encoder: finds the tail that is best for a chain.

    source, decoded: pictures of the GOP without the anchor, uint8 [T, H, W] for each plane.
    video: format in which the tail is coded.
    effort: fast, medium or slow.
    """

    def __init__(self, source: Clip, decoded: Clip, video: VideoFormat, effort: str):
        self._weight = _chain_weight(source, decoded)
        self._source, self._decoded = (tuple(plane[-max(RAMPS) :] for plane in clip) for clip in (source, decoded))
        self._video, self._effort = video, effort

    def best(self, bit_price: float, budget: float) -> bytes:
        """Return the best tail, or b"" if none is worth its bits.

        bit_price: squared error (in luma samples) that a bit is worth.
        budget: largest number of bits for the tail.
        """
        pairs = zip(self._source, self._decoded, strict=True)
        difference = tuple(_samples(s[-1].astype(np.int16) - d[-1] + ZERO) for s, d in pairs)
        trials: dict[int, tuple[float, bytes]] = {}

        def cost_of(crf: int) -> float:
            if crf not in trials:
                error, tail = self._ramped(encode_still(difference, crf, self._effort))
                bits = 8 * len(tail)
                trials[crf] = bits * FORBIDDEN_PRICE if bits > budget else error + bits * bit_price, tail
            return trials[crf][0]

        best = search_quantiser(cost_of, FIRST_QUANTISER, self._effort)
        return trials[best][1] if cost_of(best) < self._error(self._decoded) else b""

    def _ramped(self, still: bytes) -> tuple[float, bytes]:
        """Return (error of the corrected GOP, tail) for a coded difference with the best ramp."""
        shortest = PictureTail.parse(bytes([RAMPS[0]]) + still, self._video)
        errors = {ramp: self._error(replace(shortest, ramp=ramp).correct(self._decoded)) for ramp in RAMPS}
        best = min(errors, key=errors.get)
        return errors[best], bytes([best]) + still

    def _error(self, clip: Clip) -> float:
        """Return the squared error of a decoded clip, in luma samples, weighted for its effect on the chain."""
        last = _squared_error(_last(self._source), _last(clip))
        return _squared_error(self._source, clip) + (self._weight - 1) * last


def encode_latent_tail(error: list[Array]) -> bytes:
    """Code the error of the last latent frame, float32 [D] for each channel."""
    values = [on_host(channel) for channel in error]
    peaks = np.array([np.abs(channel).max() for channel in values], "<f4")
    steps = np.where(peaks > 0, peaks, 1) / LATENT_PEAK
    levels = [np.rint(channel / step).astype(np.int8) for channel, step in zip(values, steps, strict=True)]
    return peaks.tobytes() + zlib.compress(np.concatenate(levels).tobytes(), 9)


def add_latent_tail(x: Array, tail: list[slice], data: bytes) -> None:
    """Add a coded error to the last latent frame of a clean latent `x` [size], in place. Raises BitstreamError.

    tail: values of the last latent frame in `x`, a slice for each channel.
    """
    if not tail:
        raise BitstreamError("tail", 0, "the prior has no latent frames that could be corrected")
    sizes = [part.stop - part.start for part in tail]
    levels = _inflate(data[4 * len(tail) :], sum(sizes))
    peaks = np.frombuffer(data[: 4 * len(tail)], "<f4")
    if not np.isfinite(peaks).all():
        raise BitstreamError("peak", 0, "a scale is not a number")
    start = 0
    for part, size, peak in zip(tail, sizes, peaks, strict=True):
        values = levels[start : start + size].astype(np.float32) * (peak / np.float32(LATENT_PEAK))
        x[part] += values if isinstance(x, np.ndarray) else x.new_tensor(values)
        start += size


def _inflate(data: bytes, size: int) -> np.ndarray:
    """Inflate bytes to int8 [size]; never more than that is unpacked. Raises BitstreamError."""
    inflater = zlib.decompressobj()
    try:
        values = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise BitstreamError("values", 0, f"they do not unpack ({error})") from None
    if len(values) != size or not inflater.eof or inflater.unused_data:
        raise BitstreamError("values", 0, f"there are not {size} of them")
    return np.frombuffer(values, np.int8)


def _chain_weight(source: Clip, decoded: Clip) -> float:
    """Return the weight of the last picture's error: high in still scenes, low where the content changes anyway."""
    error = _squared_error(_last(source), _last(decoded))
    change = _squared_error(source, _last(source)) / len(source[0])
    return 1 + (CHAIN_WEIGHT - 1) * error / (error + change) if error else 1.0


def _last(clip: Clip) -> Clip:
    return tuple(plane[-1:] for plane in clip)


def _squared_error(a: Clip, b: Clip) -> float:
    weights = (1, CHROMA_WEIGHT, CHROMA_WEIGHT)
    return sum(w**2 * float(((p.astype(np.float32) - q) ** 2).sum()) for p, q, w in zip(a, b, weights, strict=True))


def _samples(plane: np.ndarray) -> np.ndarray:
    return np.clip(plane, 0, 255).astype(np.uint8)
