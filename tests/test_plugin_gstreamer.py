# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GStreamer has a registry of codecs for all its programs; GVC must not be listed there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import ENCODE, FRAMES, HEIGHT, RATE, STOCK, WIDTH, source

from gvc import plugin

LIBRARIES = "libavformat.so", "libavcodec.so"


@pytest.fixture(scope="module")
def registry(tmp_path_factory):
    """Return a registry made without the plugin, like a user's; skip if there is no GStreamer with libav."""
    if STOCK.path("gst-launch-1.0") is None:
        pytest.skip("GStreamer is not installed (apt-get install gstreamer1.0-tools gstreamer1.0-libav)")
    STOCK.require("ffmpeg")
    path = tmp_path_factory.mktemp("registry") / "registry.bin"
    if "avdec_asv1" not in inspect(path):
        pytest.skip("this GStreamer has no libav (apt-get install gstreamer1.0-libav)")
    return path


def run(command, variables):
    return subprocess.run(command, env=variables, capture_output=True, text=True, timeout=200, check=False)


def inspect(path, base=os.environ, **variables):
    """Return the elements that GStreamer lists with a registry, which it makes first if it is missing."""
    return run(["gst-inspect-1.0"], {**base, "GST_REGISTRY": str(path), **variables}).stdout


def preloaded(*others):
    """Return an environment in which a user has preloaded the plugin without `gvc run`."""
    variables = plugin.environment()
    return variables | {"LD_PRELOAD": ":".join([variables["LD_PRELOAD"], *others])}


def system_libraries():
    """Return the paths of the system's libavformat and libavcodec, which GStreamer loads."""
    maps = run(["ldd", STOCK.path("ffmpeg")], dict(os.environ)).stdout.split()
    return [word for word in maps if word.startswith("/") and Path(word).name.startswith(LIBRARIES)]


@pytest.mark.parametrize("fork", ["yes", "no"], ids=["helper", "in the program"])
@pytest.mark.parametrize("beside", [False, True], ids=["alone", "with libavformat"])
def test_registry_knows_nothing_of_the_plugin(registry, tmp_path, fork, beside):
    path = tmp_path / "registry.bin"
    variables = preloaded(*(system_libraries() if beside else []))
    inspect(path, variables, GST_REGISTRY_FORK=fork)
    assert path.exists()
    listed = inspect(path)
    assert "avdec_gvc" not in listed
    assert listed == inspect(registry)


def test_program_is_told_why_gvc_is_not_there(registry):
    done = run(["gst-inspect-1.0"], {**preloaded(*system_libraries()), "GST_REGISTRY": str(registry)})
    assert "is left alone, because GStreamer would store gvc in its registry" in done.stderr


def test_run_gives_gstreamer_a_registry_of_its_own(registry, tmp_path):
    """GStreamer's decoder, which needs its get_buffer2 to be called for every frame, returns FFmpeg's pictures."""
    if "capssetter" not in inspect(registry):
        pytest.skip("this GStreamer has no capssetter (apt-get install gstreamer1.0-plugins-good)")
    movie, pictures, expected = tmp_path / "movie.mkv", tmp_path / "pictures.yuv", tmp_path / "expected.yuv"
    STOCK.ffmpeg(*source(), *ENCODE, movie)
    STOCK.ffmpeg("-i", movie, "-f", "rawvideo", expected)
    caps = f"video/x-asus,asusversion=1,width={WIDTH},height={HEIGHT},framerate={RATE}/1"
    pipeline = (
        f"filesrc location={movie} ! matroskademux ! capssetter join=false replace=true caps={caps} ! avdec_gvc ! "
        f"filesink location={pictures}"
    )
    # The delay is as on many processors; GStreamer drops packets whose frames it does not take at once.
    variables = dict(os.environ) | {"XDG_CACHE_HOME": str(tmp_path), "GVC_FRAME_DELAY": "20"}
    command = [sys.executable, "-m", "gvc.cli", "run", "gst-launch-1.0", "-q", *pipeline.split()]
    done = run(command, variables)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(pictures.read_bytes()) == FRAMES * WIDTH * HEIGHT * 3 // 2
    assert pictures.read_bytes() == expected.read_bytes()
    assert "avdec_gvc" not in run(["gst-inspect-1.0"], variables).stdout


def test_registry_that_the_user_has_named_stays(registry, tmp_path):
    path = tmp_path / "registry.bin"
    command = [sys.executable, "-m", "gvc.cli", "run", "gst-inspect-1.0"]
    assert "avdec_gvc" not in run(command, {**os.environ, "GST_REGISTRY": str(path)}).stdout
    assert "avdec_asv1" in inspect(path)
