# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Random crops of packed material (training.pack), some of them mirrored or played backwards."""

from collections.abc import Iterable
from pathlib import Path

import torch
from numpy.random import Generator
from safetensors import safe_open

from gvc.priors.neural.inputs import View
from training.media import MediaError

CROP = 64  # side of a crop at half size, which is 128 luma samples
CLIPS_SHARE = 0.6  # share of crops from clips; the others are from photographs
PICTURES = ("estimate", "first", "last", "source")
HELD_OUT = ("gopro_karma", "winui_fishes", "clm_cap13", "ffmpegconcat_2-skater")  # scenes for evaluation only


class Scenes:
    """Packed files. All scenes are drawn equally often, whatever their lengths, and so are all photographs."""

    def __init__(self, files: Iterable[Path]):
        scenes: dict[str, list[Path]] = {}
        for path in sorted(files):
            scenes.setdefault(scene_of(path), []).append(path)
        photos = [files for name, files in scenes.items() if name[0].isdigit()]
        clips = [files for name, files in scenes.items() if not name[0].isdigit()]
        self._groups = [group for group in (photos, clips) if group]

    def file(self, rng: Generator) -> Path:
        """Return a random file."""
        group = self._groups[int(rng.random() < CLIPS_SHARE) % len(self._groups)]
        files = group[rng.integers(len(group))]
        return files[rng.integers(len(files))]


class Packs:
    """Files of training.pack, drawn as by Scenes."""

    def __init__(self, files: Iterable[Path]):
        self._scenes = Scenes(files)

    def draw(self, count: int, rng: Generator) -> tuple[View, torch.Tensor]:
        """Return the view of `count` random crops, and their source pictures, float32 [count, 6, CROP, CROP]."""
        rows = [self._crop(rng) for _ in range(count)]
        column = {name: torch.stack([row[name] for row in rows]) for name in rows[0]}
        source = column.pop("source")
        return View(**column), source

    def _crop(self, rng: Generator) -> dict[str, torch.Tensor]:
        with safe_open(self._scenes.file(rng), "pt") as file:
            slices = {name: file.get_slice(name) for name in (*PICTURES, "error", "way", "distance")}
            count, _, height, width = slices["source"].get_shape()
            i, y, x = (int(rng.integers(n)) for n in (count, (height - CROP) // 4 + 1, (width - CROP) // 4 + 1))
            window = (slice(i, i + 1), slice(None), slice(4 * y, 4 * y + CROP), slice(4 * x, 4 * x + CROP))
            row = {name: slices[name][window][0].float() for name in (*PICTURES, "error")}
            row |= {name: slices[name][i : i + 1][0] for name in ("way", "distance")}
        if rng.random() < 0.5:
            row = {name: _mirrored(name, value) for name, value in row.items()}
        if rng.random() < 0.5 and (row["first"] != row["last"]).any():
            row["first"], row["last"], row["way"] = row["last"], row["first"], 1 - row["way"]
        return row


def divided(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Return the packed files to train on, and those of the scenes in HELD_OUT. Raises MediaError if one is empty."""
    files = sorted(files)
    held = [path for path in files if scene_of(path).startswith(HELD_OUT)]
    others = [path for path in files if path not in held]
    if not (held and others):
        raise MediaError(
            f"there are {len(others)} files to train on and {len(held)} of held-out scenes, and both are needed; "
            f"the names of held-out files begin with {', '.join(HELD_OUT)}"
        )
    return others, held


def scene_of(path: Path) -> str:
    """Return the scene in a file name: SOURCE_SCENE for SOURCE_SCENE_... (clips), NUMBER_SET for NUMBER_SET_...
    (photographs)."""
    return "_".join(path.stem.split("_")[:2])


def _mirrored(name: str, value: torch.Tensor) -> torch.Tensor:
    if value.ndim < 3:
        return value
    value = value.flip(-1)
    return value[[1, 0, 3, 2, 4, 5]] if name in PICTURES else value  # mirroring swaps the luma samples of a pair
