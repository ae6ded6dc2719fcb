# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC in files: mux, demux and probe, on a real stream."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest
from gvc_container.demux import Demuxer
from gvc_container.mux import Muxer
from gvc_container.probe import probe

from gvc.bitstream import parse_sequence_header
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.errors import MediaError
from gvc.media import Picture, VideoFormat

FRAMES = 20
FORMAT = VideoFormat(
    96,
    64,
    frame_rate=Fraction(25),
    time_base=Fraction(1, 1000),
    sample_aspect_ratio=Fraction(4, 3),
    color_range=1,
    color_primaries=1,
    color_trc=1,
    colorspace=1,
)


def picture(index):
    """Return a picture of a bright bar that moves over a gradient, with uneven timestamps."""
    rows, columns = np.mgrid[0:64, 0:96]
    luma = np.where(abs(columns - 4 * index) < 6, 220, 60 + rows).astype(np.uint8)
    chroma = np.full((32, 48), 128, np.uint8)
    return Picture((luma, chroma, chroma), pts=40 * index + index % 3, duration=40)


@pytest.fixture(scope="module")
def stream():
    """(sequence header, packets) of a short clip with two keyframes."""
    encoder = Encoder(FORMAT, {"gop": 5, "keyint": 10, "preset": "fast"})
    packets = [packet for i in range(FRAMES) for packet in encoder.encode(picture(i))]
    return encoder.extradata, packets + encoder.encode(None)


@pytest.fixture(scope="module")
def movie(stream, tmp_path_factory):
    path = tmp_path_factory.mktemp("container") / "movie.mkv"
    write(path, *stream)
    return path


def write(path, header, packets, **options):
    with Muxer(path, header, FORMAT, **options) as muxer:
        for packet in packets:
            muxer.write(packet)


def sound(path, seconds=1, codec="aac"):
    """Write a file with audio and a video track of another codec."""
    with av.open(str(path), "w") as output:
        track = output.add_stream(codec, rate=48000)
        track.metadata["language"] = "deu"
        for start in range(0, 48000 * seconds, 1024):
            frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts = 48000, start
            output.mux(track.encode(frame))
        output.mux(track.encode(None))


def test_packets_survive_the_file(movie, stream):
    header, packets = stream
    with Demuxer(movie) as demuxer:
        assert demuxer.header == header
        assert demuxer.format == replace(FORMAT, time_base=demuxer.time_base)
        found = list(demuxer.packets())
    assert [p.data for p in found] == [p.data for p in packets]
    assert [p.pts for p in found] == [picture(i).pts for i in range(FRAMES)]
    assert [p.key for p in found] == [p.key for p in packets]
    assert sum(p.key for p in found) >= 2


def test_file_decodes(movie):
    with Demuxer(movie) as demuxer:
        decoder = Decoder(demuxer.header)
        pictures = [p for packet in demuxer.packets() for p in decoder.decode(packet)]
    assert [p.pts for p in pictures] == [picture(i).pts for i in range(FRAMES)]


def test_file_is_what_ffmpeg_tools_expect(movie, stream):
    """Checks the track parameters, which players read and the muxer writes."""
    script = (
        "import sys, av, gvc.av\n"
        "with av.open(sys.argv[1]) as c:\n"
        "    s = c.streams.video[0]; x = s.codec_context\n"
        "    print(x.name, x.codec_tag, x.width, x.height, s.average_rate, s.sample_aspect_ratio, x.extradata.hex())"
    )
    done = subprocess.run([sys.executable, "-c", script, movie], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["gvc", "GVC1", "96", "64", "25", "4/3", stream[0].hex()]


@pytest.mark.parametrize("extension", ["mkv", "nut", "avi"])
def test_the_same_packets_make_the_same_file(stream, tmp_path, extension):
    header, packets = stream
    sound(tmp_path / "sound.mkv")
    for name in ("a", "b"):
        write(tmp_path / f"{name}.{extension}", header, packets, copy_from=tmp_path / "sound.mkv")
    assert (tmp_path / f"a.{extension}").read_bytes() == (tmp_path / f"b.{extension}").read_bytes()


def test_plain_pyav_can_demux(movie):
    """Demuxing and probing work in a process where the plugin was never loaded, and load no torch."""
    script = (
        "import sys\n"
        "from gvc_container.probe import probe\n"
        "print(probe(sys.argv[1]).frames, 'gvc.av' in sys.modules, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script, movie], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(FRAMES), "False", "False"]


def test_muxing_starts_no_engine(stream, tmp_path):
    script = (
        "import os, sys, gvc_container.mux as m\n"
        "from gvc.bitstream import parse_sequence_header\n"
        "from gvc.media import Packet\n"
        "header = bytes.fromhex(sys.argv[2])\n"
        "with m.Muxer(sys.argv[1], header, parse_sequence_header(header).format) as muxer:\n"
        "    muxer.write(Packet(b'\\0', 0, 1, True))"
    )
    environment = {**os.environ, "GVC_PYTHON": "/nonexistent"}  # An attempt to start an engine would fail.
    command = [sys.executable, "-c", script, tmp_path / "one.mkv", stream[0].hex()]
    subprocess.run(command, env=environment, check=True)
    assert (tmp_path / "one.mkv").stat().st_size > 100


def test_audio_is_copied_in_step(stream, tmp_path):
    sound(tmp_path / "sound.mp4")
    write(tmp_path / "both.mkv", *stream, copy_from=tmp_path / "sound.mp4")
    with av.open(str(tmp_path / "sound.mp4")) as source:
        expected = [bytes(packet) for packet in source.demux(audio=0) if packet.size]
    with av.open(str(tmp_path / "both.mkv")) as container:
        assert container.streams.audio[0].metadata["language"] in ("deu", "ger")
        packets = [(p.stream.type, bytes(p), float(p.dts * p.time_base)) for p in container.demux() if p.size]
    assert [data for kind, data, _ in packets if kind == "audio"] == expected
    times = [seconds for _, _, seconds in packets]
    assert max(abs(a - b) for a, b in zip(times, sorted(times), strict=True)) < 0.1


def test_track_that_does_not_fit_is_named(stream, tmp_path):
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:00,500\nwords\n")
    warned = []
    with Muxer(tmp_path / "a.avi", stream[0], FORMAT, copy_from=tmp_path / "words.srt", warn=warned.append) as muxer:
        assert warned == ["subtitle track 0 (subrip) is left out: FFmpeg cannot store it in avi files"]
        muxer.write(stream[1][0])


def test_formats_that_cannot_hold_gvc_are_refused(stream, tmp_path):
    with pytest.raises(MediaError, match=r"\.webm files cannot hold GVC"):
        Muxer(tmp_path / "a.webm", stream[0], FORMAT)
    with pytest.raises(MediaError, match=r"\.mka files cannot hold video"):
        Muxer(tmp_path / "a.mka", stream[0], FORMAT)


def test_probe_books_every_byte(movie):
    result = probe(movie)
    counted = vars(result.bytes)
    assert sum(counted.values()) == result.file_bytes == os.path.getsize(movie)
    assert counted["damaged"] == counted["other_tracks"] == 0
    assert min(counted[name] for name in ("stills", "headers", "show", "container")) > 0
    assert counted["show"] == FRAMES - len(result.gops)


def test_probe_figures(movie, stream):
    result = probe(movie)
    seconds = (picture(FRAMES - 1).pts + 40) / 1000
    assert (result.frames, result.keyframes) == (FRAMES, sum(p.key for p in stream[1]))
    assert result.duration == pytest.approx(seconds, abs=0.002)
    assert result.kbps == pytest.approx(8 * result.file_bytes / seconds / 1000, rel=0.01)
    assert result.bpp == pytest.approx(8 * result.file_bytes / (96 * 64 * FRAMES))
    assert sum(gop.frames for gop in result.gops) == FRAMES
    assert result.gops[0].key and result.gops[0].seconds == 0
    assert result.sequence["prior"] == parse_sequence_header(stream[0]).prior
    assert json.loads(json.dumps(result.as_dict()))["schema"] == 1


def test_probe_leaves_audio_out_of_the_video_rate(stream, movie, tmp_path):
    sound(tmp_path / "sound.mp4")
    write(tmp_path / "both.mkv", *stream, copy_from=tmp_path / "sound.mp4")
    with_sound, without = probe(tmp_path / "both.mkv"), probe(movie)
    assert with_sound.bytes.other_tracks > 100
    assert with_sound.frames == FRAMES
    own = with_sound.file_bytes - with_sound.bytes.other_tracks
    assert with_sound.bpp == 8 * own / (96 * 64 * FRAMES)
    assert with_sound.bytes.stills == without.bytes.stills


def test_damaged_first_keyframe(stream, tmp_path):
    """The sequence header is read from the next keyframe, and the damaged packet is counted."""
    packets = list(stream[1])
    packets[0] = replace(packets[0], data=packets[0].data[:-9] + b"\xff" * 9)
    write(tmp_path / "damaged.mkv", stream[0], packets)
    with Demuxer(tmp_path / "damaged.mkv") as demuxer:
        assert demuxer.header == stream[0]
        assert len(list(demuxer.packets())) == FRAMES
    result = probe(tmp_path / "damaged.mkv")
    assert result.damaged_packets == 1
    assert result.bytes.damaged == len(packets[0].data)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_truncated_file(movie, tmp_path, share):
    """The remaining part can be read, or the documented error is raised."""
    data = movie.read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: int(len(data) * share)])
    try:
        assert 0 < probe(tmp_path / "cut.mkv").frames < FRAMES
    except MediaError as error:
        assert "cut.mkv" in str(error)


def test_other_files_are_refused(tmp_path):
    sound(tmp_path / "sound.mp4")
    with pytest.raises(MediaError, match="holds no GVC video"):
        Demuxer(tmp_path / "sound.mp4")
    (tmp_path / "text.mkv").write_text("not a film")
    with pytest.raises(MediaError, match="cannot be read"):
        Demuxer(tmp_path / "text.mkv")
    with pytest.raises(MediaError, match="No such file"):
        probe(tmp_path / "nothing.mkv")
