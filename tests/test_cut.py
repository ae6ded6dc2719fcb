# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc cut`: parts of films, with all their tracks."""

from fractions import Fraction

import av
import numpy as np
import pytest
from clips import encode, moving_clip, psnr, video_format
from gvc_container.file import FileReader
from gvc_container.mux import Muxer
from gvc_container.recode import settings_of
from gvc_container.span import Span
from typer.testing import CliRunner

from gvc.bitstream import read_packet
from gvc.cli.app import app
from gvc.cli.cut import cut
from gvc.cli.report import Report
from gvc.cli.times import parse_time
from gvc.encoder import Encoder
from gvc.errors import MediaError, OptionError
from gvc.plan.quality import level_quality, quality_level

FRAMES, CHAIN, RATE = 40, 10, 25  # The film's chains begin at 0, 0.4, 0.8 and 1.2 s
TEXTS = [(100, 1000, b"long"), (1100, 100, b"late")]  # Milliseconds of start and duration, and words


def sound_film(path):
    """Write a film with sound, two subtitles and two chapters, as long as the GVC film."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", RATE, width=64, height=48)
        sound = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        words = output.add_stream("ass")
        words.codec_context.subtitle_header, words.time_base = b"[Script Info]\n", Fraction(1, 1000)
        ends = ((0, 500), (500, 1600))
        chapters = [{"id": i, "start": a, "end": b, "time_base": Fraction(1, 1000)} for i, (a, b) in enumerate(ends)]
        output.set_chapters([{**chapter, "metadata": {}} for chapter in chapters])
        for index in range(FRAMES):
            frame = av.VideoFrame(64, 48, "yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, RATE)
            output.mux(video.encode(frame))
        tone = (8000 * np.sin(np.arange(FRAMES * 320) / 5)).astype(np.int16).reshape(1, -1)
        samples = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        samples.sample_rate, samples.pts = 8000, 0
        for frame in av.AudioResampler(format="s16", layout="mono", rate=8000, frame_size=80).resample(samples):
            output.mux(sound.encode(frame))
        for start, duration, text in TEXTS:
            packet = av.Packet(b"0,0,Default,,0,0,0,," + text)
            packet.pts = packet.dts = start
            packet.duration, packet.time_base, packet.stream = duration, Fraction(1, 1000), words
            output.mux(packet)
        output.mux([*video.encode(None), *sound.encode(None)])
    return path


def gvc_film(path, *, copy_from=None, frames=FRAMES, **options):
    pictures = moving_clip(frames)
    header, packets, shown = encode(pictures, keyint=CHAIN, preset="fast", gop=5, quality=50, **options)
    with Muxer(path, header, video_format(pictures), copy_from) as muxer:
        for packet in packets:
            muxer.write(packet)
    return packets, shown


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "film.mkv"
    _, shown = gvc_film(path, copy_from=sound_film(folder / "sound.mkv"))
    return path, shown


def part_of(film, target, start, end=None, *, exact=False, **options):
    """Cut, and return the pictures of the part."""
    span = Span(Fraction(start), None if end is None else Fraction(end))
    cut(film, target, span, options, Report(True), exact=exact, overwrite=False, audio=True)
    with FileReader(target, warn=pytest.fail) as part:
        return list(part)


def equal(pictures, others):
    pairs = zip(pictures, others, strict=True)
    return all((a == b).all() for p, q in pairs for a, b in zip(p.planes, q.planes, strict=True))


def packets_of(path, kind):
    """Return (start and duration in seconds) of each packet of a kind of track."""
    with av.open(str(path)) as container:
        tracks = [stream for stream in container.streams if stream.type == kind]
        return [
            (float(p.pts * p.time_base), float(p.duration * p.time_base)) for p in container.demux(tracks) if p.size
        ]


def test_a_part_from_a_keyframe_on_is_copied(film, tmp_path):
    path, shown = film
    found = part_of(path, tmp_path / "part.mkv", "0.55", "1.3")
    assert equal(found, shown[10:33])  # from the keyframe at 0.4 s to the last picture before 1.3 s
    assert [picture.pts for picture in found] == [40 * number for number in range(23)]


@pytest.mark.parametrize("container", ["mkv", "avi", "nut"])
def test_an_exact_cut_codes_only_the_first_chain_anew(film, tmp_path, container):
    path, shown = film
    source = tmp_path / f"film.{container}"
    if container == "mkv":
        source = path
    else:
        gvc_film(source)
    found = part_of(source, tmp_path / f"part.{container}", "0.56", exact=True)
    assert len(found) == FRAMES - 14
    assert equal(found[6:], shown[20:])
    assert psnr(found[:6], shown[14:20]) > 30


def test_an_exact_part_within_a_chain(film, tmp_path):
    path, shown = film
    found = part_of(path, tmp_path / "part.mkv", "0.92", "1.08", exact=True)
    assert len(found) == 4 and psnr(found, shown[23:27]) > 30
    assert equal(part_of(path, tmp_path / "key.mkv", "0.8", "0.88", exact=True), shown[20:22])  # nothing coded anew


def test_sound_subtitles_and_chapters_are_cut_too(film, tmp_path):
    path, _ = film
    target = tmp_path / "part.mkv"
    part_of(path, target, "0.84", "1.12", exact=True)
    sound = packets_of(target, "audio")
    assert 0 <= sound[0][0] <= 0.011 and 0.25 <= sound[-1][0] < 0.28
    (first, long), (second, late) = packets_of(target, "subtitle")
    assert (first, round(long, 3), round(second, 3), round(late, 3)) == (0, 0.26, 0.26, 0.02)
    with av.open(str(target)) as container:
        (chapter,) = container.chapters()
        assert (chapter["start"] * chapter["time_base"], chapter["end"] * chapter["time_base"]) == (
            0,
            Fraction(28, 100),
        )


def test_the_command_takes_times_in_all_forms(film, tmp_path):
    path, _ = film
    assert parse_time("83.5", "") == parse_time("1:23.5", "") == parse_time("0:01:23.5", "") == Fraction(167, 2)
    for wrong in ("", "-1", "1:60", "1:2:3:4", "x", "1e3", "0:0.5:1", "nan"):
        with pytest.raises(OptionError, match="no time"):
            parse_time(wrong, "--from")
    target = tmp_path / "part.mkv"
    done = CliRunner().invoke(app, ["cut", str(path), str(target), "--from", "0:00.9", "--to", "00:00:01.2"])
    assert done.exit_code == 0 and "10 frames from 0.800 s on" in done.output
    assert CliRunner().invoke(app, ["cut", str(path), str(target), "--from", "1", "--to", "1"]).exit_code == 2


def test_a_part_after_the_end_is_an_error(film, tmp_path):
    path, _ = film
    with pytest.raises(MediaError, match=r"ends 1\.6"):
        part_of(path, tmp_path / "part.mkv", "1.7")
    assert not (tmp_path / "part.mkv").exists()


def test_what_can_be_read_of_a_damaged_film_is_written(film, tmp_path):
    _, shown = film
    gvc_film(tmp_path / "whole.nut")
    data = (tmp_path / "whole.nut").read_bytes()
    damaged = tmp_path / "damaged.nut"
    damaged.write_bytes(data[: len(data) * 3 // 4])
    with pytest.raises(MediaError, match="what could be read was written"):
        part_of(damaged, tmp_path / "part.mkv", "0.4")
    with FileReader(tmp_path / "part.mkv", warn=str) as part:
        found = list(part)
    assert len(found) >= 10 and equal(found[:10], shown[10:20])


@pytest.mark.parametrize(
    "options",
    [
        {"mode": "flf2v", "seed": 7, "x0_cache": 2, "x0_warmup": 3},
        {"mode": "i2v", "prompt": "a bar"},
        {"mode": "t2v", "overlap": 2},
        {"transition": "sde", "shift": 4, "atoms": 4},
    ],
)
def test_a_chain_is_coded_again_with_the_settings_of_the_stream(options):
    pictures = moving_clip(8, 48, 32)
    header, packets, _ = encode(pictures, gop=5, **options)
    units = [unit for packet in packets if (unit := read_packet(packet.data))]
    again = Encoder(video_format(pictures), settings_of(units[0].header, units))
    assert again.extradata == header


def test_a_level_has_one_quality():
    levels = range(quality_level(100), quality_level(0) + 1)
    assert [quality_level(level_quality(level)) for level in levels] == list(levels)
