# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The elements gvcdec and gvcenc in GStreamer's pipelines."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from clips import encode, in_samples, moving_clip, video_format
from gvc_container.demux import Demuxer
from gvc_container.mux import Muxer
from lazily import Lazily
from players import poll
from small_films import FRAMES, OPTIONS, RATE, damaged, decoded, processes_with, write
from test_keyframes import stream, without_prior

import gvc
from gvc import plugin

FORMATS = {"yuv420p": "I420", "yuv444p": "Y444", "gbrp": "GBR", "yuv420p10le": "I420_10LE", "gbrp10le": "GBR_10LE"}
DEMUXERS = {".mkv": "matroskademux", ".avi": "avidemux", ".mov": "qtdemux"}
PACKAGES = (
    "libgstreamer-plugins-base1.0-dev gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-base-apps"
)


def run(command, text=True, **variables):
    return subprocess.run(
        [*map(str, command)], env=ENVIRONMENT | variables, capture_output=True, text=text, timeout=120, check=False
    )


ENVIRONMENT: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory):
    """Set the variables of all programs here: those of `gvc run`, without FFmpeg's plugin."""
    needed = ("gst-launch-1.0", "gst-discoverer-1.0", "cc", "pkg-config")
    missing = [program for program in needed if shutil.which(program) is None]
    try:
        plugin.gstreamer_folder()
    except gvc.EngineError as error:
        missing.append(str(error))
    if missing:
        pytest.skip(f"GStreamer or its headers are not here: {', '.join(missing)} (apt-get install {PACKAGES})")
    ENVIRONMENT.update(os.environ, GVC_PYTHON=sys.executable, XDG_CACHE_HOME=str(tmp_path_factory.mktemp("cache")))
    ENVIRONMENT.update(plugin.gstreamer_environment(ENVIRONMENT))
    if run(["gst-inspect-1.0", "matroskademux"]).returncode:
        pytest.skip(f"this GStreamer has no matroskademux (apt-get install {PACKAGES})")


@pytest.fixture(scope="module")
def player(tmp_path_factory):
    """Return the program made of gst_pictures.c."""
    flags = run(["pkg-config", "--cflags", "--libs", "gstreamer-app-1.0", "gstreamer-video-1.0"]).stdout.split()
    program = tmp_path_factory.mktemp("player") / "gst_pictures"
    subprocess.run(["cc", Path(__file__).with_name("gst_pictures.c"), "-o", program, *flags], check=True)
    return program


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Return films in Matroska by their sample formats."""
    folder = tmp_path_factory.mktemp("films")
    return Lazily(lambda pix_fmt: write(folder / f"{pix_fmt}.mkv", pix_fmt))


def expected(path, **options):
    """Return what gst_pictures prints of a film, by GVC's own decoder."""
    return [
        f"{time} {'corrupted' if picture.concealed else 'whole'} {line}"
        for picture, time, line in decoded(path, FORMATS, **options)
    ]


def decoding(path, element="gvcdec"):
    return f"filesrc location={path} ! {DEMUXERS[path.suffix]} ! {element} ! appsink name=out sync=false"


def playbin(path):
    return f'playbin uri={path.as_uri()} video-sink="appsink name=out sync=false" audio-sink=fakesink'


def pictures(player, pipeline, *steps, code=0, **variables):
    """Return the lines that gst_pictures prints."""
    done = run([player, pipeline, *steps], **variables)
    assert done.returncode == code and "CRITICAL" not in done.stderr, done.stdout + done.stderr
    return done.stdout.splitlines()


def without_times(lines):
    return [line.partition(" ")[2] for line in lines]


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gbrp", "yuv420p10le"])
def test_pictures_are_those_of_gvc_decode(player, films, pix_fmt):
    assert pictures(player, decoding(films[pix_fmt]), "rest") == expected(films[pix_fmt])


def test_playbin_plays_and_seeks(player, films):
    """Seeks end at the picture that is shown at that time, also after the end, and backwards."""
    whole = expected(films["yuv420p"])
    steps = ("pull=3", "seek=800", "pull=2", "seek=120", "rest", "seek=480", "pull=4", "back=320", "rest")
    found = pictures(player, playbin(films["yuv420p"]), *steps)
    assert found == [*whole[:3], *whole[20:22], *whole[3:], *whole[12:16], *whole[7::-1]]


def test_fast_play_shows_keyframes_without_their_prior(player, tmp_path):
    """The prior of the second chain is not here. The picture that comes before the seek is of the first chain."""
    extradata, packets, shown = stream("flf2v")
    _, strange, _ = without_prior()
    key = next(number for number, packet in enumerate(packets) if number and packet.key)
    film = tmp_path / "film.mkv"
    with Muxer(film, extradata, video_format(shown)) as muxer:
        for packet in [*packets[:key], *strange[key:]]:
            muxer.write(packet)
    found = pictures(player, decoding(film, "gvcdec low-delay=1"), "keys=0", "rest")
    assert found == expected(film, keyframes=1) and len(found) == 2


def test_the_format_may_change_in_mid_stream(player, films, tmp_path):
    """The first change is in the stream alone; the second one is in the caps too."""
    paths = films["yuv420p"], films["gbrp10le"], write(tmp_path / "film.avi", "yuv444p")
    sources = (f"filesrc location={path} ! {DEMUXERS[path.suffix]} ! queue ! c." for path in paths)
    pipeline = f"concat name=c ! gvcdec ! appsink name=out sync=false {' '.join(sources)}"
    whole = [line for path in paths for line in expected(path)]
    assert without_times(pictures(player, pipeline, "rest")) == without_times(whole)


def test_pictures_that_come_too_late_are_skipped(player, films):
    """The first picture is there when the message comes."""
    whole = expected(films["yuv420p"])
    found = pictures(player, decoding(films["yuv420p"]), "late=600", "rest")
    assert found == [whole[0], *whole[15:]]


def test_options_are_properties(player, films):
    """Low delay returns each picture with its packet; realism changes the pictures."""
    film = films["yuv420p"]
    assert pictures(player, decoding(film, "gvcdec low-delay=1 threads=1"), "rest") == expected(film)
    assert pictures(player, decoding(film, "gvcdec realism=0.7"), "pull=5") != expected(film)[:5]


@pytest.mark.filterwarnings("ignore::UserWarning")  # GVC's own decoder warns of the damage
def test_a_damaged_gop_is_concealed_as_by_gvc_decode(player, films, tmp_path):
    film = damaged(films["yuv420p"], tmp_path / "damaged.mkv")
    found = pictures(player, decoding(film), "rest")
    assert "corrupted" in "".join(found) and found == expected(film)


@pytest.mark.parametrize(
    ("element", "variables", "message"),
    [
        ("gvcdec", {"GVC_PYTHON": "/nowhere/python"}, "error: the GVC engine cannot be started with /nowhere/python"),
        ("gvcdec", {"GVC_PYTHON": "/bin/false"}, "error: /bin/false -m gvc.engine ended unexpectedly"),
        ("gvcdec prior=wan:/nowhere", {}, "error: there is no folder /nowhere"),
    ],
)
def test_what_is_missing_is_named(player, films, element, variables, message):
    (line,) = pictures(player, decoding(films["yuv420p"], element), "rest", code=1, **variables)
    assert line.startswith(message)


@pytest.mark.parametrize(
    ("pix_fmt", "muxer", "given"),
    [
        ("yuv420p", "matroskamux", OPTIONS),
        ("gbrp10le", "qtmux", OPTIONS),
        ("yuv420p", "matroskamux", {"resilience": 1, "preset": "fast"}),
    ],
)
def test_the_encoder_makes_the_same_packets(player, tmp_path, pix_fmt, muxer, given):
    clip, video = in_samples(moving_clip(FRAMES), pix_fmt)
    source, film = tmp_path / "film.yuv", tmp_path / f"film{'.mkv' if muxer == 'matroskamux' else '.mov'}"
    source.write_bytes(b"".join(np.ascontiguousarray(plane) for picture in clip for plane in picture.planes))
    options = [f"{name}={value}" for name, value in given.items()]
    parts = [
        f"filesrc location={source}",
        f"rawvideoparse format={FORMATS[pix_fmt].lower().replace('_', '-')} width=64 height=48 framerate={RATE}/1",
        f"gvcenc {' '.join(options)}",
        muxer,
        f"filesink location={film}",
    ]
    done = run(["gst-launch-1.0", "-q", *" ! ".join(parts).split()])
    assert done.returncode == 0, done.stderr
    with Demuxer(film) as demuxer:
        found = list(demuxer.packets())
        assert [packet.pts * demuxer.time_base * RATE for packet in found] == list(range(FRAMES))
    with gvc.open(film) as file:
        assert file.format.colorspace == (0 if video.samples.rgb else 6)
        _, packets, _ = encode(clip, file.format, **given)
    assert [(packet.key, packet.data) for packet in found] == [(packet.key, packet.data) for packet in packets]
    assert pictures(player, decoding(film), "rest") == expected(film)


def test_a_muxer_that_would_lie_about_the_codec_is_refused():
    pipeline = "videotestsrc num-buffers=1 ! gvcenc ! avimux ! fakesink async=false"
    done = run(["gst-launch-1.0", "-q", *pipeline.split()])
    assert done.returncode and "the next element does not keep the FourCC GVC1" in done.stderr


def test_programs_of_gstreamer_find_the_elements(films, tmp_path):
    """`gvc` gives them a registry of its own, so that other programs see nothing of it."""
    variables = {"XDG_CACHE_HOME": str(tmp_path)}
    base = {name: value for name, value in ENVIRONMENT.items() if not name.startswith(("GST_", "GVC_GST"))} | variables

    def call(*command):
        return subprocess.run([*map(str, command)], env=base, capture_output=True, text=True, timeout=120, check=False)

    found = call(sys.executable, "-m", "gvc.cli", "gst-discoverer-1.0", "-v", films["yuv420p"]).stdout
    assert "video codec: GVC" in found and "Width: 64" in found and "Duration: 0:00:00.960000000" in found
    assert call("gst-inspect-1.0", "gvcdec").returncode != 0


def test_no_engine_and_no_file_is_left(player, films, tmp_path):
    """Pipelines stop in the middle of a film, with a decoder that works ahead, and while an encoder waits."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    mark = {"TMPDIR": str(temporary)}
    assert len(pictures(player, playbin(films["yuv420p"]), "pull=2", **mark)) == 2
    pipeline = "videotestsrc ! video/x-raw,width=64,height=48 ! tee name=t ! queue ! gvcenc ! fakesink async=false "
    assert len(pictures(player, f"{pipeline} t. ! queue ! appsink name=out", "pull=9", **mark)) == 9
    poll(lambda: processes_with(f"TMPDIR={temporary}") == 0)
    assert not [*temporary.iterdir()]
