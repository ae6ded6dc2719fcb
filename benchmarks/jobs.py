# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The cells of the comparison. A cell is one codec at one level on one clip, which is coded, decoded and measured."""

import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from PIL import Image

from benchmarks.cache import cached
from benchmarks.clips import Clip
from benchmarks.codecs import CODECS, CODED, DECODED, ONE_KEYFRAME, SOURCE, Codec, Command
from benchmarks.machine import code_of, versions
from benchmarks.paper import paper_bytes
from benchmarks.programs import readable, run
from gvc.metrics import Frames, SourceMemory, measure, pairs

ROUNDED = 5  # decimals of the stored values of each picture
SHOWN = (0.25, 0.6, 0.8)  # relative times in a clip of the pictures that are stored for display
SOURCE_MEMORY = 1 << 30  # bytes of cached features of a source clip, enough for 97 pictures of 416x240


@dataclass(frozen=True)
class Plan:
    """The settings of a run.

    kind: "quick", "full" or "low", which chooses the levels.
    metrics: keys of METRICS.
    every: distance of the pictures that networks look at.
    keyint: largest distance of keyframes of all codecs, in pictures. Default: one keyframe for all.
    jobs: number of cells measured in parallel. Default: 1.
    """

    kind: str
    metrics: tuple[str, ...]
    every: int
    keyint: int = ONE_KEYFRAME
    jobs: int = 1

    def levels(self, codec: Codec) -> tuple[float, ...]:
        return tuple({"quick": codec.quick, "full": codec.full, "low": codec.low}[self.kind])


@dataclass(frozen=True)
class Cell:
    """One coded file, with all views of it."""

    name: str
    clip: Clip
    level: float

    @property
    def codec(self) -> Codec:
        return CODECS[self.name]

    def depends(self, plan: Plan) -> list:
        """Return everything that the cell's figures depend on."""
        codec = self.codec
        words = [
            codec.encode(self.clip, self.level, plan.keyint),
            *(codec.decode(self.clip, view) for view in codec.views),
        ]
        code = [code_of("gvc/metrics"), code_of("gvc") if codec.family == "gvc" else ""]
        return [self.clip.sha256, [readable(w) for w in words], plan.metrics, plan.every, code, versions()]


def cells(clips: list[Clip], names: list[str], plan: Plan) -> Iterator[Cell]:
    """Yield the cells of a run, clip by clip."""
    for clip in clips:
        for name in names:
            for level in plan.levels(CODECS[name]):
                yield Cell(name, clip, level)


def rows_of(cell: Cell, plan: Plan, folder: Path) -> list[dict]:
    """Return a row for each view of a cell, stored by an earlier run or measured now. Raises ProgramError."""

    def figures(path: Path) -> list[dict]:
        with tempfile.TemporaryDirectory(prefix="gvc-cell-") as scratch:
            return _measured(cell, plan, Path(scratch), path)

    return cached(folder, cell.depends(plan), figures)


def _measured(cell: Cell, plan: Plan, scratch: Path, path: Path) -> list[dict]:
    clip, codec, rows, memory = cell.clip, cell.codec, [], _source_memory(cell.clip.sha256)
    encode = codec.encode(clip, cell.level, plan.keyint)
    encoding = run(_with_files(encode, clip, scratch), scratch / "log")
    size = (scratch / CODED).stat().st_size
    for number, view in enumerate(cell.codec.views):
        decode = codec.decode(clip, view)
        decoding = run(_with_files(decode, clip, scratch), scratch / "log")
        pictures = {n: path.with_name(f"{path.stem}_{number}_{n}.png") for n in shown_pictures(clip.frames)}
        scores = measure(_frame_pairs(clip, scratch / DECODED, pictures), plan.metrics, plan.every, memory)
        rows.append(
            {
                "clip": clip.name,
                "codec": cell.name,
                "level": cell.level,
                "view": view,
                "bytes": size,
                "bpp": 8 * size / clip.pixels,
                "kbps": 8 * size / clip.seconds / 1000,
                "jobs": plan.jobs,
                "encode": asdict(encoding) | {"command": readable(encode)},
                "decode": asdict(decoding) | {"command": readable(decode)},
                "metrics": scores.means(),
                "missing": scores.missing,
                "frames": {name: [_rounded(v) for v in values] for name, values in scores.frames.items()},
                "pictures": {str(n): picture.name for n, picture in pictures.items()},
            }
        )
    if codec.counts_as_paper:
        counted = paper_bytes(scratch / CODED, int(cell.level))
        for row in rows:
            row["paper_bytes"] = counted
    return rows


def _with_files(command: Command, clip: Clip, scratch: Path) -> Command:
    files = {SOURCE: str(clip.path), CODED: str(scratch / CODED), DECODED: str(scratch / DECODED)}
    return [files.get(word, word) for word in command]


@lru_cache(maxsize=1)
def _source_memory(clip: str) -> SourceMemory:
    """Return the memory of source features that all cells of a clip share in this process."""
    return SourceMemory(SOURCE_MEMORY)


def _frame_pairs(clip: Clip, decoded: Path, pictures: dict[int, Path]) -> Iterator[tuple[Frames, Frames]]:
    """Yield the source and decoded frames, and store the decoded pictures for display on the way."""
    seen = 0
    for source, frames in pairs(clip.path, decoded):
        for index, path in pictures.items():
            if seen <= index < seen + len(frames):
                Image.fromarray(frames.rgb[index - seen]).save(path)
        seen += len(frames)
        yield source, frames


def shown_pictures(frames: int) -> list[int]:
    """Return the numbers of the pictures for display.

    They have the form 4k + 2. GVC's stills, which are better than other pictures, lie at multiples of four and would
    give a wrong impression.
    """
    return sorted({min(frames - 1, int(share * frames) // 4 * 4 + 2) for share in SHOWN})


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, ROUNDED)
