# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Pictures of one chain: those of the whole video, whatever the file, and none of another file."""

from dataclasses import replace
from fractions import Fraction
from itertools import islice

import av
import numpy as np
import pytest
from clips import facts
from gvc_container.source import VideoSource

from gvc.errors import MediaError
from gvc.fleet import reading
from gvc.fleet.digest import SourceDigest
from gvc.fleet.plan import Chain
from gvc.fleet.reading import WrongPicturesError, pictures_in, pictures_of, piece_of

WIDTH, HEIGHT, RATE, COUNT, LENGTH = 64, 48, 25, 100, 9
X264 = {"preset": "ultrafast"}
OPEN = {"x264-params": "open-gop=1:keyint=20:bframes=4:b-adapt=0:scenecut=0"}
REFRESH = {"x264-params": "intra-refresh=1:keyint=20:bframes=0"}
IRREGULAR = [int(time) for time in np.cumsum(np.random.default_rng(3).integers(1, 90, COUNT))]


def frames(sizes=((WIDTH, HEIGHT),)):
    """Return yuv420p frames of a moving texture that is inverted now and then; their size changes at equal steps."""
    pixels = np.random.default_rng(7).integers(0, 255, (HEIGHT, WIDTH + 2 * COUNT), dtype=np.uint8)
    for number in range(COUNT):
        planes = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        planes[:HEIGHT] = pixels[:, 2 * number :][:, :WIDTH] ^ 255 * (number // 35 % 2)
        width, height = sizes[number * len(sizes) // COUNT]
        yield av.VideoFrame.from_ndarray(planes, format="yuv420p").reformat(width, height)


def write(path, codec="libx264", *, times=range(COUNT), clock=Fraction(1, RATE), gop=20, b_frames=2, options=None):
    with av.open(str(path), "w") as output:
        track = output.add_stream(codec, rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p", options=options)
        track.codec_context.time_base, track.codec_context.gop_size = clock, gop
        track.codec_context.max_b_frames = b_frames
        for time, frame in zip(times, frames(), strict=True):
            frame.pts, frame.time_base = time, clock
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    return path


def shortened(path, target):
    """Copy a film whose first pictures an edit list then hides."""
    with av.open(str(path)) as given, av.open(str(target), "w") as output:
        copy = output.add_stream_from_template(given.streams.video[0])
        for packet in given.demux(video=0):
            if packet.dts is not None:
                packet.pts, packet.dts = packet.pts - 12 * 512, packet.dts - 12 * 512
                packet.stream = copy
                output.mux(packet)
    return target


FILES = {
    "mpeg2.ts": lambda path: write(path, "mpeg2video", gop=12),
    "mpeg2.mpg": lambda path: write(path, "mpeg2video", gop=12),
    "h264.mp4": lambda path: write(path, options=X264 | {"bf": "3"}),
    "h264.mkv": lambda path: write(path, options={"preset": "fast"}, b_frames=3),
    "h264.ts": lambda path: write(path, options={"preset": "fast"}, times=range(5000, 5000 + COUNT)),
    "open.mp4": lambda path: write(path, options=OPEN),
    "open.ts": lambda path: write(path, options=OPEN),
    "refresh.ts": lambda path: write(path, options=REFRESH),
    "one-keyframe.mp4": lambda path: write(path, options={"x264-params": "keyint=infinite:scenecut=0"}),
    "late.mp4": lambda path: write(path, times=range(500, 500 + COUNT)),
    "irregular.mkv": lambda path: write(path, times=IRREGULAR, clock=Fraction(1, 1000)),
    "irregular.mp4": lambda path: write(path, times=IRREGULAR, clock=Fraction(1, 1000)),
    "edited.mp4": lambda path: shortened(write(path.with_name("whole.mp4"), options={"preset": "fast"}), path),
    "raw.h264": write,
    "ffv1.mkv": lambda path: write(path, "ffv1", gop=12, b_frames=0),
    "vp9.webm": lambda path: write(path, "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}, b_frames=0),
    "raw.y4m": lambda path: write(path, "rawvideo", b_frames=0),
    "mpeg4.avi": lambda path: write(path, "mpeg4"),
    "flash.flv": lambda path: write(path, "flv", b_frames=0),
}


def chain_of(path, first, count=LENGTH):
    """Return a chain of a file, found by reading from its beginning, and the facts of its pictures."""
    digest, found = SourceDigest(), []
    with VideoSource(str(path)) as video:
        for picture in islice(video.pictures(), first, first + count):
            digest.add(picture)
            found.append(picture)
    return Chain(0, first, len(found), found[0].pts, digest.hexdigest()), list(map(facts, found))


def read(path, chain):
    """Return the facts of a chain's pictures as a worker gets them, and whether seeking has led to wrong ones."""
    try:
        return list(map(facts, pictures_of(str(path), chain))), False
    except WrongPicturesError:
        return list(map(facts, pictures_of(str(path), chain, seek=False))), True


@pytest.mark.parametrize("name", FILES)
def test_a_chain_has_the_pictures_of_the_whole_video(tmp_path, name):
    path = FILES[name](tmp_path / name)
    for first in (0, 1, 11, 20, 38, 39, 59, 75):
        chain, expected = chain_of(path, first)
        assert read(path, chain)[0] == expected


@pytest.mark.parametrize("name", ["mpeg2.ts", "h264.mp4", "open.mp4", "open.ts", "irregular.mkv", "mpeg4.avi"])
def test_seeking_is_exact_and_reads_little(tmp_path, name):
    path = FILES[name](tmp_path / name)
    chain, expected = chain_of(path, 85)
    assert read(path, chain) == (expected, False)
    with VideoSource(str(path)) as video:
        before = [picture for picture in video.pictures_from(chain.pts) if picture.pts < chain.pts]
    assert len(before) < 60


def test_recordings_that_were_joined(tmp_path):
    write(tmp_path / "a.ts", "mpeg2video")
    path = tmp_path / "joined.ts"
    path.write_bytes((tmp_path / "a.ts").read_bytes() * 3)
    for first in (50, 120, 250):
        chain, expected = chain_of(path, first)
        assert read(path, chain)[0] == expected


def test_pictures_of_another_size_are_scaled_to_the_first(tmp_path):
    path = tmp_path / "sizes.avi"
    with av.open(str(path), "w") as output:
        track = output.add_stream("mjpeg", rate=RATE, width=WIDTH, height=HEIGHT, pix_fmt="yuvj420p")
        for number, frame in enumerate(frames(((WIDTH, HEIGHT), (96, 32), (32, 32)))):
            single = av.CodecContext.create("mjpeg", "w")
            single.width, single.height, single.pix_fmt = frame.width, frame.height, "yuvj420p"
            single.time_base = Fraction(1, RATE)
            still = frame.reformat(format="yuvj420p")
            still.pts, still.time_base = 0, Fraction(1, RATE)
            for packet in single.encode(still):
                packet.pts = packet.dts = number
                packet.time_base, packet.stream = Fraction(1, RATE), track
                output.mux(packet)
    chain, expected = chain_of(path, 60)
    assert len({planes[0] for _, _, _, *planes in expected}) > 1
    assert read(path, chain) == (expected, False)


def test_a_file_in_which_seeking_misleads_is_not_sought_in_twice(tmp_path):
    path = FILES["flash.flv"](tmp_path / "flash.flv")
    chain, expected = chain_of(path, 20)
    reading._misleading.clear()
    assert read(path, chain) == (expected, True)
    assert read(path, chain) == (expected, False)


@pytest.mark.parametrize("name", ["open.mp4", "flash.flv", "raw.h264"])
def test_a_chain_for_a_worker_without_the_file(tmp_path, name):
    path = FILES[name](tmp_path / name)
    chain, expected = chain_of(path, 20)
    with VideoSource(str(path)) as video:
        piece = piece_of(str(path), chain, video.format, 1)
    assert list(map(facts, pictures_in(piece, chain, 1))) == expected
    with pytest.raises(MediaError, match="did not arrive"):
        list(pictures_in(piece, replace(chain, digest="0" * 64), 1))


def test_a_source_that_has_changed_is_refused(tmp_path):
    path = FILES["ffv1.mkv"](tmp_path / "film.mkv")
    chain, _ = chain_of(path, 20)
    write(path, "mpeg2video")
    with pytest.raises(MediaError, match="has changed"):
        read(path, chain)


def test_a_source_that_became_shorter_is_refused(tmp_path):
    path = FILES["raw.y4m"](tmp_path / "film.y4m")
    chain, _ = chain_of(path, 91)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 19 // 20])
    with pytest.raises(MediaError, match="has changed"):
        read(path, chain)
