"""What coding costs in time and memory: by size and preset, with clip length, with threads, and the codebook alone."""

import json
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from benchmarks import codebook
from benchmarks.clips import Clip
from benchmarks.programs import FFMPEG, GVC, ProgramError, run
from gvc.codebook import log2_size_for

SIZES = {False: ("416x240", "832x480"), True: ("416x240", "832x480", "1280x720")}
PRESETS = {False: ("medium",), True: ("fast", "medium", "slow", "gvcc")}
REPEATS = {False: (1, 4), True: (1, 2, 4, 8, 16)}  # how often the clip follows itself
FRAMES, RATE = 33, 25
STREAMED = 1 << 28  # bytes that are copied to measure the bandwidth of memory


def of_size(size: str, preset: str) -> dict:
    """Return what `gvc bench` says of one GOP, with the times of whole GOPs as frames a second."""
    command = [*GVC, "bench", "--json", "--size", size, "--frames", str(FRAMES), "--preset", preset]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramError(f"gvc bench failed: {done.stderr.strip()}")
    result = json.loads(done.stdout)
    sides = {}
    for side in ("encode", "decode"):
        costs = result[side]
        fps = result["encode"]["pictures"] / costs["seconds_per_gop"] / result["gops"]
        sides[side] = {
            "fps": fps,
            "real_time": fps / RATE,
            "startup_seconds": costs["startup_seconds"],
            "peak_bytes": costs["peak_rss_bytes"],
            "stages": {name: stage["seconds"] for name, stage in costs["stages"].items() if stage["seconds"]},
        }
    return {"size": size, "preset": preset, **sides, "warnings": result["warnings"]}


def of_length(clip: Clip, repeats: int) -> dict:
    """Return the peaks of memory of both sides for the clip, repeated."""
    with TemporaryDirectory(prefix="gvc-length-") as folder:
        scratch = Path(folder)
        source, coded, log = scratch / "source.mkv", scratch / "coded.mkv", scratch / "log"
        loop = ["-stream_loop", str(repeats - 1), "-i", str(clip.path), "-c", "copy", str(source)]
        run([FFMPEG, "-v", "error", "-y", *loop], log)
        encoding = run([*GVC, "encode", "-q", str(source), str(coded)], log)
        decoding = run([*GVC, "decode", "-q", str(coded), str(scratch / "decoded.y4m")], log)
    return {"frames": clip.frames * repeats, "encode_bytes": encoding.peak_bytes, "decode_bytes": decoding.peak_bytes}


def of_threads(clip: Clip, threads: int) -> dict:
    """Return wall-clock seconds of whole processes that may use so many processors."""
    with TemporaryDirectory(prefix="gvc-threads-") as folder:
        coded, log = Path(folder, "coded.mkv"), Path(folder, "log")
        given = f"--threads={threads}"
        encoding = run([*GVC, "encode", "-q", given, str(clip.path), str(coded)], log)
        decoding = run([*GVC, "decode", "-q", given, str(coded), str(Path(folder, "decoded.y4m"))], log)
    return {"threads": threads, "encode_seconds": encoding.seconds, "decode_seconds": decoding.seconds}


def of_codebook() -> dict:
    """Return seconds on one core to search a block, against drawing Gaussian atoms and against copying memory."""
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
        "bandwidth": 2 * STREAMED / copied,  # read and written
        # How often the vector of correlations could have been read and written in the same time.
        "passes": ours * (2 * STREAMED / copied) / (2 * 4 * atoms),
    }
