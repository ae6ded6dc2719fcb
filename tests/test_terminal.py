# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Text from outside (names in a stream, tags, file names) is shown without being interpreted by the terminal."""

import io
import json
import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from clips import encode, still_clip, video_format
from gvc_container.mux import Muxer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from test_cli import clip, gvc
from typer.testing import CliRunner

from gvc.bitstream import read_packet, write_gop, write_sequence_header
from gvc.cli.app import app
from gvc.cli.checks import Check
from gvc.cli.doctor import print_checks
from gvc.cli.report import Report, errors_reported
from gvc.engine.protocol import Channel, ffi
from gvc.engine.server import log
from gvc.engine.session import report
from gvc.errors import GvcError, MediaError, sentence
from gvc.terminal import visible

OBEYED = {*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), *"\u2028\u2029\u202a\u202b\u202c\u202d\u202e"}
OBEYED |= set("\u2066\u2067\u2068\u2069")
NASTY = "\x1b[31m", "\x9b1A", "[/x]", "[bold]", ":cat:", "\r\n", "\u202e", "\udcff", "{task.description}", "%n"
texts = st.lists(st.sampled_from(NASTY) | st.text(max_size=5), min_size=1, max_size=6).map("".join)
# texts that a stream, which is UTF-8, can hold
storable = texts.map(lambda text: text.encode(errors="replace").decode())
FILE_NAME = os.fsdecode(b"a\xff\x1b[31m[b][red]:cat:\xe2\x80\xae.mkv")


def is_shown(text: str, output: str) -> bool:
    """Return whether a text, possibly broken into lines, is in the output and nothing there controls a terminal."""
    assert not OBEYED & set(output.replace("\n", ""))
    output.encode()
    return "".join(visible(text).split()) in "".join(output.split())


@given(texts)
def test_visible_text_has_nothing_to_obey_and_keeps_all_else(text):
    shown = visible(text)
    assert not OBEYED & set(shown)
    shown.encode()
    assert visible(shown) == shown
    kept = iter(shown)
    assert all(c in kept for c in text if c.isprintable())  # The characters are in the same order.


def test_visible_text_is_readable():
    assert visible("déjà vu, 映画, 👩‍🚀, שלום") == "déjà vu, 映画, 👩‍🚀, שלום"


def hostile_film(path: Path, prior: str = "gp/1", prompt: str = "") -> Path:
    """Write a film whose header has the given texts and is valid otherwise."""
    pictures = still_clip(3, 32, 24)
    _, (first, *rest), _ = encode(pictures, gop=3, preset="fast", mode="t2v", prior="gp")
    unit = read_packet(first.data)
    header = replace(unit.header, prior=prior, prompt=prompt)
    with Muxer(path, write_sequence_header(header), video_format(pictures), None) as muxer:
        for packet in (replace(first, data=write_gop(replace(unit, header=header))), *rest):
            muxer.write(packet)
    return path


@settings(max_examples=15)
@given(prompt=storable.map("x".__add__))
@example(prompt="x\nprior gp/1")
def test_a_prompt_in_a_stream(tmp_path_factory, prompt):
    film = hostile_film(tmp_path_factory.mktemp("film") / "film.mkv", prompt=prompt)
    done = CliRunner().invoke(app, ["info", str(film)])
    assert done.exit_code == 0 and is_shown(f"prompt {prompt!r}", done.stdout)
    done = CliRunner().invoke(app, ["info", "--json", str(film)])
    assert json.loads(done.stdout)["sequence"]["prompt"] == prompt


@settings(max_examples=15)
@given(prior=storable)
@example(prior="gp/\x1b[31mred")
def test_the_name_of_a_prior_in_a_stream(tmp_path_factory, prior):
    """The name may already be invalid in a stream; then the output is an error message that shows it."""
    film = hostile_film(tmp_path_factory.mktemp("film") / "film.mkv", prior)
    for arguments in (["info"], ["info", "--json"], ["decode", "-y", "-q"]):
        out = [str(film.with_name("out.mkv"))] * (arguments[0] == "decode")
        done = CliRunner().invoke(app, [*arguments, str(film), *out])
        assert is_shown("", done.output) and "unexpected" not in done.stderr


@pytest.fixture(scope="module")
def strange_file(tmp_path_factory):
    """Write a film whose file name is not UTF-8 and contains control characters."""
    source = clip(tmp_path_factory.mktemp("names") / "source.mkv", frames=5)
    return shutil.move(source, source.with_name(FILE_NAME))


def test_names_of_files(strange_file, monkeypatch):
    monkeypatch.chdir(strange_file.parent)
    monkeypatch.setenv("COLUMNS", "200")
    coded = FILE_NAME.replace("a", "b", 1)
    assert is_shown(f"{coded}: 5 frames", gvc("encode", "--preset", "fast", FILE_NAME, coded).stderr)
    assert is_shown(f"{coded}  matroska", gvc("info", coded).stdout)
    assert json.loads(gvc("info", "--json", coded).stdout)["path"] == coded
    files = ("--html", "page.html", "--wipe", "wipe.mkv", FILE_NAME, coded)
    assert is_shown(f"{FILE_NAME}  {coded}", gvc("compare", "--metrics", "psnr_y", *files).stdout)
    assert visible(FILE_NAME).replace("\\", "\\\\") in Path("page.html").read_text()


def test_errors_and_tracebacks(strange_file):
    runner = CliRunner()
    for arguments, code in {
        ("info", str(strange_file)): 3,
        ("info", "-v", str(strange_file)): 3,
        ("info", str(strange_file), str(strange_file)): 2,  # a file that the shell would give for "*"
        (str(strange_file),): 2,
        ("bench", "--input", f"{strange_file}.none", "--size", FILE_NAME): 2,
    }.items():
        done = runner.invoke(app, arguments)
        assert done.exit_code == code
        assert is_shown("" if code == 2 else f"{strange_file} holds no GVC video", done.stderr)


def failure(error: Exception) -> str:
    """Return the error text that the engine sends to a client, and so to FFmpeg."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        report(Channel(ours), error)
        data = bytearray(theirs.recv(2048))
    return data[ffi.sizeof("gvc_message") :].decode()


@given(texts)
def test_all_that_tells_something(text):
    """Covers warnings, errors, the server's log, `gvc doctor` and the engine's messages to FFmpeg, with any text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", said := io.StringIO())
        patch.setattr("sys.stdout", said)
        Report().say(text)
        Report().warn(text)
        log(text)
        print_checks([Check(text, False, text, text), Check(text, True, text)])
        with pytest.raises(SystemExit, match="3"), errors_reported():
            raise MediaError(text)
    assert is_shown(f"{text}: {text} -> {text}", said.getvalue())
    assert all(visible(text) in line for line in said.getvalue().splitlines() if line.startswith("gvc:"))
    for error in (MediaError(text), ValueError(text), OSError(2, text, text), GvcError(text)):
        assert is_shown(text, sentence(error)) and "\n" not in sentence(error)
    assert is_shown(text, told := failure(MediaError(text))) and "\n" not in told
