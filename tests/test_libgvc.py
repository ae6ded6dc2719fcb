# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The C library against the Python API, and what happens when things go wrong."""

import contextlib
import os
import select
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import libgvc
import numpy as np
import pytest
from libgvc import CallError, Decoder, Encoder, ffi, lib

from gvc.decoder import Decoder as PythonDecoder
from gvc.encoder import Encoder as PythonEncoder
from gvc.media import Packet, Picture, VideoFormat
from gvc.options import split_options

WIDTH, HEIGHT, FRAMES = 67, 45, 12  # odd sizes, so that chroma sizes are rounded up
OPTIONS = "gop=5:quality=20"
FIELDS = {"time_base_num": 1, "time_base_den": 90000, "frame_rate_num": 30, "frame_rate_den": 1}
FIELDS |= {"sar_num": 4, "sar_den": 3}
FIELDS |= dict.fromkeys(("color_range", "color_primaries", "color_trc", "colorspace", "chroma_location"), 1)
FORMAT = VideoFormat(WIDTH, HEIGHT, Fraction(30), Fraction(1, 90000), Fraction(4, 3), 1, 1, 1, 1, 1)  # the same


def make_picture(index: int) -> Picture:
    """Return a moving gradient whose planes are stored upside down in memory (with negative strides)."""
    planes = []
    for height, width in VideoFormat(WIDTH, HEIGHT).plane_shapes:
        y, x = np.mgrid[:height, :width]
        plane = (128 + 60 * np.sin((x + 2 * index) / 9) + 40 * np.cos(y / 7)).astype(np.uint8)
        planes.append(np.ascontiguousarray(plane[::-1])[::-1])
    return Picture(tuple(planes), 3000 * index + 7, 3000, key=index == 8)


def same(a: list[Picture], b: list[Picture]) -> bool:
    def facts(picture):
        return (picture.pts, picture.duration, picture.key, *(plane.tobytes() for plane in picture.planes))

    return [facts(picture) for picture in a] == [facts(picture) for picture in b]


def children_of(parent: int) -> list[int]:
    """Return the ids of the running child processes of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, its_parent = entry.read_text().rpartition(")")[2].split()[:2]
            if int(its_parent) == parent and state != "Z":
                found.append(int(entry.parent.name))
    return found


def children() -> list[int]:
    """Return the ids of this process's running children."""
    return children_of(os.getpid())


def new_children(before: list[int]) -> set[int]:
    """Return the ids of the running children that `before` lacks; children of earlier tests may end meanwhile."""
    return set(children()) - set(before)


def new_child(before: list[int]) -> int:
    (engine,) = new_children(before)
    return engine


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return [make_picture(index) for index in range(FRAMES)]


@pytest.fixture(scope="module")
def coded(pictures) -> tuple[bytes, list[Packet]]:
    """Extradata and packets of the clip, from libgvc."""
    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder:
        return encoder.extradata, encoder.encode(pictures)


@pytest.fixture(scope="module")
def decoded(coded) -> list[Picture]:
    """The clip as the Python API decodes it."""
    decoder = PythonDecoder(coded[0], {})
    return [picture for packet in [*coded[1], None] for picture in decoder.decode(packet)]


def test_encodes_like_the_python_api(coded, pictures):
    extradata, packets = coded
    encoder = PythonEncoder(FORMAT, split_options(OPTIONS))
    assert extradata == encoder.extradata
    assert packets == [packet for picture in [*pictures, None] for packet in encoder.encode(picture)]
    assert [packet.pts for packet in packets] == [picture.pts for picture in pictures]
    assert packets[0].key and packets[8].key


def test_decodes_like_the_python_api(coded, decoded):
    extradata, packets = coded
    with Decoder(extradata=extradata, time_base_num=1, time_base_den=90000) as decoder:
        assert same(decoder.decode([*packets, None]), decoded)
        known = decoder.format()
    assert (known.width, known.height) == (WIDTH, HEIGHT)
    assert {name: getattr(known, name) for name in FIELDS} == FIELDS


def test_decodes_without_extradata(coded, decoded):
    with Decoder() as decoder:
        assert decoder.format() is None
        assert same(decoder.decode([*coded[1], None]), decoded)
        assert decoder.format().width == WIDTH


def test_padded_extradata_is_fine(coded, decoded):
    with Decoder(extradata=coded[0] + bytes(5)) as decoder:
        assert same(decoder.decode([*coded[1], None]), decoded)


def test_a_picture_without_duration_lasts_as_long_as_the_frame_rate_says(pictures):
    fields = FIELDS | {"frame_rate_num": 30000, "frame_rate_den": 1001}
    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **fields) as encoder:
        packets = encoder.encode([replace(picture, duration=0) for picture in pictures[:2]])
    assert [packet.duration for packet in packets] == [3003, 3003]


def test_all_packets_may_be_sent_before_the_first_picture_is_taken(coded, decoded):
    """There are far more packets than picture slots, or than fit into a socket; neither side hangs."""
    extradata, packets = coded
    rounds = 60
    with Decoder(extradata=extradata) as decoder:
        for packet in packets * rounds:
            decoder.send(packet)
        decoder.send(None)
        taken, end = decoder.drain()
    assert end == lib.GVC_EOF
    assert same(taken, decoded * rounds)


def test_flush_forgets_what_is_queued(coded, decoded):
    extradata, packets = coded
    with Decoder(extradata=extradata, options="low_delay=1") as decoder:
        decoder.flush()  # A flush before an engine exists.
        for packet in packets[:7]:
            decoder.send(packet)
        assert same([decoder.receive()], decoded[:1])
        decoder.flush()
        assert decoder.receive() == lib.GVC_AGAIN
        assert same(decoder.decode([*packets[8:], None]), decoded[8:])
        assert decoder.send(packets[0]) == lib.GVC_EOF
        decoder.flush()  # A flush after the end, to seek back.
        assert same(decoder.decode([*packets, None]), decoded)


def test_encoder_goes_on_after_flush(coded, pictures):
    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder:
        for picture in pictures[:6]:
            encoder.send(picture)
        encoder.flush()
        assert encoder.encode(pictures) == coded[1]
        assert encoder.send(pictures[0]) == lib.GVC_EOF
        encoder.flush()
        assert encoder.encode(pictures) == coded[1]


def test_decoder_starts_its_engine_with_the_first_packet_and_close_ends_it(coded):
    extradata, packets = coded
    before = children()
    with Decoder(extradata=extradata) as decoder:
        assert decoder.format().height == HEIGHT
        assert decoder.receive() == lib.GVC_AGAIN
        assert not new_children(before)
        decoder.send(packets[0])
        engine = new_child(before)
        assert os.getsid(engine) != os.getsid(0), "Ctrl-C at the terminal must not reach the engine"
    assert not new_children(before)


def test_end_without_packets_needs_no_engine(coded):
    before = children()
    with Decoder(extradata=coded[0]) as decoder:
        assert decoder.decode([None]) == []
        assert not new_children(before)


def test_the_engine_quits_when_its_client_dies():
    client = (
        "import sys, test_libgvc as t; before = t.children();"
        "encoder = t.Encoder(t.WIDTH, t.HEIGHT); print(t.new_child(before), flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, "-P", "-c", client], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:
        engine = os.pidfd_open(int(process.stdout.readline()))
        process.kill()
    assert select.select([engine], [], [], 10)[0], "the engine lives on"
    os.close(engine)


@pytest.mark.parametrize(
    ("options", "names"),
    [("qualty=3", "qualty"), ("gop=1000", "gop"), ("quality=many", "quality"), ("seed", "seed")],
)
def test_bad_encoder_options(options, names):
    with pytest.raises(CallError, match=names) as failure:
        Encoder(WIDTH, HEIGHT, options=options)
    assert failure.value.code == lib.GVC_ERROR_OPTION


def test_bad_decoder_options_show_with_the_first_packet(coded):
    with (
        Decoder(extradata=coded[0], options="realism=7") as decoder,
        pytest.raises(CallError, match="realism") as failure,
    ):
        decoder.send(coded[1][0])
    assert failure.value.code == lib.GVC_ERROR_OPTION


@pytest.mark.parametrize(("width", "height"), [(0, 10), (10, -1), (16385, 10)])
def test_bad_geometry(width, height):
    with pytest.raises(CallError, match=f"{width}x{height}") as failure:
        Encoder(width, height)
    assert failure.value.code == lib.GVC_ERROR_MEDIA


def test_an_error_while_encoding_arrives(pictures):
    with Encoder(WIDTH, HEIGHT, options="bitrate=1:gop=5") as encoder:
        with pytest.raises(CallError, match="bitrate") as failure:
            encoder.encode(pictures)
        assert failure.value.code == lib.GVC_ERROR_RATE
        with pytest.raises(CallError, match="bitrate"):  # The error stays.
            encoder.receive()


def test_bad_colour():
    with pytest.raises(CallError, match="colour property 256") as failure:
        Encoder(WIDTH, HEIGHT, color_trc=256)
    assert failure.value.code == lib.GVC_ERROR_MEDIA


def test_corrupted_packets_do_not_stop_the_decoder(coded, decoded):
    extradata, packets = coded
    generator = np.random.default_rng(1)
    with Decoder(extradata=extradata) as decoder:
        for _ in range(6):
            data = bytearray(packets[0].data)
            for position in generator.integers(len(data), size=3):
                data[position] ^= generator.integers(1, 256)
            broken = Packet(bytes(data[: generator.integers(1, len(data) + 1)]), 0, 1, True)
            with contextlib.suppress(CallError):
                decoder.decode([broken, *packets[1:5]])
            with contextlib.suppress(CallError):
                decoder.drain()
        decoder.flush()
        assert same(decoder.decode([*packets, None]), decoded)


@pytest.mark.parametrize("data", [b"\0", b"GVC1" + bytes(40), bytes(range(256))])
def test_garbage_extradata(data):
    with pytest.raises(CallError) as failure:
        Decoder(extradata=data)
    assert failure.value.code == lib.GVC_ERROR_BITSTREAM


def test_garbage_packet_without_extradata():
    with Decoder(options="low_delay=1") as decoder:
        decoder.send(Packet(b"this is no video", 0, 1, True))
        with pytest.raises(CallError) as failure:
            decoder.receive()
        assert failure.value.code == lib.GVC_ERROR_BITSTREAM
        assert decoder.receive() == lib.GVC_AGAIN, "an error is told once"


def test_params_may_be_of_an_older_or_newer_program(coded):
    up_to_height = ffi.offsetof("gvc_params", "time_base_num")
    # This option lies beyond struct_size and is ignored.
    with Encoder(WIDTH, HEIGHT, struct_size=up_to_height, options="nonsense") as encoder:
        assert encoder.extradata
    with Decoder(struct_size=ffi.sizeof("gvc_params") + 64, extradata=coded[0]) as decoder:
        known = decoder.format(struct_size=up_to_height)
        assert (known.width, known.height, known.time_base_den) == (WIDTH, HEIGHT, 0)
        assert known.struct_size == up_to_height
    with pytest.raises(CallError, match="struct_size"):
        Decoder(struct_size=0)


def test_null_is_safe():
    lib.gvc_close(ffi.NULL)
    lib.gvc_close(ffi.new("gvc_context **"))
    assert ffi.string(lib.gvc_error_message(ffi.NULL))
    assert lib.gvc_decoder_peek(ffi.NULL) == lib.GVC_ERROR


def test_a_call_for_the_other_role_is_an_error(pictures):
    with Decoder() as decoder, pytest.raises(CallError, match="for an encoder"):
        Encoder.send(decoder, pictures[0])


@pytest.mark.parametrize("python", ["/nowhere/python", "/bin/true", "/bin/cat"])
def test_a_wrong_python_is_explained(monkeypatch, python):
    monkeypatch.setenv("GVC_PYTHON", python)
    with pytest.raises(CallError, match=f"{python}.*GVC_PYTHON") as failure:
        Encoder(WIDTH, HEIGHT)
    assert failure.value.code == lib.GVC_ERROR_ENGINE


def test_modules_in_the_current_folder_are_not_for_the_engine(tmp_path, monkeypatch):
    (tmp_path / "socket.py").write_text("raise SystemExit('picked up a stray file')")
    monkeypatch.chdir(tmp_path)
    with Encoder(WIDTH, HEIGHT) as encoder:
        assert encoder.extradata


@pytest.mark.parametrize(("compiler", "standard"), [("cc", "c11"), ("c++", "c++17")])
def test_header_stands_alone(compiler, standard, tmp_path):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    source = tmp_path / ("header.c" if compiler == "cc" else "header.cpp")
    source.write_text('#include "gvc.h"\nint main(void) { return gvc_api_version() != GVC_API_VERSION; }\n')
    flags = [f"-std={standard}", "-Wall", "-Wextra", "-pedantic", "-Werror", f"-I{libgvc.HEADER.parent}"]
    program = tmp_path / "program"
    subprocess.run(
        [compiler, *flags, source, f"-L{libgvc.LIB}", "-lgvc", f"-Wl,-rpath,{libgvc.LIB}", "-o", program], check=True
    )
    assert subprocess.run([program], check=False).returncode == 0


def test_installed_by_cmake_it_is_found_by_pkg_config(tmp_path):
    """FFmpeg's configure needs header, library and gvc.pc in a system prefix."""
    for name in ("cmake", "cc", "pkg-config"):
        if not shutil.which(name):
            pytest.skip(f"no {name}")
    prefix, build, source = tmp_path / "prefix", tmp_path / "build", tmp_path / "program.c"
    root = Path(__file__).resolve().parent.parent
    settings = {"CMAKE_INSTALL_PREFIX": prefix, "CMAKE_INSTALL_LIBDIR": "lib", "GVC_ENGINE_PYTHON": sys.executable}
    definitions = [f"-D{name}={value}" for name, value in settings.items()]
    for step in (["-S", root, "-B", build, *definitions], ["--build", build], ["--install", build]):
        subprocess.run(["cmake", *step], check=True, capture_output=True)
    asked = ["pkg-config", "--cflags", "--libs", "gvc >= 0.1.0"]
    environment = os.environ | {"PKG_CONFIG_PATH": str(prefix / "lib" / "pkgconfig")}
    flags = subprocess.run(asked, env=environment, check=True, capture_output=True, text=True).stdout.split()
    source.write_text(
        "#include <gvc.h>\n#include <gvc_options.h>\n#include <stdio.h>\n"
        '#define NAME(name, ...) #name " "\n'
        'int main(void) { printf("%s ", gvc_version()); return !puts(GVC_ENCODER_OPTIONS(NAME, NAME, NAME)); }\n'
    )
    program = tmp_path / "program"
    subprocess.run(["cc", source, *flags, f"-Wl,-rpath,{prefix / 'lib'}", "-o", program], check=True)
    version, *names = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    assert version == ffi.string(lib.gvc_version()).decode()
    assert {"quality", "prior"} <= set(names)
    assert (prefix / "lib" / "python-path").read_text() == f"{sys.executable}\n"
