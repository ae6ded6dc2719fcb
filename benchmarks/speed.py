# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Time and memory of coding: by picture size and preset, stage, clip length and threads, and of the codebook alone."""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks import codebook, scaling
from benchmarks.clips import Clip
from benchmarks.programs import GVC, Cost, run
from benchmarks.tables import SIDES
from benchmarks.versions import scaled
from gvc.gop.chains import chains_for
from gvc.loop.codebook import log2_size_for

# Number of pictures by picture size; large pictures take long, so there are fewer, and a full run takes minutes.
SIZES = {False: {"416x240": 65, "832x480": 33}, True: {"416x240": 97, "832x480": 65, "1280x720": 33}}
CODINGS = {
    False: ("--preset=medium",),
    True: ("--preset=fast", "--preset=medium", "--preset=slow", "--preset=gvcc", "--prior=neural"),
}
STAGED = ("gp", "neural")  # priors whose time is divided among stages
STAGED_GOPS = 2  # number of GOPs of 33 pictures in this measurement
LENGTHS = {False: (100, 400), True: (100, 400, 1600)}  # clip lengths in pictures, for quick and full runs
LENGTHS_SIZE = "416x240"
STARTS = 2  # number of processes with a single picture, of which the fastest counts as start-up time
RATE = 25  # pictures a second that count as real time
CHAINS = 12  # number of chains in the film of the simulation
STREAMED = 1 << 28  # bytes copied to measure the memory bandwidth


def of_size(clip: Clip, size: str, pictures: int, coding: str) -> dict:
    """Return speed and memory of encoding and decoding, for the clip scaled to `size` and repeated to `pictures`.

    Processes with a single picture measure the start-up time.
    """
    counts = (*[1] * STARTS, pictures)
    with TemporaryDirectory(prefix="gvc-size-") as folder:
        costs = [_coded(clip, size, count, coding, Path(folder, str(i))) for i, count in enumerate(counts)]
    sides = {}
    for side, (*starts, whole) in zip(SIDES, zip(*costs, strict=True), strict=True):
        start = min(cost.seconds for cost in starts)
        fps = (pictures - 1) / (whole.seconds - start)
        sides[side] = {
            "fps": fps,
            "real_time": fps / RATE,
            "startup_seconds": start,
            "peak_bytes": whole.peak_bytes,
        }
    return {"size": size, "pictures": pictures, "coding": coding, **sides}


def of_length(clip: Clip, pictures: int) -> dict:
    """Return the peak memory of encoding and decoding for a number of pictures."""
    with TemporaryDirectory(prefix="gvc-length-") as folder:
        encoding, decoding = _coded(clip, LENGTHS_SIZE, pictures, "--preset=medium", Path(folder, "clip"))
    return {"frames": pictures, "encode_bytes": encoding.peak_bytes, "decode_bytes": decoding.peak_bytes}


def _coded(clip: Clip, size: str, pictures: int, coding: str, folder: Path) -> tuple[Cost, Cost]:
    """Encode and decode the clip, scaled to `size` and repeated until there are enough pictures."""
    folder.mkdir()
    source, coded, log = scaled(clip, size, pictures, folder), folder / "coded.mkv", folder / "log"
    encoding = run([*GVC, "encode", "-q", "--no-audio", coding, str(source), str(coded)], log)
    return encoding, run([*GVC, "decode", "-q", "--no-audio", str(coded), str(folder / "decoded.y4m")], log)


def of_stages(clip: Clip, prior: str) -> dict:
    """Return the seconds of each stage of encoding and decoding the clip's first GOPs, and the number of pictures."""
    with TemporaryDirectory(prefix="gvc-stages-") as folder:
        log = Path(folder, "log")
        run([*GVC, "bench", "--json", f"--prior={prior}", f"--gops={STAGED_GOPS}", f"--input={clip.path}"], log)
        found = json.loads(log.read_text())
    stages = {side: {n: stage["seconds"] for n, stage in found[side]["stages"].items()} for side in SIDES}
    return {"prior": prior, "pictures": found["encode"]["pictures"], **stages}


def of_scaling(clip: Clip, size: str, pictures: int) -> dict:
    """Return the seconds of the parts of a clip's GOPs, and the simulated seconds by number of threads.

    The clip is scaled to `size` and repeated to `pictures`.
    """
    with TemporaryDirectory(prefix="gvc-scaling-") as name:
        source, log = scaled(clip, size, pictures, Path(name)), Path(name, "log")
        run([sys.executable, "-m", "benchmarks.scaling", str(source), str(pictures)], log)
        found = {side: [scaling.Gop(**gop) for gop in gops] for side, gops in json.loads(log.read_text()).items()}
    return {
        side: {
            "gops": len(gops),
            **{part: sum(getattr(gop, part) for gop in gops) for part in ("serial", "shared", "parallel")},
            "chains": CHAINS,
            "seconds": {threads: _film(gops, threads, side) for threads in scaling.THREADS},
        }
        for side, gops in found.items()
    }


def _film(gops: list[scaling.Gop], threads: int, side: str) -> float:
    """Return the simulated seconds of a film in which a chain of these GOPs comes CHAINS times."""
    if side == "decode":  # The packets of all chains are read one after another.
        return scaling.wall(gops * CHAINS, threads)
    return scaling.wall(gops, threads, chains=CHAINS, at_once=chains_for(threads))


def of_threads(clip: Clip, threads: int) -> dict:
    """Return wall-clock seconds of whole processes that are limited to a number of processors."""
    with TemporaryDirectory(prefix="gvc-threads-") as folder:
        coded, log = Path(folder, "coded.mkv"), Path(folder, "log")
        given = f"--threads={threads}"
        encoding = run([*GVC, "encode", "-q", given, str(clip.path), str(coded)], log)
        decoding = run([*GVC, "decode", "-q", given, str(coded), str(Path(folder, "decoded.y4m"))], log)
    return {"threads": threads, "encode_seconds": encoding.seconds, "decode_seconds": decoding.seconds}


def of_codebook() -> dict:
    """Return seconds on one core for searching a block, for drawing Gaussian atoms and for copying memory."""
    torch.set_num_threads(1)
    residual = np.random.default_rng(0).standard_normal(codebook.DIMENSION).astype(np.float32)
    residual /= np.linalg.norm(residual)
    codebook.structured(residual, 0)
    ours = codebook.seconds(lambda i: codebook.structured(residual, i), 21)
    share = codebook.BASELINE_SIZE // 64
    tensor = torch.from_numpy(residual)
    drawn = codebook.seconds(lambda i: codebook.gaussian(tensor, share, i), 3) * codebook.BASELINE_SIZE / share
    block, target = np.ones(STREAMED // 4, np.float32), np.empty(STREAMED // 4, np.float32)
    copied = codebook.seconds(lambda _: np.copyto(target, block), 5)
    atoms = 1 << log2_size_for(codebook.DIMENSION)
    return {
        "values": codebook.DIMENSION,
        "atoms": atoms,
        "seconds": ours,
        "gaussian_atoms": codebook.BASELINE_SIZE,
        "gaussian_seconds": drawn,
        "bandwidth": 2 * STREAMED / copied,  # Each byte is read and written.
        # Search time as a number of passes that read and write the vector of correlations.
        "passes": ours * (2 * STREAMED / copied) / (2 * 4 * atoms),
    }
