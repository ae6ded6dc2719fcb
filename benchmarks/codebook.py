# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Structured codebook against i.i.d. Gaussian atoms on one core: correlate a block with all atoms, pick the strongest.

    python benchmarks/codebook.py

GVC uses all N = 2^17 rows of H·D2·H·D1. The baseline draws 16384 Gaussian atoms from torch's CPU generator, as
generative codecs with random codebooks do; only a part of them is timed and the time scaled up, since drawing and
multiplying are linear in their number. Times are processor time of the single thread, so other load matters little.
"""

import argparse
import statistics
import time

import numpy as np
import torch

from gvc.loop.codebook import Codebook, Ranking, log2_size_for

DIMENSION, ATOMS = 99_840, 64  # values of a latent frame of 416x240, and number of atoms to pick
BASELINE_SIZE, CHUNK = 16_384, 64


def structured(residual: np.ndarray, step: int) -> np.ndarray:
    book = Codebook(DIMENSION, log2_size_for(DIMENSION), seed=1, gop=0, step=step, block=0)
    return Ranking(book.correlate(residual)).take(ATOMS)[0]


def gaussian(residual: torch.Tensor, size: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    chunks = [torch.randn(CHUNK, DIMENSION, generator=generator) @ residual for _ in range(size // CHUNK)]
    correlations = torch.cat(chunks)
    return correlations.abs().topk(min(ATOMS, size)).indices


def seconds(run, repetitions: int) -> float:
    """Return the median processor time of run(0), run(1), ..."""
    times = []
    for i in range(repetitions):
        start = time.thread_time()
        run(i)
        times.append(time.thread_time() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="draw all baseline atoms instead of scaling up a share")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    residual = np.random.default_rng(0).standard_normal(DIMENSION).astype(np.float32)
    residual /= np.linalg.norm(residual)

    structured(residual, 0)
    ours = seconds(lambda i: structured(residual, i), 21)
    timed = BASELINE_SIZE if arguments.full else BASELINE_SIZE // 32
    tensor = torch.from_numpy(residual)
    gaussian(tensor, CHUNK, 0)
    theirs = seconds(lambda i: gaussian(tensor, timed, i), 1 if arguments.full else 5) * BASELINE_SIZE / timed

    label = "measured in full" if arguments.full else f"extrapolated from {timed} atoms"
    print(f"block of {DIMENSION} values, {ATOMS} atoms picked, one core")
    print(f"structured, {1 << log2_size_for(DIMENSION)} atoms: {ours * 1e3:10.2f} ms")
    print(f"Gaussian,    {BASELINE_SIZE} atoms: {theirs * 1e3:10.2f} ms ({label})")
    print(f"ratio: {theirs / ours:.0f}")


if __name__ == "__main__":
    main()
