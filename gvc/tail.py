"""Tail: what corrects the end of an I2V GOP, so that errors don't add up along a chain.

Two forms. With the ancestral transition it is a still: the difference between the source and the decoded last picture,
coded like a boundary, added to that picture and ever less to those before. With the sde transition it is the paper's
(arXiv 2603.26571): the error of the last latent frame, a scale and 8-bit values a channel, deflated.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from .errors import BitstreamError
from .media import VideoFormat
from .priors.base import CHROMA_WEIGHT, Array, Clip, Planes
from .stills import decode_still, encode_still, search_quantiser

ZERO = 128  # sample value of a difference of 0
RAMPS = (1, 4, 16)  # pictures that an encoder considers correcting
CHAIN_WEIGHT = 8.0  # an error of the last picture costs more, since the next GOPs build on it (measured)
FIRST_QUANTISER = 53
FORBIDDEN_PRICE = 1e9  # of a bit beyond the budget: falls towards fewer bits, so that a search finds its way
LATENT_PEAK = 127  # largest 8-bit value of a latent correction


@dataclass(frozen=True)
class PictureTail:
    """A correction of the last pictures of a GOP. difference: int16 [H, W] a plane, of the last one."""

    ramp: int
    difference: Planes

    @classmethod
    def parse(cls, data: bytes, video: VideoFormat) -> "PictureTail":
        """Return what `data` says. Raises BitstreamError."""
        if data[0] == 0:
            raise BitstreamError("tail", 0, "it corrects no picture")
        still = decode_still(data[1:], video)
        return cls(data[0], tuple(plane.astype(np.int16) - ZERO for plane in still))

    def correct(self, clip: Clip) -> Clip:
        """Return a corrected copy of `clip`, uint8 [T, H, W] a plane: i pictures from the end by (ramp - i) / ramp."""
        corrected = tuple(plane.copy() for plane in clip)
        for i in range(min(self.ramp, len(clip[0]))):
            for plane, difference in zip(corrected, self.difference, strict=True):
                share = (2 * difference * (self.ramp - i) + self.ramp) // (2 * self.ramp)
                plane[-1 - i] = _samples(plane[-1 - i] + share)
        return corrected


@dataclass
class PictureTailSearch:
    """Encoder: finds the tail that serves a chain best.

    bit_price: squared error (luma samples) that a bit is worth.
    budget: bits that the tail may take.
    """

    video: VideoFormat
    preset: str
    bit_price: float
    budget: float

    def best(self, source: Clip, decoded: Clip) -> bytes:
        """Return a tail, or b"" where none is worth its bits.

        source, decoded: the new pictures of the GOP, uint8 [T, H, W] a plane.
        """
        source, decoded = (tuple(plane[-max(RAMPS) :] for plane in clip) for clip in (source, decoded))
        difference = tuple(
            _samples(s[-1].astype(np.int16) - d[-1] + ZERO) for s, d in zip(source, decoded, strict=True)
        )
        trials: dict[int, tuple[float, bytes]] = {}

        def cost_of(crf: int) -> float:
            if crf not in trials:
                trials[crf] = self._trial(source, decoded, encode_still(difference, crf, self.preset))
            return trials[crf][0]

        best = search_quantiser(cost_of, FIRST_QUANTISER, self.preset)
        return trials[best][1] if cost_of(best) < _cost(source, decoded) else b""

    def _trial(self, source: Clip, decoded: Clip, still: bytes) -> tuple[float, bytes]:
        """Return (cost, tail) with the best ramp for a coded difference."""
        bits = 8 * (1 + len(still))
        if bits > self.budget:
            return bits * FORBIDDEN_PRICE, b""
        tails = [bytes([ramp]) + still for ramp in RAMPS]
        costs = [_cost(source, PictureTail.parse(tail, self.video).correct(decoded)) for tail in tails]
        least = min(costs)
        return least + bits * self.bit_price, tails[costs.index(least)]


def encode_latent_tail(error: list[Array]) -> bytes:
    """Code the error of the last latent frame, float32 [D] a channel."""
    values = [np.asarray(channel if isinstance(channel, np.ndarray) else channel.cpu()) for channel in error]
    peaks = np.array([np.abs(channel).max() for channel in values], "<f4")
    steps = np.where(peaks > 0, peaks, 1) / LATENT_PEAK
    levels = [np.rint(channel / step).astype(np.int8) for channel, step in zip(values, steps, strict=True)]
    return peaks.tobytes() + zlib.compress(np.concatenate(levels).tobytes(), 9)


def add_latent_tail(x: Array, tail: list[slice], data: bytes) -> None:
    """Add a coded error to the last latent frame of a clean latent `x` [size], in place. Raises BitstreamError."""
    sizes = [part.stop - part.start for part in tail]
    levels = _inflate(data[4 * len(tail) :], sum(sizes))
    peaks = np.frombuffer(data[: 4 * len(tail)], "<f4")
    if not np.isfinite(peaks).all():
        raise BitstreamError("tail", 0, "its scales are not numbers")
    start = 0
    for part, size, peak in zip(tail, sizes, peaks, strict=True):
        values = levels[start : start + size].astype(np.float32) * (peak / np.float32(LATENT_PEAK))
        x[part] += values if isinstance(x, np.ndarray) else x.new_tensor(values)
        start += size


def _inflate(data: bytes, size: int) -> np.ndarray:
    """Return int8 [size] of deflated bytes; never more than that is unpacked. Raises BitstreamError."""
    inflater = zlib.decompressobj()
    try:
        values = inflater.decompress(data, size + 1)
    except zlib.error as error:
        raise BitstreamError("tail", 0, f"it does not unpack ({error})") from None
    if len(values) != size or not inflater.eof or inflater.unused_data:
        raise BitstreamError("tail", 0, f"it does not hold {size} values")
    return np.frombuffer(values, np.int8)


def _cost(source: Clip, decoded: Clip) -> float:
    """Return the squared error between two clips as a chain feels it, in luma samples."""
    cost = 0.0
    for s, d, weight in zip(source, decoded, (1, CHROMA_WEIGHT, CHROMA_WEIGHT), strict=True):
        squares = (s.astype(np.float32) - d) ** 2
        cost += weight**2 * float(squares.sum() + (CHAIN_WEIGHT - 1) * squares[-1].sum())
    return cost


def _samples(plane: np.ndarray) -> np.ndarray:
    return np.clip(plane, 0, 255).astype(np.uint8)
