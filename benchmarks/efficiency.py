# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How efficiently atoms carry information: bits spent, against what the trajectory needs and against theory.

The same choice of noise has three prices:
- the information that must be conveyed: the divergence (KL) between the posterior given the source and the model's own
  step, which is |pull (x0 - x0_hat)|^2 / (2 sigma^2) nats for each step (gvc.loop.transition);
- the ideal code of the chosen sets, log2 C(N, M) + M bits;
- the bytes that the range coder wrote, including counts of atoms.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from benchmarks.clips import Clip
from gvc.bench.material import clip_of_file
from gvc.bench.stand_in import StandIn
from gvc.bitstream import GopUnit, SequenceHeader, read_packet
from gvc.bitstream.levels import level_time, matched_levels, shifted_times, sigma_level
from gvc.encoder import Encoder
from gvc.entropy import RangeDecoder, read_atoms, read_count, set_bits
from gvc.gop.encoder import CHEAP_LEVEL_STRIDE, START_SNR
from gvc.gop.rule import FIXED_SILENT, FIXED_STEPS, rule_of
from gvc.loop import denoise as loop
from gvc.loop import transition
from gvc.loop.codebook import MAX_LOG2_SIZE, log2_size_for, pieces
from gvc.loop.search import SearchNoise
from gvc.media import Clip as VideoClip
from gvc.plan.settings import CODEBOOK_EXTRA, PAPER_LOG2_ATOMS
from gvc.prior import Array, Condition, ConditionedPrior, ModelOptions, Prior, on_host
from gvc.priors import open_prior

CODED = (
    {"mode": "flf2v", "quality": 8},
    {"mode": "flf2v", "quality": 30},
    {"mode": "flf2v", "quality": 50},
    {"mode": "t2v", "quality": 15},
    {"mode": "t2v", "quality": 30},
    {"mode": "flf2v", "quality": 20, "preset": "gvcc", "atoms": 64},
    {"mode": "flf2v", "quality": 20, "preset": "gvcc", "atoms": 1024},
)
VALUES = 1 << 15  # number of values of a synthetic source
NOISES = (4.0, 2.0, 1.0, 0.5, 0.25)  # sigmas where coding stops, for a source of unit variance
PAPER_ATOMS = (16, 64, 256, 1024)
PAPER_SHIFT = 3


@dataclass
class _Step:
    """A step of the encoder's loop. energies: squared error of x0_hat in each piece of the latent."""

    t: float
    s: float
    energies: list[float]


@dataclass
class _Search:
    """A record of the encoder's loop in one GOP.

    x0: clean latent, float32 [size].
    pieces: parts of it that have a codebook of their own.
    steps: steps of the loop, default none.
    """

    x0: Array
    pieces: list[slice]
    steps: list[_Step] = field(default_factory=list)


class _Observer:
    """An observer of an encoder's loop, which gets its `opener` and `on_step`. searches: a record for each GOP."""

    def __init__(self):
        self.searches: list[_Search] = []

    def opener(self, spec: str, options: ModelOptions) -> Prior:
        return _ObservedPrior(open_prior(spec, options), self.searches)

    def on_step(self, step: int, t: float, s: float, x0_hat: Array) -> None:
        search = self.searches[-1]
        if step == 0:
            search.steps = []  # The encoder may repeat a GOP with larger steps.
        residual = on_host(search.x0 - x0_hat)
        energies = [float((residual[piece].astype(np.float64) ** 2).sum()) for piece in search.pieces]
        search.steps.append(_Step(t, s, energies))


class _ObservedPrior(StandIn):
    """A prior that records the latents of an encoder."""

    def __init__(self, prior: Prior, searches: list[_Search]):
        super().__init__(prior)
        self._searches = searches

    def condition(self, condition: Condition, side: bytes) -> "_ObservedConditioned":
        return _ObservedConditioned(self.target.condition(condition, side), self._searches)


class _ObservedConditioned(StandIn):
    """A prior conditioned on one GOP that records the GOP's latent."""

    def __init__(self, conditioned: ConditionedPrior, searches: list[_Search]):
        super().__init__(conditioned)
        self._searches = searches

    def encode_latent(self, clip: VideoClip) -> Array:
        x0 = self.target.encode_latent(clip)  # The encoder later writes known values into this same array.
        self._searches.append(_Search(x0, [piece for block in self.target.blocks for piece in pieces(block)]))
        return x0


def _counts_of(unit: GopUnit, sizes: list[int], steps: int) -> list[list[int]]:
    """Return the number of atoms of each piece at each step with noise.

    sizes: number of atoms in use of each piece's codebook. steps: number of steps with noise.
    """
    decoder, counts, found = RangeDecoder(unit.atoms), [0] * len(sizes), []
    for _ in range(steps):
        for i, size in enumerate(sizes):
            counts[i] = read_count(decoder, counts[i])
            read_atoms(decoder, counts[i], size)
        found.append(list(counts))
    decoder.finish()
    return found


def _prices(header: SequenceHeader, unit: GopUnit, search: _Search) -> Iterator[dict]:
    """Yield the theoretical and the ideal-code bits of each piece, for each step with noise."""
    rule = rule_of(header, unit)
    limit = header.codebook_limit or MAX_LOG2_SIZE
    log2 = [log2_size_for(piece.stop - piece.start, header.codebook_extra) for piece in search.pieces]
    sizes = [1 << min(bits, limit) for bits in log2]
    for step, counts in zip(search.steps[: rule.noisy], _counts_of(unit, sizes, rule.noisy), strict=True):
        move = rule.transition(step.t, step.s)
        yield {
            "t": step.t,
            "atoms": sum(counts),
            "kl_bits": [(move.pull / move.sigma) ** 2 * energy / 2 / math.log(2) for energy in step.energies],
            "ideal_bits": [set_bits(size, count) for size, count in zip(sizes, counts, strict=True)],
        }


def of_clip(clip: Clip, options: dict) -> dict:
    """Return the three prices for a clip, in total and for each step."""
    video, pictures = clip_of_file(str(clip.path), clip.frames, None)
    observer = _Observer()
    encoder = Encoder(video, options, opener=observer.opener, on_step=observer.on_step)
    packets = [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    units = [unit for packet in packets if (unit := read_packet(packet.data))]
    steps = [
        price
        for unit, search in zip(units, observer.searches, strict=True)
        for price in _prices(encoder.header, unit, search)
    ]
    return {
        "options": options,
        "gops": len(units),
        "blocks": len(steps[0]["kl_bits"]) if steps else 0,
        "kl_bits": sum(sum(step["kl_bits"]) for step in steps),
        "ideal_bits": sum(sum(step["ideal_bits"]) for step in steps),
        "coded_bits": sum(8 * len(unit.atoms) for unit in units),
        "steps": steps,
    }


def of_gaussian(name: str) -> dict:
    """Return rate (bits per value) and distortion on a Gaussian source of unit variance.

    name: "white" or "coloured".
    """
    variances = np.ones(VALUES) if name == "white" else _coloured()
    x0 = (np.random.default_rng(1).standard_normal(VALUES) * np.sqrt(variances)).astype(np.float32)
    return {
        "source": name,
        "ancestral": [_point(variances, x0, *_matched(x0, sigma)) for sigma in NOISES],
        "paper": [_point(variances, x0, *_fixed(atoms)) for atoms in PAPER_ATOMS],
    }


def _coloured() -> np.ndarray:
    """Return the spectrum of a first-order process with correlation 0.95, a typical value for neighbouring pixels."""
    w = np.pi * (np.arange(VALUES) + 0.5) / VALUES
    return (1 - 0.95**2) / (1 - 2 * 0.95 * np.cos(w) + 0.95**2)


def _matched(x0: np.ndarray, sigma: float) -> tuple[loop.Rule, dict]:
    stop = sigma_level(sigma)
    start = max(stop, sigma_level((float((x0**2).mean()) / START_SNR) ** 0.5))
    levels = matched_levels(start, stop, CHEAP_LEVEL_STRIDE["medium"])
    rule = loop.Rule([level_time(level) for level in levels], transition.ancestral, uses_known=True)
    return rule, {"levels": levels, "extra": CODEBOOK_EXTRA["medium"], "limit": 0}


def _fixed(atoms: int) -> tuple[loop.Rule, dict]:
    rule = loop.Rule(shifted_times(FIXED_STEPS, PAPER_SHIFT)[1:], transition.euler_maruyama, FIXED_SILENT)
    return rule, {"fixed": [atoms], "extra": 0, "limit": PAPER_LOG2_ATOMS}


def _point(variances: np.ndarray, x0: np.ndarray, rule: loop.Rule, options: dict) -> dict:
    """Code a source once, and compare its rate with the rate-distortion function at the same distortion."""
    extra, limit = options.pop("extra"), options.pop("limit")
    header = SimpleNamespace(seed=1, codebook_extra=extra, codebook_limit=limit, lowres_steps=0)
    prior = _Gaussian(variances)
    noise = SearchNoise(prior, header, 0, x0, **options)
    clean = loop.finish(prior, *loop.denoise(prior, rule, noise), realism=0.0)
    distortion = float(((clean - x0) ** 2).mean())
    rate = 8 * len(noise.finish()) / VALUES
    least = rate_of(variances, distortion)
    gap = 10 * math.log10(distortion / distortion_of(variances, rate))
    return {"rate": rate, "distortion": distortion, "least_rate": least, "gap_db": gap}


class _Gaussian:
    """The exact rectified flow of independent Gaussian values."""

    tail, known, memory = (), (), None

    def __init__(self, variances: np.ndarray):
        self.size, self.blocks = len(variances), [slice(0, len(variances))]
        self._variances = variances.astype(np.float32)

    def zeros(self) -> np.ndarray:
        return np.zeros(self.size, np.float32)

    def velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        gain = (1 - t) * self._variances / ((1 - t) ** 2 * self._variances + t * t)
        return (x - gain * x) / t


def rate_of(variances: np.ndarray, distortion: float) -> float:
    """Return R(D) in bits per value, by reverse water-filling."""
    level = _water(lambda water: float(np.minimum(water, variances).mean()), distortion, float(variances.max()))
    return float(np.maximum(0, 0.5 * np.log2(variances / level)).mean())


def distortion_of(variances: np.ndarray, rate: float) -> float:
    """Return D(R), by reverse water-filling."""
    top = float(variances.max())
    level = _water(lambda water: -float(np.maximum(0, 0.5 * np.log2(variances / water)).mean()), -rate, top)
    return float(np.minimum(level, variances).mean())


def _water(rising, wanted: float, high: float) -> float:
    """Return the water level at which a rising function takes a value."""
    low = 1e-9
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return high
