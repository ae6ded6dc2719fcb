# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""An FFmpeg with GVC inside, the plugin and the Python API write the same bytes and read each other's files."""

import hashlib
import subprocess

import clips
import pytest
from gvc_container.demux import Demuxer
from programs import FRAMES, HEIGHT, RATE, STOCK, WIDTH, built

from gvc import plugin
from gvc.decoder import Decoder
from gvc.encoder import Encoder

BUILDS = list(built())
if not BUILDS:
    pytest.skip("there is no FFmpeg with GVC inside: make ffmpeg", allow_module_level=True)

OPTIONS = {"gop": 9, "keyint": 18, "preset": "fast"}
FLAGS = ("-gop", "9", "-g", "18", "-preset", "fast")
PYAV = """
import hashlib, sys
import av
import numpy as np

raw, movie, copy = sys.argv[1:]
planes = np.fromfile(raw, np.uint8).reshape(-1, {height} * 3 // 2, {width})
with av.open(movie, "w") as output:
    stream = output.add_stream("gvc", rate={rate}, width={width}, height={height}, options={options})
    stream.codec_context.gop_size, stream.codec_context.color_range = {gop_size}, 1
    for array in planes:
        output.mux(stream.encode(av.VideoFrame.from_ndarray(array, format="yuv420p")))
    output.mux(stream.encode(None))
with av.open(movie) as source, av.open(copy, "w") as output:
    stream = output.add_stream_from_template(source.streams.video[0])
    for packet in source.demux(video=0):
        if packet.dts is not None:
            packet.stream = stream
            output.mux(packet)
with av.open(copy) as film:
    video = film.streams.video[0]
    film.seek(20 * 1000 // {rate}, stream=video)
    print(*(hashlib.md5(frame.to_ndarray().tobytes()).hexdigest() for frame in film.decode(video)))
"""


def md5(data):
    return hashlib.md5(data).hexdigest()


@pytest.fixture(scope="module")
def pictures():
    return clips.moving_clip(FRAMES, WIDTH, HEIGHT)


@pytest.fixture(scope="module")
def raw(pictures, tmp_path_factory):
    path = tmp_path_factory.mktemp("raw") / "video.yuv"
    path.write_bytes(b"".join(plane.tobytes() for picture in pictures for plane in picture.planes))
    return path


@pytest.fixture(scope="module")
def packets(pictures):
    """Return the MD5 of each packet that the Python API makes."""
    encoder = Encoder(clips.video_format(pictures, color_range=1), OPTIONS)
    return [md5(packet.data) for picture in [*pictures, None] for packet in encoder.encode(picture)]


@pytest.fixture(scope="module", params=BUILDS, ids=lambda build: build.name)
def build(request):
    return request.param


def encode(programs, raw, path):
    given = ("-f", "rawvideo", "-video_size", f"{WIDTH}x{HEIGHT}", "-framerate", RATE, "-pix_fmt", "yuv420p", "-i", raw)
    # FFmpeg releases differ in their default for an unspecified range.
    programs.ffmpeg(*given, "-c:v", "gvc", "-color_range", "tv", *FLAGS, path)
    return path


@pytest.fixture(scope="module")
def movie(build, raw, tmp_path_factory):
    return encode(build, raw, tmp_path_factory.mktemp("built") / "movie.mkv")


@pytest.fixture(scope="module")
def plugin_movie(raw, tmp_path_factory):
    STOCK.require("ffmpeg", "ffprobe")
    return encode(STOCK, raw, tmp_path_factory.mktemp("plugin") / "movie.mkv")


@pytest.fixture(scope="module")
def decoded(movie):
    """Return the MD5 of each picture that the Python API decodes."""
    demuxer = Demuxer(movie)
    decoder = Decoder(demuxer.header, {})
    pictures = [p for packet in [*demuxer.packets(), None] for p in decoder.decode(packet)]
    return [md5(b"".join(plane.tobytes() for plane in picture.planes)) for picture in pictures]


def test_writes_the_bytes_that_python_writes(build, movie, packets):
    assert build.hashes(movie, "-c", "copy") == packets


def test_writes_the_bytes_that_the_plugin_writes(build, movie, plugin_movie):
    assert build.hashes(plugin_movie, "-c", "copy") == build.hashes(movie, "-c", "copy")
    described = [build.probe(path, "-show_streams", "-show_data_hash", "md5") for path in (movie, plugin_movie)]
    headers = [found["streams"][0]["extradata_hash"] for found in described]
    assert headers[0] == headers[1]


def test_all_decode_alike(build, movie, plugin_movie, decoded):
    assert len(decoded) == FRAMES
    assert build.hashes(movie) == decoded
    assert build.hashes(plugin_movie) == decoded
    assert STOCK.hashes(movie) == decoded


def test_preloading_the_plugin_does_no_harm(build, movie, decoded):
    environment = plugin.environment(build.environment) | {"GVC_DEBUG": "1"}
    assert build.hashes(movie, variables=environment) == decoded
    assert "has gvc already" in build.run("ffmpeg", "-version", variables=environment).stderr


def test_its_own_codec_needs_no_environment(build, movie, decoded):
    """libgvc finds the engine through a file that was installed with it."""
    assert build.hashes(movie, variables={"GVC_PYTHON": "", "PATH": "/usr/bin:/bin"}) == decoded


def test_ffplay_plays(build, movie):
    if not (build.prefix / "bin" / "ffplay").exists():
        pytest.skip("ffplay was not built, for SDL2 was missing")
    quiet = {"SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"}
    done = build.run("ffplay", "-v", "verbose", "-autoexit", movie, variables=quiet)
    assert "gvc" in done.stderr


def test_pyav_built_for_it(build, raw, packets, decoded, tmp_path):
    python = build.prefix / "venv" / "bin" / "python"
    if not python.exists():
        pytest.skip("PyAV was not built for this FFmpeg: make pyav")
    options = {name: str(value) for name, value in OPTIONS.items() if name != "keyint"}
    sizes = {"width": WIDTH, "height": HEIGHT, "rate": RATE}
    script = PYAV.format(**sizes, options=options, gop_size=OPTIONS["keyint"])
    movie, copy = tmp_path / "movie.mkv", tmp_path / "copy.mkv"
    done = subprocess.run([python, "-c", script, raw, movie, copy], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert build.hashes(movie, "-c", "copy") == packets
    hashes = done.stdout.split()
    assert FRAMES - 20 <= len(hashes) < FRAMES
    assert hashes == decoded[-len(hashes) :]
