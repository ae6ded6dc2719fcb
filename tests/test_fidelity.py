# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Everything that FFmpeg preserves with an established lossless codec, it also preserves with GVC.

Films are encoded by the same command as GVC and as FFV1, and ffprobe has to say the same of both.
"""

import random
import subprocess
import sys
from fractions import Fraction

import av
import numpy as np
import pytest
from films import MILLISECOND, differences, facts, film, packets, rich_film
from programs import ENCODE, STOCK, source

import gvc.av

FFV1 = ("-c:v", "ffv1")
PASSTHROUGH = ("-fps_mode", "passthrough")
MILLISECONDS = ("-enc_time_base", "1/1000")
UNEVEN = [0, 33, 71, 100, 117, 250, 251, 300, 401, 500, 1000, 1033, 1034, 1100]  # milliseconds
FINE = Fraction(1, 90000)
FIELDS = 10


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("films")


@pytest.fixture(scope="module")
def uneven(folder):
    return film(folder / "uneven.mkv", UNEVEN)


@pytest.fixture(scope="module")
def rich(folder):
    STOCK.require("ffmpeg")
    return rich_film(STOCK, folder / "rich.mkv")


def both(programs, folder, before, after=(), extension="mkv"):
    """Encode as GVC and as FFV1; return both paths."""
    paths = [folder / f"{name}.{extension}" for name in ("gvc", "ffv1")]
    for path, codec in zip(paths, (ENCODE, FFV1), strict=True):
        programs.ffmpeg(*before, *codec, *after, path)
    return paths


def assert_same(programs, folder, before, after=()):
    coded, reference = (facts(programs, path) for path in both(programs, folder, before, after))
    assert differences(coded, reference) == {}


def times(programs, path):
    """[(pts, dts, duration)] of packets and [pts] of frames."""
    stream = programs.probe(path, "-show_packets", "-show_frames", "-select_streams", "v")["packets_and_frames"]
    found = [[], []]
    for entry in stream:
        if entry["type"] == "packet":
            found[0].append((entry["pts"], entry["dts"], entry.get("duration")))
        else:
            found[1].append(entry["pts"])
    return found


# Times


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("-itsoffset", "5"), ("-copyts",)),
        (("-itsoffset", "-0.3"), ("-copyts", "-avoid_negative_ts", "disabled")),
        (("-itsoffset", "100000"), ("-copyts",)),
    ],
    ids=["late", "negative", "huge"],
)
def test_uneven_times_and_durations(programs, uneven, tmp_path, before, after):
    assert_same(programs, tmp_path, (*before, "-i", uneven, *PASSTHROUGH, *MILLISECONDS), after)


@pytest.mark.parametrize("extension", ["mov", "nut"])
def test_fine_times_are_exact(programs, tmp_path, extension):
    ticks = [450_000 + 90 * time + index for index, time in enumerate(UNEVEN)]
    given = film(tmp_path / "fine.nut", ticks, FINE)
    options = ("-i", given, "-copyts", *PASSTHROUGH, "-enc_time_base", "1/90000")
    after = ("-video_track_timescale", "90000") if extension == "mov" else ()
    coded, reference = (times(programs, path) for path in both(programs, tmp_path, options, after, extension))
    assert coded == reference
    assert [pts for pts, _, _ in coded[0]] == coded[1] == ticks


@pytest.mark.parametrize("rate", ["24000/1001", "1000"])
def test_frame_rates(programs, tmp_path, rate):
    assert_same(
        programs,
        tmp_path,
        ("-f", "lavfi", "-i", f"testsrc2=s=64x48:r={rate}", "-frames:v", "12", "-pix_fmt", "yuv420p"),
    )


@pytest.mark.parametrize(
    "moments",
    [
        [0, 40, 40, 80],
        [0, 40, 20, 80],
        [None] * 4,
        [0, None, 80],
        [2**40, 2**40 + 40],
        [-100, -60, 20],
        [2**62, 2**62 + 1],
    ],
    ids=["equal", "decreasing", "none", "a gap", "huge", "negative", "near the end of numbers"],
)
def test_odd_times_fare_as_with_other_codecs(tmp_path, moments):
    """PyAV does not correct timestamps: both codecs write the same ones, or refuse them with the same error."""

    def outcome(codec):
        path = tmp_path / f"{codec}.mkv"
        try:
            with av.open(str(path), "w") as output:
                stream = output.add_stream(codec, rate=25, width=64, height=48, pix_fmt="yuv420p")
                for index, moment in enumerate(moments):
                    frame = av.VideoFrame.from_ndarray(np.full((72, 64), 40 + index, np.uint8), format="yuv420p")
                    frame.pts, frame.time_base = moment, MILLISECOND
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
        except av.FFmpegError as error:
            return type(error)
        with av.open(str(path)) as container:
            written = [(packet.pts, packet.duration) for packet in container.demux(video=0) if packet.size]
        with av.open(str(path)) as container:
            return written, [frame.pts for frame in container.decode(video=0)]

    assert outcome("gvc") == outcome("ffv1")


# Geometry and colour


@pytest.mark.parametrize("size", ["1x1", "131x3", "2x17"])
def test_odd_sizes(programs, tmp_path, size):
    path = tmp_path / "odd.mkv"
    programs.ffmpeg(*source(size, frames=2), *ENCODE, path)
    frames = programs.probe(path, "-show_frames")["frames"]
    assert [f"{frame['width']}x{frame['height']}" for frame in frames] == [size] * 2


def test_unusual_aspect(programs, uneven, tmp_path):
    assert_same(programs, tmp_path, ("-i", uneven, *PASSTHROUGH, "-vf", "setsar=355/113"))


def test_rotation(programs, tmp_path):
    """A rotation stays if the container can store it; otherwise FFmpeg rotates the pictures, with GVC as with FFV1."""
    given = film(tmp_path / "turned.mov", [0, 40, 80], rotation=90, codec="mpeg4")
    for option in (("-noautorotate",), ()):
        paths = both(programs, tmp_path, (*option, "-i", given), extension="mov")
        coded, reference = (programs.probe(path, "-show_streams")["streams"][0] for path in paths)
        assert coded.get("side_data_list") == reference.get("side_data_list")
        assert (coded["width"], coded["height"]) == (reference["width"], reference["height"])
        for path in paths:
            programs.ffmpeg("-i", path, "-c:v", "rawvideo", path.with_suffix(".nut"))
        coded, reference = (facts(programs, path.with_suffix(".nut")) for path in paths)
        assert (coded[".streams[0].width"], coded[".streams[0].height"]) == (
            reference[".streams[0].width"],
            reference[".streams[0].height"],
        )


def test_rotation_reaches_frames_in_pyav(tmp_path):
    path = tmp_path / "turned.mkv"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("gvc", rate=25, width=64, height=48, pix_fmt="yuv420p")
        stream.set_display_rotation(90)
        output.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((72, 64), 90, np.uint8), format="yuv420p")))
        output.mux(stream.encode(None))
    with av.open(str(path)) as container:
        assert [frame.rotation for frame in container.decode(video=0)] == [90]


@pytest.mark.parametrize(
    "colour",
    [
        ("tv", "bt709", "bt709", "bt709", "left"),
        ("tv", "bt2020", "smpte2084", "bt2020nc", "topleft"),
        ("pc", "bt470bg", "iec61966-2-1", "bt470bg", "bottomleft"),
        ("tv", "film", "log316", "smpte240m", "bottom"),
        ("tv", "unknown", "unknown", "unknown", "unspecified"),
    ],
    ids=lambda colour: colour[1],
)
def test_colour_is_in_the_stream_itself(programs, tmp_path, colour):
    """NUT stores no colour properties, so they come from the stream."""
    names = ("color_range", "color_primaries", "color_transfer", "color_space", "chroma_location")
    given = "setparams=range={}:color_primaries={}:color_trc={}:colorspace={}".format(*colour)
    path = tmp_path / "colour.nut"
    programs.ffmpeg(*source(frames=1), "-vf", given, "-chroma_sample_location", colour[4], *ENCODE, path)
    frame = programs.probe(path, "-show_frames")["frames"][0]
    expected = [None if word in ("unknown", "unspecified") else word for word in colour]
    if "libavcodec     61." in programs.run("ffmpeg", "-version").stdout:
        expected[4] = None  # FFmpeg 7.1 takes no chroma location from its command line
    assert [frame.get(name) for name in names] == expected


def test_field_order_is_kept_by_the_container(programs, tmp_path):
    """GVC codes whole frames and marks none as interlaced."""
    path = tmp_path / "fields.mkv"
    programs.ffmpeg(
        *source(frames=2), "-c:v", "mpeg4", "-flags", "+ilme+ildct", "-vf", "setparams=field_mode=tff", path
    )
    coded, reference = (
        programs.probe(each, "-show_streams")["streams"][0]["field_order"]
        for each in both(programs, tmp_path, ("-i", path))
    )
    assert coded == reference


# What is beside the video


def test_all_else_passes_alongside(programs, rich, tmp_path):
    others = ("-i", rich, "-map", "0", "-c:a", "copy", "-c:s", "copy", *PASSTHROUGH)
    assert_same(programs, tmp_path, others)
    for kind in ("audio", "subtitle"):
        assert packets(tmp_path / "gvc.mkv", kind) == packets(rich, kind) != []


def test_two_gvc_tracks_in_one_file(programs, uneven, tmp_path):
    path = tmp_path / "two.mkv"
    tracks = ("-map", "0:v", "-map", "0:v", "-c:v:1", "gvc", "-crf:v:1", "60")
    programs.ffmpeg("-i", uneven, *PASSTHROUGH, *ENCODE, *tracks, path)
    for track in range(2):
        alone = tmp_path / f"{track}.mkv"
        programs.ffmpeg("-i", path, "-map", f"0:{track}", "-c", "copy", alone)
        hashes = programs.hashes(path, "-map", "-0", "-map", f"0:{track}")
        assert hashes == programs.hashes(alone)
        assert len(hashes) == len(UNEVEN)


def random_tags(seed, count):
    """Keys as Matroska likes them and values with all sorts of characters."""
    chance = random.Random(seed)
    letters = "abcxyz0189 äß✓日本=;#:'\"\\/%"
    return {
        f"KEY_{chance.randrange(10**6)}": "".join(chance.choices(letters, k=chance.randrange(1, 60))).strip() or "x"
        for _ in range(count)
    }


def test_ten_fields_of_any_text(programs, tmp_path):
    """Five tags of the file and five of the track are kept, also in a copy by a program that does not know GVC."""
    of_file, of_track = random_tags(1, FIELDS // 2), random_tags(2, FIELDS // 2)
    tags = [word for key, value in of_file.items() for word in ("-metadata", f"{key}={value}")]
    tags += [word for key, value in of_track.items() for word in ("-metadata:s:v", f"{key}={value}")]
    path, copy = tmp_path / "tagged.mkv", tmp_path / "copy.mkv"
    programs.ffmpeg(*source(frames=1), *ENCODE, *tags, path)
    subprocess.run(["ffmpeg", "-v", "fatal", "-i", path, "-map_metadata", "0", "-c", "copy", copy], check=True)
    for each in (path, copy):
        found = programs.probe(each, "-show_format", "-show_streams")
        assert of_file.items() <= found["format"]["tags"].items()
        assert of_track.items() <= found["streams"][0]["tags"].items()


# The command `gvc`


def gvc(*args, code=0):
    done = subprocess.run(
        [sys.executable, "-m", "gvc.cli", *map(str, args)], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr


def beside_the_video(programs, path):
    """Return tags, chapters, tracks and attachments of a file, without values that a muxer measured."""
    found = programs.probe(path, "-show_format", "-show_streams", "-show_chapters")
    tags = {key: value for key, value in found["format"]["tags"].items() if key.upper() != "ENCODER"}
    tracks = [
        (
            stream["codec_type"],
            {key: value for key, value in stream["tags"].items() if key not in ("ENCODER", "DURATION")},
            stream["disposition"],
        )
        for stream in found["streams"]
    ]
    return tags, tracks, found["chapters"]


def test_gvc_takes_all_else_along(rich, tmp_path):
    coded, back = tmp_path / "coded.mkv", tmp_path / "back.mkv"
    assert "warning" not in gvc("encode", rich, coded, "--preset", "fast")
    assert "warning" not in gvc("decode", coded, back)
    for path in (coded, back):
        assert beside_the_video(STOCK, path) == beside_the_video(STOCK, rich)
        for kind in ("audio", "subtitle"):
            assert packets(path, kind) == packets(rich, kind)
        with av.open(str(path)) as container, av.open(str(rich)) as original:
            fonts = [file.streams.attachments[0].data for file in (container, original)]
        assert fonts[0] == fonts[1] != b""


def test_gvc_keeps_covers_as_covers(uneven, tmp_path):
    picture, covered, coded = tmp_path / "front.png", tmp_path / "covered.mkv", tmp_path / "coded.mkv"
    STOCK.ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", picture)
    attach = ("-attach", picture, "-metadata:s:t", "mimetype=image/png", "-metadata:s:t", "filename=front.png")
    STOCK.ffmpeg("-i", uneven, "-c", "copy", *attach, covered)
    gvc("encode", covered, coded, "--preset", "fast")
    film_track, cover = STOCK.probe(coded, "-show_streams")["streams"]
    assert (film_track["codec_name"], cover["codec_name"]) == ("gvc", "png")
    assert cover["disposition"]["attached_pic"] and cover["tags"]["filename"] == "front.png"
    assert picture.read_bytes() in coded.read_bytes()


def test_gvc_keeps_times_aspect_and_colour(tmp_path):
    STOCK.require("ffmpeg")
    given, coded, back = tmp_path / "given.mkv", tmp_path / "coded.mkv", tmp_path / "back.mkv"
    film(tmp_path / "late.mkv", [5000 + time for time in UNEVEN])
    described = "setsar=4/3,setparams=range=pc:colorspace=bt709:color_primaries=bt2020:color_trc=smpte2084"
    STOCK.ffmpeg("-i", tmp_path / "late.mkv", "-copyts", *PASSTHROUGH, *MILLISECONDS, "-vf", described, *FFV1, given)
    gvc("encode", given, coded, "--preset", "fast")
    gvc("decode", coded, back)
    names = ("pts", "sample_aspect_ratio", "color_range", "color_space", "color_primaries", "color_transfer")
    found = [
        [tuple(frame[name] for name in names) for frame in STOCK.probe(path, "-show_frames")["frames"]]
        for path in (given, coded, back)
    ]
    assert [frame[0] for frame in found[0]] == [5000 + time for time in UNEVEN]
    assert [(5000 + pts, *colour) for pts, *colour in found[1]] == found[0]  # As with FFmpeg, a file begins at time 0.
    assert found[1] == found[2]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("film.mp4", "no registered name"),
        ("film.webm", "VP8, VP9 and AV1"),
        ("film.mov", "gvc ffmpeg"),
        ("film.ts", "no stream type"),
        ("film.ogg", "ogg has no place"),
        ("film.mka", "cannot hold video"),
        ("film.xyz", "no known file format"),
    ],
)
def test_gvc_says_why_it_refuses_a_format(uneven, tmp_path, name, reason):
    said = gvc("encode", uneven, tmp_path / name, "--preset", "fast", code=3)
    assert reason in said
    assert "use .mkv" in said
    assert list(tmp_path.iterdir()) == []
