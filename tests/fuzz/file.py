# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The readers of media files: an input is the number of a format, then the bytes of a file with GVC video and sound."""

from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import av
import numpy as np
from clips import encode, moving_clip, video_format
from gvc_container.mux import Muxer
from gvc_container.probe import probe
from gvc_container.source import VideoSource

from gvc.errors import MediaError
from gvc.media import Packet

FORMATS = {"mkv": "matroska", "avi": "avi", "nut": "nut", "mov": "mov"}
FRAMES = 5
MOST_PICTURES, MOST_SAMPLES = 20, 2**20  # largest numbers of decoded pictures and samples of a mutated file


class _Film:
    """The common content of all seed files."""

    def __init__(self):
        self.pictures = moving_clip(FRAMES, 32, 24)
        self.video = video_format(self.pictures)
        self.header, self.packets, _ = encode(self.pictures, preset="fast", gop=5, prior="gp")


FILM = _Film()


def seeds() -> dict[str, bytes]:
    """Return a film with GVC and sound in each format that GVC writes, and one of another codec."""
    found = {}
    with TemporaryDirectory() as folder:
        for number, (suffix, name) in enumerate(FORMATS.items()):
            source, coded = Path(folder, f"source.{suffix}"), Path(folder, f"coded.{suffix}")
            _write_source(source, name)
            found[f"source-{suffix}"] = bytes([number]) + source.read_bytes()
            with suppress(MediaError):  # Only FFmpeg writes MOV.
                _write_coded(coded, source)
                found[f"coded-{suffix}"] = bytes([number]) + coded.read_bytes()
    return found


def _write_source(path: Path, container_format: str) -> None:
    with av.open(str(path), "w", format=container_format) as output:
        output.metadata["title"] = "déjà vu"
        track = output.add_stream("mjpeg", rate=25, width=32, height=24, pix_fmt="yuvj420p")
        sound = output.add_stream("pcm_s16le", rate=8000)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 400), np.int16), format="s16", layout="mono")
        samples.sample_rate, samples.pts = 8000, 0
        output.mux([*sound.encode(samples), *sound.encode(None)])
        for index in range(2):
            frame = av.VideoFrame.from_ndarray(np.full((24, 32, 3), 40 * index, np.uint8), "rgb24")
            frame.pts, frame.time_base = index, Fraction(1, 25)
            output.mux(track.encode(frame.reformat(format="yuvj420p")))
        output.mux(track.encode(None))


def _write_coded(path: Path, copy_from: Path) -> None:
    with Muxer(path, FILM.header, FILM.video, copy_from) as muxer:
        for packet in FILM.packets:
            muxer.write(packet)


def run(data: bytes) -> None:
    """Read a file as `gvc info`, `encode` and `decode` do, without coding."""
    if not data:
        return
    suffix = list(FORMATS)[data[0] % len(FORMATS)]
    with TemporaryDirectory(prefix="gvc-fuzz-") as folder:
        path = Path(folder, f"file.{suffix}")
        path.write_bytes(data[1:])
        for read in (_probe, _read_pictures, _copy):
            try:
                read(path)
            except MediaError as error:
                assert str(error)


def _probe(path: Path) -> None:
    found = probe(path)
    assert found.as_dict() and found.file_bytes == path.stat().st_size


def _read_pictures(path: Path) -> None:
    with VideoSource(str(path)) as source:
        if source.format.width * source.format.height > MOST_SAMPLES:
            return
        assert source.frames_expected >= 0
        last = None
        for picture, _ in zip(source.pictures(), range(MOST_PICTURES), strict=False):
            assert tuple(plane.shape for plane in picture.planes) == source.format.plane_shapes
            assert last is None or picture.pts > last
            last = picture.pts


def _copy(path: Path) -> None:
    with Muxer(path.with_name("copy.mkv"), FILM.header, FILM.video, path) as muxer:
        muxer.write(Packet(FILM.packets[0].data, 0, 1, True))


def mutate(data: bytes, chance: Random, scramble) -> bytes:
    """Change a few bytes. Checksums need no repair: Matroska's are optional, and readers ignore those of NUT."""
    if chance.randrange(50) == 0:
        return bytes([chance.randrange(len(FORMATS))]) + data[1:]
    return data[:1] + scramble(data[1:])
