# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`make demo`: code a clip with the system's ffmpeg, decode it in a new process, compare it with the source and x265.

Writes out.mkv, out_decoded.mkv, out_x265.mkv and out_compare.png into the current folder.
"""

import argparse
import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from pytorch_msssim import ms_ssim

from gvc.plugin import environment

CODED, DECODED, RIVAL, PICTURE = (Path(f"out{part}") for part in (".mkv", "_decoded.mkv", "_x265.mkv", "_compare.png"))
FFMPEG = ("ffmpeg", "-nostdin", "-v", "error", "-y")
PASSTHROUGH = ("-fps_mode", "passthrough")  # keeps FFmpeg from dropping or repeating frames
X265_PARAMS = "log-level=none:info=0"  # keeps x265 from writing its settings into the stream
SIZE_TOLERANCE, CRF_STEPS, CRF_RANGE = 0.02, 9, (18.0, 51.0)
MSSSIM_MIN_SIDE = 161  # smallest side for MS-SSIM, which has five scales and a window of 11 samples
BATCH = 8  # frames measured together
TITLE_HEIGHT, ZOOM, GAP = 28, 2, 4


@dataclass
class Result:
    """One coded file: its size, and its quality against the source."""

    name: str
    size: int
    psnr: float  # PSNR of RGB in dB, mean over frames
    msssim: float | None  # MS-SSIM of RGB; None if the pictures are too small for it


def taken(frames: int) -> tuple[str, ...]:
    """Return FFmpeg's output options that select the first frames of the video and no other tracks."""
    return ("-an", "-frames:v", str(frames), *PASSTHROUGH)


def run(*command: object) -> float:
    """Run a program with the plugin, as `gvc ffmpeg ...` does, and return the seconds it took. Exits on failure."""
    words = [str(word) for word in command]
    print(f"\n$ gvc {shlex.join(words)}", flush=True)
    started = time.monotonic()
    variables = {**environment(), "GVC_SERVE": "0"}  # "0" keeps libgvc from using a running engine.
    done = subprocess.run(words, env=variables, check=False)
    if done.returncode:
        sys.exit(f"demo: {words[0]} failed (exit code {done.returncode}); `gvc doctor` may know why")
    return time.monotonic() - started


def read_frames(path: Path, limit: int) -> tuple[np.ndarray, Fraction]:
    """Return up to `limit` frames, [T, H, W, 3] uint8, and the frame rate."""
    frames = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            frames.append(frame.to_ndarray(format="rgb24"))
            if len(frames) == limit:
                break
        return np.stack(frames), stream.average_rate or Fraction(25)


def compare(name: str, coded: Path, decoded: np.ndarray, source: np.ndarray) -> Result:
    """Measure decoded frames against the source."""
    if len(decoded) != len(source):
        sys.exit(f"demo: {coded} has {len(decoded)} frames and the source {len(source)}")
    error = [np.mean((a.astype(np.float32) - b) ** 2) for a, b in zip(source, decoded, strict=True)]
    psnr = float(np.mean(10 * np.log10(255**2 / np.maximum(error, 1e-6))))
    similarity = None
    if min(source.shape[1:3]) >= MSSSIM_MIN_SIDE:
        a, b = (torch.from_numpy(frames).permute(0, 3, 1, 2) for frames in (source, decoded))
        batches = (range(i, min(i + BATCH, len(source))) for i in range(0, len(source), BATCH))
        values = [ms_ssim(a[n].float(), b[n].float(), data_range=255, size_average=False) for n in batches]
        similarity = float(torch.cat(values).mean())
    return Result(name, os.path.getsize(coded), psnr, similarity)


def encode_x265(clip: Path, frames: int, size: int) -> None:
    """Write RIVAL with x265 veryslow, with a file size as close to `size` bytes as its rate factor allows."""
    low, high = CRF_RANGE
    best = None
    for step in range(CRF_STEPS):
        crf = high if step == 0 else (low + high) / 2  # The coarsest is tried first: even it may be too large.
        trial = RIVAL.with_suffix(".trial.mkv")
        command = (
            f"ffmpeg -nostdin -v error -y -i {shlex.quote(str(clip))} -an -frames:v {frames} -fps_mode passthrough"
        )
        command += f" -pix_fmt yuv420p -c:v libx265 -preset veryslow -crf {crf:.3f}"
        subprocess.run([*shlex.split(command), "-x265-params", X265_PARAMS, trial], check=True)
        found = os.path.getsize(trial)
        if best is None or abs(found - size) < abs(best - size):
            best = found
            trial.replace(RIVAL)
        if abs(found - size) <= SIZE_TOLERANCE * size or (step == 0 and found > size):
            break
        if step:
            low, high = (crf, high) if found > size else (low, crf)
    RIVAL.with_suffix(".trial.mkv").unlink(missing_ok=True)


def draw(panels: list[tuple[str, np.ndarray]]) -> Image.Image:
    """Return a sheet of pictures side by side with titles; below each is an enlargement of its middle."""
    height, width = panels[0][1].shape[:2]
    sheet = Image.new("RGB", ((width + GAP) * len(panels) - GAP, TITLE_HEIGHT + 2 * height + GAP), "white")
    font = ImageFont.load_default(14)
    box = (width // 2 - width // 2 // ZOOM, height // 2 - height // 2 // ZOOM)
    for i, (title, pixels) in enumerate(panels):
        picture, x = Image.fromarray(pixels), i * (width + GAP)
        middle = picture.crop((*box, box[0] + width // ZOOM, box[1] + height // ZOOM))
        ImageDraw.Draw(sheet).text((x + 4, 6), title, "black", font)
        sheet.paste(picture, (x, TITLE_HEIGHT))
        sheet.paste(middle.resize((width, height), Image.Resampling.LANCZOS), (x, TITLE_HEIGHT + height + GAP))
    return sheet


def print_table(results: list[Result], pixels: int, seconds: Fraction) -> None:
    print(f"\n{'':14}{'bytes':>9}{'kb/s':>9}{'bpp':>9}{'PSNR dB':>9}{'MS-SSIM':>9}")
    for r in results:
        similarity = "-" if r.msssim is None else f"{r.msssim:.4f}"
        kbps, bpp = float(8 * r.size / seconds / 1000), 8 * r.size / pixels
        print(f"{r.name:14}{r.size:>9}{kbps:>9.1f}{bpp:>9.4f}{r.psnr:>9.2f}{similarity:>9}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", type=Path)
    parser.add_argument("--bpp", type=float, default=0.016, help="bits a pixel to aim at")
    parser.add_argument("--frames", type=int, default=97, help="use so many frames of the clip at most")
    arguments = parser.parse_args()

    source, rate = read_frames(arguments.clip, arguments.frames)
    frames, height, width = source.shape[:3]
    print(f"{arguments.clip}: {frames} frames, {width}x{height}, {float(rate):g} frames/s")
    bitrate = round(arguments.bpp * width * height * rate)
    encode_seconds = run(*FFMPEG, "-i", arguments.clip, *taken(frames), "-c:v", "gvc", "-b:v", bitrate, CODED)
    run("ffprobe", "-hide_banner", CODED)
    decode_seconds = run(*FFMPEG, "-i", CODED, *PASSTHROUGH, "-c:v", "ffv1", DECODED)

    decoded, _ = read_frames(DECODED, frames + 1)
    ours = compare("GVC", CODED, decoded, source)
    print("\nfor comparison: x265 (preset veryslow) at the same file size ...", flush=True)
    encode_x265(arguments.clip, frames, ours.size)
    rival_frames, _ = read_frames(RIVAL, frames + 1)
    theirs = compare("x265 veryslow", RIVAL, rival_frames, source)

    print_table([ours, theirs], source[..., 0].size, frames / rate)
    speeds = (f"{name} {seconds:.1f} s" for name, seconds in (("encode", encode_seconds), ("decode", decode_seconds)))
    print(f"GVC: {', '.join(speeds)} for {frames} frames, starting the engine included")
    shown = frames // 2
    titles = ["source", *(f"{r.name}: {r.size} bytes, {r.psnr:.1f} dB" for r in (ours, theirs))]
    draw(list(zip(titles, (source[shown], decoded[shown], rival_frames[shown]), strict=True))).save(PICTURE)
    print(f"{PICTURE}: frame {shown} of source, GVC and x265, below it the middle enlarged")


if __name__ == "__main__":
    main()
