# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The plugin in an unmodified ffmpeg: tests for this route alone. Tests for all routes are in test_ffmpeg.py."""

import subprocess
import sys

import pytest
from programs import ENCODE, STOCK, source


@pytest.fixture(scope="module")
def programs():
    STOCK.require("ffmpeg", "ffprobe")
    return STOCK


def test_remux_without_the_plugin(programs, tmp_path):
    movie, copy = tmp_path / "movie.mkv", tmp_path / "copy.mkv"
    programs.ffmpeg(*source(frames=12), *ENCODE, movie)
    command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", movie, "-c", "copy", copy]
    subprocess.run(command, check=True, capture_output=True)
    assert programs.hashes(copy) == programs.hashes(movie)


def test_run_becomes_the_program(programs):
    script = "from gvc import plugin; plugin.run('ffmpeg', ['-v', 'quiet', '-h', 'encoder=gvc'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Encoder gvc" in done.stdout
