# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The delay of pictures in packets, which is that of libavcodec's frame threads."""

import av
import pytest
from libgvc import lib
from test_pyav import decode, same, write

import gvc.av  # noqa: F401  registers the codec

LONG = 40  # pictures, in GOPs of nine


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    path = tmp_path_factory.mktemp("delay") / "movie.mkv"
    write(path, LONG, {"gop": "9", "preset": "fast"}, gop_size=18)
    return path


def numbers_with_each_packet(path, thread_type: str, thread_count: int, **options: str) -> tuple[list[list[int]], int]:
    """Return (numbers of the pictures returned with each packet and at the end, delay that the decoder states)."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        context.thread_type, context.thread_count, context.options = thread_type, thread_count, options
        packets = list(container.demux(stream))
        times = [packet.pts for packet in packets]
        return [[times.index(frame.pts) for frame in packet.decode()] for packet in packets], context.delay


@pytest.mark.parametrize(
    ("thread_type", "thread_count", "options"),
    [
        ("SLICE", 0, {}),  # the default of PyAV
        ("SLICE", 8, {}),
        ("FRAME", 1, {}),
        ("AUTO", 0, {"low_delay": "1"}),
        ("FRAME", 8, {"frame_delay": "0"}),
        ("AUTO", 0, {"flags": "+low_delay"}),
    ],
)
def test_without_frame_threads_each_picture_comes_with_its_packet(movie, thread_type, thread_count, options):
    told, _ = numbers_with_each_packet(movie, thread_type, thread_count, **options)
    assert told == [*([i] for i in range(LONG)), []]


@pytest.mark.parametrize("threads", [2, 5, 16])
def test_frame_threads_delay_by_as_many_packets_as_there_are_threads_less_one(movie, threads):
    """Programs that count packets, such as FFMS2, rely on this limit."""
    told, delay = numbers_with_each_packet(movie, "FRAME", threads)
    assert delay == threads - 1
    assert [n for numbers in told for n in numbers] == list(range(LONG))
    for packet in range(delay, LONG):
        assert sum(map(len, told[: packet + 1])) > packet - delay


def test_a_number_of_threads_that_libavcodec_chooses_lets_pictures_come_a_gop_late(movie):
    told, delay = numbers_with_each_packet(movie, "AUTO", 0)
    assert delay == 129
    assert [n for numbers in told for n in numbers] == list(range(LONG))


@pytest.mark.parametrize("count", [1, 3, 20])
def test_a_short_clip_can_be_read_by_index(tmp_path, count):
    """imageio takes one picture, seeks, and continues the same generator."""
    path = tmp_path / "short.mkv"
    write(path, count, {"preset": "fast"})
    linear = decode(path)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = container.decode(stream)
        next(frames)
        container.seek(0, stream=stream)
        assert same([(frame.pts, frame.to_ndarray()) for frame in frames], linear)


@pytest.mark.parametrize(
    ("missing", "marked"),
    [
        ([3, 4, 8], []),  # packets that show the pictures of a GOP that is there
        ([18], [*range(19, 36)]),  # a keyframe
        ([9], [*range(10, 18)]),  # a GOP in a chain
    ],
)
def test_pictures_that_stand_in_for_lost_ones_are_marked(movie, missing, marked):
    linear = decode(movie)
    with av.open(str(movie)) as container:
        stream = container.streams.video[0]
        packets = [packet for number, packet in enumerate(container.demux(stream)) if number not in missing]
        frames = [frame for packet in packets for frame in packet.decode()]
    assert [frame.pts for frame in frames] == [pts for number, (pts, _) in enumerate(linear) if number not in missing]
    assert [frame.pts for frame in frames if frame.is_corrupt] == [linear[number][0] for number in marked]
    right = dict(linear)
    assert all((frame.to_ndarray() == right[frame.pts]).all() for frame in frames if not frame.is_corrupt)


def test_one_picture_for_each_key_packet_where_others_are_skipped(movie):
    linear = decode(movie)
    with av.open(str(movie)) as container:
        keys = [packet.pts for packet in container.demux(video=0) if packet.size and packet.is_keyframe]
    for skip in ("NONINTRA", "NONKEY"):
        with av.open(str(movie)) as container:
            container.streams.video[0].codec_context.skip_frame = skip
            found = [(frame.pts, frame.to_ndarray()) for frame in container.decode(video=0)]
        assert same(found, [(pts, pixels) for pts, pixels in linear if pts in keys]) and len(keys) == 3
    with av.open(str(movie)) as container:
        container.streams.video[0].codec_context.skip_frame = "ALL"
        assert list(container.decode(video=0)) == []


def test_pictures_skipped_for_a_while_leave_the_others_as_they_are(movie):
    """skip_frame may change at any time, also in the middle of a GOP."""
    linear = decode(movie)
    with av.open(str(movie)) as container:
        stream = container.streams.video[0]
        found = []
        for number, packet in enumerate(container.demux(stream)):
            stream.codec_context.skip_frame = "NONKEY" if number in (3, 4, 5) else "DEFAULT"
            found += [(frame.pts, frame.to_ndarray()) for frame in packet.decode()]
    assert same(found, linear[:3] + linear[6:])


@pytest.mark.parametrize(
    ("variable", "frame_threads", "threads", "delay"),
    [
        (None, 1, 0, 129),
        (None, 1, 4, 3),
        (None, 1, 1000, 129),
        (None, 0, 4, 0),
        ("129", 1, 4, 129),
        ("2", 1, 0, 2),
        ("129", 0, 4, 0),
        ("-1", 1, 4, 129),
        ("", 1, 4, 3),
    ],
)
def test_players_may_ask_for_another_delay_by_a_variable(monkeypatch, variable, frame_threads, threads, delay):
    monkeypatch.delenv("GVC_FRAME_DELAY", raising=False)
    if variable is not None:
        monkeypatch.setenv("GVC_FRAME_DELAY", variable)
    assert lib.gvc_frame_delay(frame_threads, threads) == delay
