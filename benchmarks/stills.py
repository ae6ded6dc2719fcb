# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures that people look at: those of the source, and those that were kept of decoded files."""

from pathlib import Path

import av
from PIL import Image


def source_pictures(clip: Path, numbers: list[int]) -> list[Image.Image]:
    """Return these pictures of a video, in order."""
    with av.open(str(clip)) as container:
        frames = enumerate(container.decode(video=0))
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for index, frame in frames if index in numbers]


def kept_picture(folder: Path, row: dict, number: int) -> Image.Image | None:
    """Return a picture of a row's decoded file, if the folder of the run has it."""
    path = folder / "cells" / row["pictures"].get(str(number), "")
    return Image.open(path) if path.is_file() else None
