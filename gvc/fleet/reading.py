# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Read the pictures of one chain from the source, without the pictures before where the file can be sought in."""

import os
from collections.abc import Generator, Iterator
from itertools import dropwhile, islice

from gvc_container.pieces import pack, unpack
from gvc_container.source import VideoSource

from ..errors import MediaError
from ..media import Picture, VideoFormat
from .digest import SourceDigest
from .plan import Chain

# Threads of a source's decoder, for the plan and for the chains. With more of them, what FFmpeg makes of the damaged
# parts of a film differs from run to run.
DECODER_THREADS = 1

_misleading: set[tuple[str, int, int]] = set()  # states of files in which seeking has led to wrong pictures


class WrongPicturesError(MediaError):
    """Pictures that were reached by seeking are not those of the plan; read them from the beginning of the file."""


def pictures_of(path: str, chain: Chain, *, seek: bool = True) -> Iterator[Picture]:
    """Yield the pictures of a chain, converted and timed as VideoSource gives them to an encoder of the whole video.

    path: source file.
    chain: number of its first picture, number of pictures, pts of the first one and digest of all.
    seek: whether to begin at a keyframe before the chain. Default: yes. Otherwise, and where that is impossible or has
        led to wrong pictures before, the file is read from its beginning.

    Raises WrongPicturesError, after the last picture at the latest, if seeking has led to other pictures, and
    MediaError if reading from the beginning does, since the source has changed then.
    """
    state = _state(path)
    if seek and chain.first and state not in _misleading:
        with VideoSource(path, threads=DECODER_THREADS) as video:
            if pictures := _from_keyframe(video, chain.pts):
                if not (yield from _checked(pictures, chain)):
                    _misleading.add(state)
                    raise WrongPicturesError(f"{path}: seeking does not lead to the pictures from {chain.first} on")
                return
    with VideoSource(path, threads=DECODER_THREADS) as video:
        if not (yield from _checked(islice(video.pictures(), chain.first, None), chain)):
            raise MediaError(f"{path} has changed: its pictures from {chain.first} on are not those of the plan")


def piece_of(path: str, chain: Chain, video: VideoFormat, threads: int = 0) -> bytes:
    """Return the pictures of a chain packed for a worker that does not have the file (gvc_container.pieces).

    video: format of the pictures.
    The other parameters and the errors are those of `pictures_of`, and seeking is tried first.
    """
    try:
        return pack(pictures_of(path, chain), video, threads)
    except WrongPicturesError:
        return pack(pictures_of(path, chain, seek=False), video, threads)


def pictures_in(piece: bytes, chain: Chain, threads: int = 0) -> Iterator[Picture]:
    """Yield the pictures of a chain that `piece_of` has packed.

    Raises MediaError, after the last picture at the latest, if the piece is not whole or holds other pictures.
    """
    if not (yield from _checked(unpack(piece, threads), chain)):
        raise MediaError(f"the pictures from {chain.first} on did not arrive as they were sent")


def _checked(pictures: Iterator[Picture], chain: Chain) -> Generator[Picture, None, bool]:
    """Yield the pictures of a chain, none if the first one has another time; return whether they are the right ones."""
    digest = SourceDigest()
    for number, picture in enumerate(islice(pictures, chain.count)):
        if number == 0 and picture.pts != chain.pts:
            return False
        digest.add(picture)
        yield picture
    return digest.hexdigest() == chain.digest


def _from_keyframe(video: VideoSource, pts: int) -> Iterator[Picture] | None:
    """Return the pictures from a time on; None if reading has to start at the beginning of the file."""
    try:
        return dropwhile(lambda picture: picture.pts < pts, video.pictures_from(pts))
    except MediaError:
        return None


def _state(path: str) -> tuple[str, int, int]:
    status = os.stat(path)
    return path, status.st_size, status.st_mtime_ns
