# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures for display: from the source, and stored ones of decoded files."""

from pathlib import Path

import av
from PIL import Image


def source_pictures(clip: Path, numbers: list[int]) -> list[Image.Image]:
    """Return the pictures of a video with the given numbers, in ascending order."""
    with av.open(str(clip)) as container:
        frames = enumerate(container.decode(video=0))
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for index, frame in frames if index in numbers]


def kept_picture(folder: Path, row: dict, number: int) -> Image.Image | None:
    """Return a stored picture of a row's decoded file, or None. folder: folder of the run."""
    path = folder / "cells" / row["pictures"].get(str(number), "")
    return Image.open(path) if path.is_file() else None
