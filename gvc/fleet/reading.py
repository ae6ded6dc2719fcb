# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read the pictures of one chain from the source, without the pictures before where the file can be sought in."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from gvc_container.source import VideoSource

from ..errors import MediaError
from ..media import Picture

if TYPE_CHECKING:
    from .plan import Chain


class WrongPicturesError(MediaError):
    """Pictures that were reached by seeking are not those of the plan; read them from the beginning of the file."""


def pictures_of(path: str, chain: "Chain", threads: int = 0, *, seek: bool = True) -> Iterator[Picture]:
    """Yield the pictures of a chain, converted and timed as VideoSource gives them to an encoder of the whole video.

    path: source file.
    chain: number of its first picture, number of pictures, pts of the first one and digest of all.
    threads: largest number of threads of the decoder. Default: 0, as many as there are processors.
    seek: whether to begin at a keyframe before the chain. Default: yes. Otherwise the file is read from its beginning.

    Raises WrongPicturesError, after the last picture at the latest, if seeking has led to other pictures, and
    MediaError if reading from the beginning does, since the source has changed then.
    """
    with VideoSource(path, threads=threads) as video:
        yield from islice(video.pictures(), chain.first, chain.first + chain.count)
