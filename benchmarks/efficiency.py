# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How efficiently atoms carry information: bits spent, against what the trajectory needs and against theory.

The same choice of noise has three prices:
- the divergence (KL) between the posterior that knows the source and the model's own step, which is what has to be
  conveyed: |pull (x0 - x0_hat)|^2 / (2 sigma^2) nats a step (gvc.loop.transition);
- the ideal code of the chosen sets, log2 C(N, M) + M bits;
- the bytes that the range coder wrote, counts of atoms included.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace

import numpy as np

from benchmarks.clips import Clip
from gvc.bench.material import clip_of_file
from gvc.bitstream.levels import level_time, matched_levels, shifted_times, sigma_level
from gvc.encoder import Encoder
from gvc.entropy import set_bits
from gvc.gop import encoder as gop_encoder
from gvc.gop.encoder import CHEAP_LEVEL_STRIDE, START_SNR
from gvc.gop.rule import FIXED_SILENT, FIXED_STEPS
from gvc.loop import denoise as loop
from gvc.loop import transition
from gvc.loop.search import SearchNoise
from gvc.plan.settings import CODEBOOK_EXTRA, PAPER_LOG2_ATOMS
from gvc.prior import on_host

CODED = (
    {"mode": "flf2v", "quality": 8},
    {"mode": "flf2v", "quality": 30},
    {"mode": "flf2v", "quality": 50},
    {"mode": "t2v", "quality": 15},
    {"mode": "t2v", "quality": 30},
    {"mode": "flf2v", "quality": 20, "preset": "gvcc", "atoms": 64},
    {"mode": "flf2v", "quality": 20, "preset": "gvcc", "atoms": 1024},
)
VALUES = 1 << 15  # of a synthetic source
NOISES = (4.0, 2.0, 1.0, 0.5, 0.25)  # sigma where coding stops, beside a source of unit variance
PAPER_ATOMS = (16, 64, 256, 1024)
PAPER_SHIFT = 3


class _Recording(SearchNoise):
    """Notes for every step what it should cost and what it costs."""

    def __init__(self, log: list, *arguments, **options):
        super().__init__(*arguments, **options)
        self.log, self._header = log, arguments[1]

    def inject(self, step, t, s, x0_hat):
        residual = on_host(self._x0 - x0_hat)
        energies = [float((residual[block].astype(np.float64) ** 2).sum()) for block in self._blocks]
        s, z = super().inject(step, t, s, x0_hat)
        rule = (transition.euler_maruyama if self._fixed else transition.ancestral)(t, s)
        ideal = [set_bits(self._size(book), count) for book, count in zip(self._books(0), self._spent, strict=True)]
        self.log.append(
            {
                "t": t,
                "atoms": sum(self._spent),
                "kl_bits": [(rule.pull / rule.sigma) ** 2 * e / 2 / math.log(2) for e in energies],
                "ideal_bits": ideal,
            }
        )
        return s, z

    def _cost(self, counts, books):
        self._spent = counts  # the last ones asked about are those that are taken
        return super()._cost(counts, books)

    def finish(self) -> bytes:
        data = super().finish()
        self.log.append({"coded_bits": 8 * len(data)})
        return data


@contextmanager
def _recorded() -> Iterator[list]:
    log, plain = [], gop_encoder.SearchNoise
    gop_encoder.SearchNoise = partial(_Recording, log)
    try:
        yield log
    finally:
        gop_encoder.SearchNoise = plain


def of_clip(clip: Clip, options: dict) -> dict:
    """Return the three prices over a clip, of the whole and by step."""
    video, pictures = clip_of_file(str(clip.path), clip.frames, None)
    with _recorded() as log:
        encoder = Encoder(video, options)
        for picture in [*pictures, None]:
            encoder.encode(picture)
    steps = [entry for entry in log if "t" in entry]
    return {
        "options": options,
        "gops": len(log) - len(steps),
        "blocks": len(steps[0]["kl_bits"]) if steps else 0,
        "kl_bits": sum(sum(step["kl_bits"]) for step in steps),
        "ideal_bits": sum(sum(step["ideal_bits"]) for step in steps),
        "coded_bits": sum(entry.get("coded_bits", 0) for entry in log),
        "steps": steps,
    }


def of_gaussian(name: str) -> dict:
    """Return rate and distortion on a Gaussian source, "white" or "coloured", in bits a value and of unit variance."""
    variances = np.ones(VALUES) if name == "white" else _coloured()
    x0 = (np.random.default_rng(1).standard_normal(VALUES) * np.sqrt(variances)).astype(np.float32)
    return {
        "source": name,
        "ancestral": [_point(variances, x0, *_matched(x0, sigma)) for sigma in NOISES],
        "paper": [_point(variances, x0, *_fixed(atoms)) for atoms in PAPER_ATOMS],
    }


def _coloured() -> np.ndarray:
    """Return the spectrum of a first-order process with correlation .95, which neighbouring pixels have about."""
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
    """Code the source once and compare with the rate-distortion function at the distortion that came out."""
    header = SimpleNamespace(seed=1, codebook_extra=options.pop("extra"), codebook_limit=options.pop("limit"))
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

    tail, known, memory = (), None, None

    def __init__(self, variances: np.ndarray):
        self.size, self.blocks = len(variances), [slice(0, len(variances))]
        self._variances = variances.astype(np.float32)

    def zeros(self) -> np.ndarray:
        return np.zeros(self.size, np.float32)

    def velocity(self, x: np.ndarray, t: float) -> np.ndarray:
        gain = (1 - t) * self._variances / ((1 - t) ** 2 * self._variances + t * t)
        return (x - gain * x) / t


def rate_of(variances: np.ndarray, distortion: float) -> float:
    """Return R(D) in bits a value, by reverse water-filling."""
    level = _water(lambda water: float(np.minimum(water, variances).mean()), distortion, float(variances.max()))
    return float(np.maximum(0, 0.5 * np.log2(variances / level)).mean())


def distortion_of(variances: np.ndarray, rate: float) -> float:
    """Return D(R), by reverse water-filling."""
    top = float(variances.max())
    level = _water(lambda water: -float(np.maximum(0, 0.5 * np.log2(variances / water)).mean()), -rate, top)
    return float(np.minimum(level, variances).mean())


def _water(rising, wanted: float, high: float) -> float:
    """Return where a rising function of the water level takes a value."""
    low = 1e-9
    for _ in range(100):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if rising(middle) < wanted else (low, middle)
    return high
