# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Frames of the plugin's decoder and the built-in one use the program's memory, and have their packets' data."""

import ctypes.util
import json
import subprocess
import sys

import pytest
from programs import ROOT, Programs, built
from raw_decoder import FRAMES, HEIGHT, WIDTH
from test_plugin_matrix import pythons

from gvc import plugin


def trial(folder, python, *library):
    layouts = ROOT / "ffmpeg_bridge" / "plugin" / "layouts.inc"
    command = [python, ROOT / "tests" / "raw_decoder.py", plugin.library_path(), layouts, folder, *library]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["own", "system", *pythons(), *built()], ids=str)
def report(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    if isinstance(request.param, Programs):
        return trial(folder, sys.executable, next((request.param.prefix / "lib").glob("libavcodec.so.*")))
    if request.param == "system":
        library = ctypes.util.find_library("avcodec")
        if library is None:
            pytest.skip("this system has no libavcodec of its own (apt-get install ffmpeg)")
        return trial(folder, sys.executable, library)
    return trial(folder, sys.executable if request.param == "own" else request.param)


def without(frames, *names):
    return [{name: value for name, value in frame.items() if name not in names} for frame in frames]


def test_what_packets_say_is_as_with_a_codec_of_ffmpeg(report):
    """Frames have the properties of their own packets, although those of GVC come some packets late."""
    frames, expected = report["default"]["frames"], report["reference"]["frames"]
    assert without(frames, "samples", "pkt_size") == without(expected, "samples", "pkt_size")
    assert [frame["tag"] for frame in frames] == [str(number) for number in range(FRAMES)]
    assert [frame["pkt_size"] for frame in frames] in (report["default"]["sizes"], [None] * FRAMES)


def test_program_is_asked_once_for_each_frame_and_told_which(report):
    yuv420p = 0
    asked = [[WIDTH, HEIGHT, yuv420p, 1 + number, 2 * number] for number in range(FRAMES)]
    assert report["default"]["calls"] == report["wide"]["calls"] == asked


@pytest.mark.parametrize("memory", ["wide", "upwards"])
def test_frames_come_in_the_memory_that_the_program_gives(report, memory):
    assert report[memory]["frames"] == report["default"]["frames"]


def test_frame_without_memory_is_an_error_and_no_other_is_late(report):
    enomem = -12
    kept = [frame for number, frame in enumerate(report["default"]["frames"]) if number not in (1, 4)]
    assert report["failing"]["errors"] == [enomem] * 2
    assert report["failing"]["frames"] == kept
