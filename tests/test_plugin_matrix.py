# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The plugin in each libavcodec that PyAV's wheels have brought: `make plugin-matrix` installs them and runs this."""

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from gvc_container.demux import Demuxer
from plugin_exercise import COLOUR, FRAMES, HEIGHT, WIDTH, time_of

from gvc import plugin
from gvc.decoder import Decoder

TESTS = Path(__file__).resolve().parent


def pythons() -> list[Path]:
    """Return interpreters with a PyAV each, from GVC_PYAV_PYTHONS (a:b:c) or made by `make plugin-matrix`."""
    given = os.environ.get("GVC_PYAV_PYTHONS")
    if given:
        return [Path(path) for path in given.split(":")]
    return sorted((TESTS.parent / "build" / "pyav").glob("*/bin/python"))


def exercise(python: Path, folder: Path) -> dict:
    """Run the exercise with an interpreter; it writes its movie into the folder."""
    command = [python, TESTS / "plugin_exercise.py", plugin.library_path(), folder]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"folder": folder}


@pytest.fixture(scope="module", params=pythons() or [None], ids=lambda python: python.parts[-3] if python else "none")
def report(request, tmp_path_factory):
    if request.param is None:
        pytest.skip("no PyAV but the newest is here; `make plugin-matrix` installs the older ones")
    return exercise(request.param, tmp_path_factory.mktemp("matrix"))


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    return exercise(sys.executable, tmp_path_factory.mktemp("reference"))


def test_library_is_served(report):
    assert report["status"].count("serves gvc in place of") == 1
    assert "\n" not in report["status"]


def test_file_is_described(report):
    assert report["stream"] == ["gvc", "GVC1", "yuv420p", WIDTH, HEIGHT]
    assert (report["aspect"], report["extradata"]) == ("4/3", "GVC1")


def test_packets_are_those_of_every_other_version(report, reference):
    assert report["packets"] == reference["packets"]
    assert [[pts, dts] for pts, dts, *_ in report["packets"]] == [[time_of(i), time_of(i)] for i in range(FRAMES)]
    keys = [i for i, (_, _, key, _) in enumerate(report["packets"]) if key]
    assert keys[0] == 0
    assert 1 < len(keys) < FRAMES


def test_decoding_gives_what_the_engine_gives(report):
    with Demuxer(report["folder"] / "movie.mkv") as demuxer:
        decoder = Decoder(demuxer.header)
        pictures = [picture for packet in demuxer.packets() for picture in decoder.decode(packet)]
    pictures += decoder.decode(None)
    samples = [b"".join(plane.tobytes() for plane in picture.planes) for picture in pictures]
    checksums = [hashlib.md5(data).hexdigest() for data in samples]
    assert report["frames"] == [[p.pts, checksum] for p, checksum in zip(pictures, checksums, strict=True)]


def test_frames_are_described(report):
    assert [int(frame["pts"]) for frame in report["shown"]] == [time_of(i) for i in range(FRAMES)]
    assert all(int(frame["duration"]) == 40 for frame in report["shown"])
    keys = [key for _, _, key, _ in report["packets"]]
    assert [frame["iskey"] == "1" for frame in report["shown"]] == keys
    assert [frame["type"] for frame in report["shown"]] == ["I" if key else "P" for key in keys]
    named = {"color_space": "colorspace"}
    for field in ("color_range", "color_space", "color_primaries", "color_trc"):
        assert {frame[field] for frame in report["shown"]} == {COLOUR[named.get(field, field)]}


def test_seek_gives_what_linear_decoding_gives(report):
    for index, sought in zip((12, 3, 18), report["sought"], strict=True):
        assert sought[0][0] <= time_of(index)
        assert sought == report["frames"][-len(sought) :]


def test_remux_from_template(report):
    assert report["copied"] == report["packets"]
    assert report["copied_frames"] == report["frames"]


@pytest.mark.parametrize(("asked", "given"), [("yuv444p10le", "yuv444p10le"), ("gbrp", "gbrp"), ("rgb24", "gbrp")])
def test_other_pixel_formats(report, reference, asked, given):
    frames = report["formats"][asked]
    assert frames == reference["formats"][asked]
    assert [name for name, *_ in frames] == [given] * 2


def test_full_range_is_a_format_up_to_ffmpeg_7_0(report):
    frames = report["formats"]["yuvj420p"]
    if frames is not None:
        assert [description for *description, _ in frames] == [["yuv420p", 2]] * 2
    assert (frames is not None) == bool(re.search(r"libavcodec (59|60|61\.3)\b", report["status"]))


def test_threads_do_not_disturb_each_other(report):
    assert report["in_threads"] == [report["packets"], report["packets"]]


def test_wrong_option_is_told(report):
    assert "fast, medium, slow" in report["complaint"]


def test_beside_the_ffmpeg_of_opencv(report):
    found = report["opencv"]
    if found is None:
        pytest.skip("OpenCV is not in this environment")
    assert found["status"].count("serves gvc in place of") == 2
    assert found["packets"] == report["packets"]
    assert found["lumas"] == found["our_lumas"]
    assert len(found["lumas"]) == FRAMES
