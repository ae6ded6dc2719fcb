# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The Python interface: names of the package, and files as sequences of pictures."""

import ast
import gc
import subprocess
import sys
import warnings
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from clips import encode, facts, moving_clip, same, video_format
from gvc_container.demux import Demuxer
from gvc_container.mux import Muxer
from smooth import smooth_clip

import gvc

FRAMES, RATE, KEYINT = 20, 20, 10
QUICK = {"preset": "fast", "gop": 5}
PLAIN = gvc.VideoFormat(48, 32, color_range=1, colorspace=6)


def smooth_pixels(frames: int) -> list[np.ndarray]:
    """Pictures as arrays of R'G'B'."""
    return [gvc.to_rgb(gvc.Picture(planes), PLAIN) for planes in zip(*smooth_clip(PLAIN, frames), strict=True)]


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> Path:
    """A file with a keyframe at each tenth picture."""
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    with gvc.open(path, "w", rate=RATE, keyint=KEYINT, quality=60, **QUICK) as file:
        for pixels in smooth_pixels(FRAMES):
            file.write(pixels)
    return path


def test_importing_the_package_loads_nothing_else():
    code = (
        "import sys, gvc\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "print(sorted(loaded & {'numpy', 'av', 'torch', 'gvc_container', 'typer'}), 'gvc.encoder' in sys.modules)\n"
        "gvc.VideoFormat, gvc.GvcError, gvc.Decoder\n"
        "print('numpy' in sys.modules, 'gvc_container' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[] False", "True False"]


def test_each_name_is_there_for_programs_and_for_type_checkers():
    assert set(gvc.__all__) <= set(dir(gvc))
    assert all(getattr(gvc, name) for name in gvc.__all__)
    (checked,) = (node for node in ast.parse(Path(gvc.__file__).read_text("utf-8")).body if isinstance(node, ast.If))
    imported = {alias.name for node in checked.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported | {"__version__"} == set(gvc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Encode'"):
        gvc.Encode  # noqa: B018


def test_the_package_is_the_command():
    done = subprocess.run([sys.executable, "-m", "gvc", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"gvc {gvc.__version__}")


@pytest.mark.parametrize("samples", gvc.SAMPLE_FORMATS, ids=lambda samples: samples.pix_fmt)
@pytest.mark.parametrize("size", [(48, 32), (33, 17), (1, 1)])
def test_pixels_survive_the_way_into_any_format_and_back(samples, size):
    video = gvc.VideoFormat(*size, colorspace=0 if samples.rgb else 2, samples=samples)
    plain = replace(video, samples=gvc.YUV420P, colorspace=2)
    for planes in zip(*smooth_clip(plain, 2), strict=True):
        pixels = gvc.to_rgb(gvc.Picture(planes), plain)
        picture = gvc.from_rgb(pixels, video)
        assert tuple(plane.shape for plane in picture.planes) == video.plane_shapes
        assert {plane.dtype for plane in picture.planes} == {samples.dtype}
        back = gvc.to_rgb(picture, video)
        assert (back.shape, back.dtype) == ((*size[::-1], 3), np.uint8)
        assert np.abs(back.astype(int) - pixels).max() <= (0 if samples.rgb else 6)


@pytest.mark.parametrize(
    ("matrix", "color_range", "height", "red"),
    [
        (1, 1, 48, (63, 102, 240)),
        (6, 2, 48, (76, 85, 255)),
        (2, 0, 576, (81, 90, 240)),  # unspecified: BT.601 below 720 lines
        (2, 0, 720, (63, 102, 240)),  # unspecified: BT.709 from 720 lines on
    ],
)
def test_pure_red_has_the_code_values_of_its_standard(matrix, color_range, height, red):
    video = gvc.VideoFormat(16, height, colorspace=matrix, color_range=color_range)
    pixels = np.full((height, 16, 3), (255, 0, 0), np.uint8)
    picture = gvc.from_rgb(pixels, video)
    for plane, code in zip(picture.planes, red, strict=True):
        assert np.abs(plane.astype(int) - code).max() <= 1
    assert np.abs(gvc.to_rgb(picture, video).astype(int) - pixels).max() <= 4


@pytest.mark.parametrize("pixels", [np.zeros((32, 48), np.uint8), np.zeros((32, 48, 3)), np.zeros((48, 32, 3), "u1")])
def test_arrays_that_are_no_pixels_of_the_video_are_refused(pixels):
    with pytest.raises(gvc.MediaError, match=r"must be uint8 \[32, 48, 3\]"):
        gvc.from_rgb(pixels, PLAIN)


def test_arrays_come_back_from_a_file(film):
    with gvc.open(film) as file:
        pictures = list(file)
        found = [gvc.to_rgb(picture, file.format) for picture in pictures]
        assert (file.count, file.damage) == (FRAMES, 0)
        times = [picture.pts * file.format.time_base for picture in pictures]
    assert times == [Fraction(i, RATE) for i in range(FRAMES)]
    assert [picture.key for picture in pictures] == [i % KEYINT == 0 for i in range(FRAMES)]
    error = np.mean([(a.astype(float) - b) ** 2 for a, b in zip(smooth_pixels(FRAMES), found, strict=True)])
    assert error < 13  # 37 dB


def test_the_file_of_arrays_is_what_players_expect(film):
    import gvc.av  # noqa: F401

    with av.open(str(film)) as file:
        context = file.streams.video[0].codec_context
        facts_of_file = context.pix_fmt, int(context.color_range), int(context.colorspace), context.framerate
    assert facts_of_file == ("yuv420p", 1, 6, RATE)


@pytest.mark.parametrize("extension", [".mkv", ".avi", ".nut"])
def test_seeking_finds_the_picture_that_is_shown_then(tmp_path, extension):
    path = tmp_path / f"film{extension}"
    with gvc.open(path, "w", rate=RATE, keyint=KEYINT, **QUICK) as file:
        for pixels in smooth_pixels(FRAMES):
            file.write(pixels)
    with gvc.open(path) as file:
        pictures = list(file)
        assert next(file, None) is None
        for seconds, index in ((0.5, 10), (Fraction(74, 100), 14), (0.05, 1), (-3, 0), (0.951, 19), (0, 0)):
            file.seek(seconds)
            assert facts(next(file))[3:] == facts(pictures[index])[3:]
        assert same(list(file), pictures[1:])
        for picture in pictures:
            file.seek(float(picture.pts * file.format.time_base))
            assert facts(next(file))[3:] == facts(picture)[3:]
        file.seek(60)
        assert next(file, None) is None


def test_seeking_decodes_from_the_nearest_keyframe_only(film):
    with Demuxer(film) as demuxer:
        demuxer.seek(Fraction(3, 4))
        first, *rest = demuxer.packets()
    assert first.key and first.pts * demuxer.time_base == Fraction(1, 2)
    assert len(rest) == FRAMES - KEYINT - 1


def test_pictures_with_times_are_coded_as_by_the_encoder(tmp_path):
    pictures = [replace(picture, pts=3 * picture.pts, duration=2) for picture in moving_clip(11)]
    pictures[6].key = True
    video = video_format(pictures, time_base=Fraction(1, 1000))
    _, packets, expected = encode(pictures, video, **QUICK)
    with gvc.open(tmp_path / "film.mkv", "w", video_format=video, **QUICK) as file:
        for picture in pictures:
            file.write(picture)
    with gvc.open(tmp_path / "film.mkv") as file:
        assert same(list(file), expected)
        assert file.format == video
    with Demuxer(tmp_path / "film.mkv") as demuxer:
        assert [packet.data for packet in demuxer.packets()] == [packet.data for packet in packets]


def test_pictures_without_times_follow_each_other(tmp_path):
    pictures = [replace(picture, pts=None, duration=0) for picture in moving_clip(4)]
    pictures[1].pts = 500
    with gvc.open(tmp_path / "film.mkv", "w", video_format=video_format(pictures, time_base=Fraction(1, 1000))) as file:
        for picture in pictures:
            file.write(picture)
    with gvc.open(tmp_path / "film.mkv") as file:
        assert [picture.pts for picture in file] == [0, 500, 540, 580]


def test_the_tracks_of_another_file_are_taken_along(tmp_path):
    with av.open(str(tmp_path / "sound.mkv"), "w") as output:
        stream = output.add_stream("pcm_s16le", 8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = 8000, 0
        output.mux([*stream.encode(frame), *stream.encode(None)])
    with gvc.open(tmp_path / "film.mkv", "w", copy_from=tmp_path / "sound.mkv", **QUICK) as file:
        for pixels in smooth_pixels(3):
            file.write(pixels)
    with av.open(str(tmp_path / "film.mkv")) as file:
        assert sorted(stream.type for stream in file.streams) == ["audio", "video"]


def fail_with_an_exception(path):
    with gvc.open(path, "w", **QUICK) as file:
        for pixels in smooth_pixels(8):
            file.write(pixels)
        raise KeyboardInterrupt


def write_pixels_of_two_sizes(path):
    with gvc.open(path, "w", **QUICK) as file:
        file.write(smooth_pixels(1)[0])
        file.write(np.zeros((16, 16, 3), np.uint8))


def write_no_pixels(path):
    with gvc.open(path, "w") as file:
        file.write(np.zeros((32, 48), np.uint8))


def write_nothing(path):
    with gvc.open(path, "w"):
        pass


def write_one_time_twice(path):
    with gvc.open(path, "w", video_format=video_format(moving_clip(1))) as file:
        for picture in (*moving_clip(2), moving_clip(2)[1]):
            file.write(picture)


def write_planes_of_an_unknown_format(path):
    with gvc.open(path, "w") as file:
        file.write(moving_clip(1)[0])


def never_close(path):
    file = gvc.open(path, "w", **QUICK)
    for pixels in smooth_pixels(8):
        file.write(pixels)
    del file
    gc.collect()
    raise EOFError


@pytest.mark.parametrize(
    ("write", "error", "message"),
    [
        (fail_with_an_exception, KeyboardInterrupt, None),
        (write_pixels_of_two_sizes, gvc.MediaError, "must be uint8"),
        (write_no_pixels, gvc.MediaError, r"must be an array \[H, W, 3\], not one of 2 dimensions"),
        (write_nothing, gvc.MediaError, "no picture was written"),
        (write_one_time_twice, gvc.MediaError, "pts is 1, after one of 1; times must rise"),
        (write_planes_of_an_unknown_format, gvc.OptionError, "video_format"),
        (never_close, EOFError, None),
    ],
)
@pytest.mark.parametrize("before", [None, b"of before"])
def test_a_file_that_fails_is_not_there_and_the_one_before_stays(tmp_path, write, error, message, before):
    path = tmp_path / "film.mkv"
    if before:
        path.write_bytes(before)
    with pytest.raises(error, match=message):
        write(path)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([before] if before else [])


def test_a_file_may_be_closed_twice(tmp_path):
    with gvc.open(tmp_path / "film.mkv", "w", **QUICK) as file:
        file.write(smooth_pixels(1)[0])
        file.close()
        size = (tmp_path / "film.mkv").stat().st_size
        with pytest.raises(gvc.MediaError, match="has been closed"):
            file.write(smooth_pixels(1)[0])
    assert (tmp_path / "film.mkv").stat().st_size == size > 0


@pytest.mark.parametrize(
    ("access", "arguments", "message"),
    [
        ("w", {"quality": 900}, "quality=900 is out of range"),
        ("w", {"realism": 1}, "option 'realism' is unknown"),
        ("w", {"rate": 0}, "rate=0 is out of range"),
        ("r", {"quality": 40}, "option 'quality' is unknown"),
        ("a", {}, "access 'a' is unknown; valid: r, w"),
    ],
)
def test_wrong_arguments_are_named_at_once(film, access, arguments, message):
    before = film.read_bytes()
    with pytest.raises(gvc.OptionError, match=message):
        gvc.open(film, access, **arguments)
    assert film.read_bytes() == before
    assert list(film.parent.iterdir()) == [film]


def test_files_that_are_no_gvc_are_refused(tmp_path):
    (tmp_path / "text.mkv").write_text("no film")
    for name in ("text.mkv", "nothing.mkv"):
        with pytest.raises(gvc.MediaError, match=name):
            gvc.open(tmp_path / name)


def test_damage_is_warned_of_and_the_rest_is_read(tmp_path):
    pictures = moving_clip(FRAMES)
    header, packets, expected = encode(pictures, keyint=KEYINT, **QUICK)
    packets[5] = replace(packets[5], data=packets[5].data[:-9] + bytes(9))
    with Muxer(tmp_path / "film.mkv", header, video_format(pictures)) as muxer:
        for packet in packets:
            muxer.write(packet)
    said = []
    with gvc.open(tmp_path / "film.mkv", warn=said.append) as file:
        found = list(file)
        assert file.damage == len(said) == 2
    assert "packet 5: invalid GVC data" in said[0]
    assert "frames are concealed" in said[1]
    assert [facts(p)[3:] for p in found[-KEYINT:]] == [facts(p)[3:] for p in expected[-KEYINT:]]
    with gvc.open(tmp_path / "film.mkv") as file, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        list(file)
    assert [str(warning.message) for warning in caught] == said


def test_times_rise_where_the_rate_is_broken(tmp_path):
    with gvc.open(tmp_path / "film.mkv", "w", rate=30000 / 1001, **QUICK) as file:
        for pixels in smooth_pixels(4):
            file.write(pixels)
    with gvc.open(tmp_path / "film.mkv") as file:
        times = [picture.pts * file.format.time_base for picture in file]
        assert file.format.frame_rate == Fraction(30000, 1001)
    assert all(abs(b - a - Fraction(1001, 30000)) <= Fraction(1, 1000) for a, b in pairwise(times))
