# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The speed of this GVC beside that of another checkout, and beside x265 and SVT-AV1 at the same file size.

All figures are medians of whole processes. The versions take turns, so that a busy machine disturbs them equally.
"""

import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.clips import Clip
from benchmarks.codecs import CODECS, CODED, ONE_KEYFRAME, SOURCE
from benchmarks.programs import FFMPEG, Cost, ProgramError, run

THIS, OTHER = "this", "other"
HD = "1280x720"


@dataclass(frozen=True)
class Job:
    """What each version codes and decodes again. options: of the encoder; threads: of both sides, 0 = all."""

    size: str
    pictures: int
    options: tuple[str, ...] = ()
    threads: int = 0

    @property
    def name(self) -> str:
        words = [self.size, *(option.removeprefix("--").replace("=", " ") for option in self.options)]
        return " ".join([*words, *([f"threads {self.threads}"] if self.threads else [])])


PLAIN = Job(HD, 97)
ONE_THREAD, TWO_THREADS = (Job(HD, 97, threads=threads) for threads in (1, 2))
BITRATE = Job(HD, 200, ("--bitrate=300k",))
FULL_HD, SMALL = Job("1920x1080", 49), Job("416x240", 65)
JOBS = (PLAIN, FULL_HD, SMALL, BITRATE, ONE_THREAD, TWO_THREADS)
RIVALS = {"x265": (18, 51), "svt-av1": (20, 63)}  # Codecs and their ranges of levels


def commands(against: Path | None) -> dict[str, str]:
    """Return the command `gvc` of each version. Raises ProgramError.

    against: the other checkout, with its own .venv; None = there is no other version.
    """
    found = {THIS: Path(sys.executable).with_name("gvc")} | ({OTHER: against / ".venv/bin/gvc"} if against else {})
    for path in found.values():
        if not path.exists():
            raise ProgramError(f"{path} is missing; set that checkout up with make setup")
    return {name: str(path.absolute()) for name, path in found.items()}


def material(clips: Sequence[Clip], size: str) -> tuple[Clip, bool]:
    """Return the first clip of a size, or else the first clip at all, and whether it must be scaled."""
    fits = [clip for clip in clips if f"{clip.width}x{clip.height}" == size]
    return (fits or clips)[0], not fits


def of_job(clip: Clip, job: Job, runs: int, against: Path | None) -> dict:
    """Return the costs of encoding and decoding in each version, and of its files: medians of `runs` runs in turns.

    The clip is scaled to the job's size and repeated until there are enough pictures. Each version decodes its own
    file.
    """
    gvc = commands(against)
    limit = [f"--threads={job.threads}"] if job.threads else []
    with TemporaryDirectory(prefix="gvc-job-") as name:
        folder = Path(name)
        source, log, raw = scaled(clip, job.size, job.pictures, folder), folder / "log", str(folder / "decoded.y4m")
        coded = {version: folder / f"{version}.mkv" for version in gvc}

        def encode(version: str) -> Cost:
            words = ["encode", "-y", "-q", "--no-audio", *job.options, *limit, str(source), str(coded[version])]
            return run([gvc[version], *words], log)

        def decode(version: str) -> Cost:
            return run([gvc[version], "decode", "-y", "-q", "--no-audio", *limit, str(coded[version]), raw], log)

        found = {"encode": in_turns(encode, gvc, runs), "decode": in_turns(decode, gvc, runs)}
        sizes = {version: path.stat().st_size for version, path in coded.items()}
    return {"job": job.name, "pictures": job.pictures, "bytes": sizes, **found}


def of_first_picture(clip: Clip, runs: int, against: Path | None) -> dict:
    """Return the costs of showing the first picture of a new file through FFmpeg's own program with the plugin."""
    gvc = commands(against)
    with TemporaryDirectory(prefix="gvc-first-") as name:
        folder = Path(name)
        source, log = scaled(clip, HD, PLAIN.pictures, folder), folder / "log"
        for version, command in gvc.items():
            run([command, "encode", "-q", "--no-audio", str(source), str(folder / f"{version}.mkv")], log)

        def show(version: str) -> Cost:
            given = ["-v", "error", "-nostdin", "-i", str(folder / f"{version}.mkv")]
            return run([gvc[version], "ffmpeg", *given, "-frames:v", "1", "-f", "null", "-"], log)

        return in_turns(show, gvc, runs)


def of_rivals(clip: Clip, size: int, runs: int) -> dict:
    """Return the costs of other encoders for the first job, each at the level whose file is nearest to `size` bytes."""
    found = {}
    with TemporaryDirectory(prefix="gvc-rivals-") as name:
        folder = Path(name)
        source, log, coded = scaled(clip, HD, PLAIN.pictures, folder), folder / "log", folder / "coded.mkv"
        names = {SOURCE: str(source), CODED: str(coded)}

        def encode(codec: str, level: int) -> Cost:
            return run([names.get(word, word) for word in CODECS[codec].encode(clip, level, ONE_KEYFRAME)], log)

        def size_of(codec: str, level: int) -> int:
            encode(codec, level)
            return coded.stat().st_size

        levels = {codec: nearest(size, *RIVALS[codec], lambda level, c=codec: size_of(c, level)) for codec in RIVALS}
        costs = in_turns(lambda codec: encode(codec, levels[codec][0]), RIVALS, runs)
        for codec, (level, its_size) in levels.items():
            found[codec] = {"level": level, "bytes": its_size, **costs[codec]}
    return found


def nearest(size: int, low: int, high: int, size_of: Callable[[int], int]) -> tuple[int, int]:
    """Return the level from `low` to `high` whose file is nearest to a size, by ratio, and the size of that file.

    Files get smaller from level to level. size_of: function that makes a file and returns its size in bytes.
    """
    seen: dict[int, int] = {}
    while low <= high:
        middle = (low + high) // 2
        seen[middle] = size_of(middle)
        low, high = (middle + 1, high) if seen[middle] > size else (low, middle - 1)
    level = min(seen, key=lambda level: max(seen[level] / size, size / seen[level]))
    return level, seen[level]


def scaled(clip: Clip, size: str, pictures: int, folder: Path) -> Path:
    """Write the clip, scaled to a size and repeated until there are enough pictures, to a lossless file."""
    source = folder / "source.mkv"
    looped = ["-stream_loop", "-1", "-i", str(clip.path), "-frames:v", str(pictures)]
    scale = ["-vf", f"scale={size.replace('x', ':')}:flags=lanczos", "-c:v", "ffv1", str(source)]
    run([FFMPEG, "-v", "error", "-y", *looped, *scale], folder / "log")
    return source


def in_turns(job: Callable[[str], Cost], versions: Mapping[str, object], runs: int) -> dict[str, dict]:
    """Run a job for each version in turn, `runs` times; return the median of each figure by version."""
    costs = {version: [] for version in versions}
    for _ in range(runs):
        for version in versions:
            costs[version].append(asdict(job(version)))
    return {
        version: {figure: statistics.median(cost[figure] for cost in found) for figure in found[0]}
        for version, found in costs.items()
    }
