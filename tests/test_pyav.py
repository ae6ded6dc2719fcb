# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The codec in the PyAV of PyPI, by `import gvc.av`."""

import ctypes
import ctypes.util
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from fractions import Fraction

import av
import av.logging
import numpy as np
import pytest

import gvc.av
from gvc import plugin
from gvc.bitstream.packet import read_packet, write_gop

WIDTH, HEIGHT, FRAMES = 64, 48, 20
OPTIONS = {"gop": "5", "preset": "fast"}
MILLISECOND = Fraction(1, 1000)


def picture(index):
    """Return a frame of a moving edge over a gradient, with uneven pts in milliseconds."""
    rows, columns = np.mgrid[0:HEIGHT, 0:WIDTH]
    rgb = np.stack([columns * 2, rows * 3, np.where(columns > 2 * index, 200, 40)], axis=-1).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = index * 40 + index % 3 * 5, MILLISECOND
    return frame


def write(path, frames=FRAMES, options=OPTIONS, gop_size=10):
    with av.open(str(path), "w") as output:
        stream = output.add_stream("gvc", rate=25, width=WIDTH, height=HEIGHT, pix_fmt="yuv420p", options=dict(options))
        stream.codec_context.time_base = MILLISECOND
        stream.codec_context.gop_size = gop_size
        for index in range(frames):
            output.mux(stream.encode(picture(index)))
        output.mux(stream.encode(None))


def decode(path):
    """[(pts, pixels)] of all frames."""
    with av.open(str(path)) as container:
        return [(frame.pts, frame.to_ndarray()) for frame in container.decode(video=0)]


def same(first, second):
    return [p for p, _ in first] == [p for p, _ in second] and all(
        np.array_equal(a, b) for (_, a), (_, b) in zip(first, second, strict=True)
    )


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    path = tmp_path_factory.mktemp("pyav") / "movie.mkv"
    write(path)
    return path


def test_codec_is_known():
    codec = av.Codec("gvc", "w")
    formats = [f.name for f in codec.video_formats]
    assert formats == ["yuv420p", "yuv444p", "yuv420p10le", "yuv444p10le", "gbrp", "gbrp10le", "rgb24"]
    assert "gvc" in av.codecs_available


def test_one_packet_a_frame(movie):
    with av.open(str(movie)) as container:
        found = [packet for packet in container.demux(video=0) if packet.size]
    assert [packet.pts for packet in found] == [picture(i).pts for i in range(FRAMES)]
    assert all(packet.dts == packet.pts for packet in found)
    keys = [i for i, packet in enumerate(found) if packet.is_keyframe]
    assert keys[0] == 0
    assert all(i % 5 == 0 for i in keys)
    assert max(np.diff([*keys, FRAMES])) <= 10


def test_decoded_frames(movie):
    decoded = decode(movie)
    assert [pts for pts, _ in decoded] == [picture(i).pts for i in range(FRAMES)]
    for index, (_, pixels) in enumerate(decoded):
        assert np.abs(pixels.astype(int) - picture(index).to_ndarray()).mean() < 30


def test_decoding_in_a_fresh_process(movie):
    script = (
        "import sys, zlib, av, gvc.av\n"
        "for frame in av.open(sys.argv[1]).decode(video=0):\n"
        "    print(frame.pts, zlib.crc32(frame.to_ndarray().tobytes()))"
    )
    done = subprocess.run([sys.executable, "-c", script, movie], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == [f"{pts} {zlib.crc32(pixels.tobytes())}" for pts, pixels in decode(movie)]


def test_stream_properties(movie):
    with av.open(str(movie)) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.codec_tag, context.pix_fmt) == ("gvc", "GVC1", "yuv420p")
        assert (context.width, context.height) == (WIDTH, HEIGHT)
        assert context.extradata.startswith(b"GVC1")


def test_seek_gives_what_linear_decoding_gives(movie):
    linear = decode(movie)
    with av.open(str(movie)) as container:
        stream = container.streams.video[0]
        for target in (12, 3, 18):  # forwards and backwards in one open decoder
            container.seek(linear[target][0], stream=stream)
            sought = [(frame.pts, frame.to_ndarray()) for frame in container.decode(stream)]
            assert sought[0][0] <= linear[target][0]
            assert same(sought, linear[-len(sought) :])


def test_remux_from_template(movie, tmp_path):
    with av.open(str(movie)) as source, av.open(str(tmp_path / "copy.mkv"), "w") as output:
        stream = output.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
    assert same(decode(tmp_path / "copy.mkv"), decode(movie))


def test_wrong_option_is_told(tmp_path):
    level = av.logging.get_level()
    av.logging.set_level(av.logging.ERROR)
    try:
        with pytest.raises(av.error.FFmpegError, match="fast, medium, slow"):
            write(tmp_path / "wrong.mkv", frames=1, options={"preset": "hasty"})
    finally:
        av.logging.set_level(level)


def test_codec_context_without_a_container():
    encoder = av.CodecContext.create("gvc", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base, encoder.options = MILLISECOND, OPTIONS
    packets = [*(p for i in range(6) for p in encoder.encode(picture(i))), *encoder.encode(None)]
    decoder = av.CodecContext.create("gvc", "r")
    decoder.extradata = encoder.extradata
    frames = [*(f for p in packets for f in decoder.decode(p)), *decoder.decode(None)]
    assert [frame.pts for frame in frames] == [picture(i).pts for i in range(6)]


def test_pictures_after_an_error_that_is_survived_are_not_lost(movie):
    """The first keyframe needs a missing prior; the pictures of the second keyframe are returned while draining."""
    with av.open(str(movie)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        extradata = container.streams.video[0].codec_context.extradata
    unit = read_packet(bytes(packets[0]))
    packets[0] = av.Packet(write_gop(replace(unit, header=replace(unit.header, prior="wan/none"))))
    packets[0].is_keyframe = True
    decoder = av.CodecContext.create("gvc", "r")
    decoder.extradata, decoder.options = extradata, {"gvc-params": "frame_delay=129"}
    frames, errors = [], 0
    for packet in [*packets, None]:
        try:
            frames += decoder.decode(packet)
        except av.error.FFmpegError:
            errors += 1
    assert errors
    assert same([(frame.pts, frame.to_ndarray()) for frame in frames], decode(movie)[10:])


def test_threads_do_not_disturb_each_other(tmp_path):
    paths = [tmp_path / f"{i}.mkv" for i in range(2)]
    workers = [threading.Thread(target=write, args=(path, 5)) for path in paths]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    first, second = map(decode, paths)
    assert len(first) == 5
    assert same(first, second)


def test_two_ffmpegs_in_one_process():
    if ctypes.util.find_library("avcodec") != "libavcodec.so.59":
        pytest.skip("needs the libavcodec 59 of Debian 12 beside PyAV's own")
    script = "import ctypes, gvc.av; ctypes.CDLL('libavcodec.so.59')\nprint(gvc.av.install())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.count("serves gvc") == 2


def test_status_names_the_library():
    assert "serves gvc" in plugin.install()
    assert "libavcodec" in gvc.av.install()
