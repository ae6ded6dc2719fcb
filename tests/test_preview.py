# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc preview`, and what makes file managers use it."""

import os
import shlex
import shutil
import subprocess
from fractions import Fraction

import av
import numpy as np
import pytest
from clips import encode, moving_clip, still_clip, video_format
from gvc_container.mux import Muxer
from gvc_container.preview import GAP, fitted
from typer.testing import CliRunner

from gvc.cli.app import app
from gvc.cli.desktop import MIME_TYPE, install_desktop
from gvc.cli.report import Report
from gvc.media import Picture, VideoFormat

VALUES = (40, 90, 140, 190, 230)  # Grey levels of the film's chains
CHAIN = 5


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Return a film of grey chains of 0.2 s."""
    path = tmp_path_factory.mktemp("preview") / "film.mkv"
    grey = still_clip(1, value=128)[0].planes[1:]
    lumas = [still_clip(1, value=value)[0].planes[0] for value in VALUES for _ in range(CHAIN)]
    pictures = [Picture((luma, *grey), number, 1) for number, luma in enumerate(lumas)]
    header, packets, _ = encode(pictures, keyint=CHAIN, preset="fast")
    with Muxer(path, header, video_format(pictures)) as muxer:
        for packet in packets:
            muxer.write(packet)
    return path


def preview(*arguments, code=0):
    done = CliRunner().invoke(app, ["preview", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def pixels(path):
    with av.open(str(path)) as image:
        return next(image.decode(video=0)).to_ndarray(format="rgb24")


def level(value):
    """Return the R'G'B' level of a luma value of limited range."""
    return (value - 16) * 255 / 219


def test_a_sheet_has_a_picture_of_each_chain_in_order(film):
    assert "5 keyframes" in preview(film)
    sheet = pixels(film.with_suffix(".png"))
    width, height = 64 + GAP, 48 + GAP
    assert sheet.shape == (2 * height + GAP, 3 * width + GAP, 3)
    for number, value in enumerate(VALUES):
        y, x = height * (number // 3) + height // 2, width * (number % 3) + width // 2
        assert np.abs(sheet[y, x] - level(value)).max() < 6
    preview(film, code=2)  # The sheet is not overwritten unless that is wanted
    preview(film, "--size", 32, "-y")
    assert pixels(film.with_suffix(".png")).shape == (2 * (24 + GAP) + GAP, 3 * (32 + GAP) + GAP, 3)


@pytest.mark.parametrize(("at", "chain"), [("0", 0), ("0.39", 1), ("0:00.4", 2), ("1/2", 2), ("1/1", 4), ("5", 4)])
def test_one_picture_is_the_keyframe_at_or_before_a_time(film, tmp_path, at, chain):
    target = tmp_path / "picture"  # A name without extension is PNG too
    preview(film, "--at", at, "-o", target)
    found = pixels(target)
    assert found.shape == (48, 64, 3) and np.abs(found - level(VALUES[chain])).max() < 6


def test_places_that_are_none_are_refused(film, tmp_path):
    for at in ("3/2", "x/2", "1/0", "soon", "-1"):
        assert "no " in preview(film, f"--at={at}", "-o", tmp_path / "picture.png", code=2)
    preview(film.with_name("missing.mkv"), code=3)


def test_pictures_get_square_pixels_and_never_grow():
    wide = VideoFormat(720, 576, sample_aspect_ratio=Fraction(64, 45))
    assert fitted(wide, 16384, 16384) == (1024, 576)
    assert fitted(wide, 512, 512) == (512, 288)
    assert fitted(VideoFormat(16384, 1), 10, 10) == (10, 1)


def content_type(path, environment):
    done = subprocess.run(
        ["gio", "info", "-a", "standard::content-type", path],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]


@pytest.mark.skipif(not shutil.which("gio") or not shutil.which("update-mime-database"), reason="no GLib tools here")
def test_file_managers_recognise_films_and_make_thumbnails(film, tmp_path, monkeypatch):
    folder = tmp_path / "a folder"
    monkeypatch.setenv("XDG_DATA_HOME", str(folder))
    other = tmp_path / "other.mkv"
    with av.open(str(other), "w") as output:
        track = output.add_stream("mpeg4", 25, width=64, height=48)
        output.mux([*track.encode(av.VideoFrame(64, 48, "yuv420p")), *track.encode(None)])
    unnamed = shutil.copy(film, tmp_path / "film")
    install_desktop(Report(True), remove=False)
    assert [content_type(path, os.environ) for path in (film, other, unnamed)] == [
        MIME_TYPE,
        "video/x-matroska",
        MIME_TYPE,
    ]

    entry = dict(line.split("=", 1) for line in (folder / "thumbnailers/gvc.thumbnailer").read_text().splitlines()[2:])
    assert entry["MimeType"] == f"{MIME_TYPE};" and os.access(entry["TryExec"], os.X_OK)
    target = tmp_path / "thumbnail"
    target.touch()  # Some file managers make the file before
    words = {"%i": str(film), "%o": str(target), "%s": "32"}
    subprocess.run([words.get(word, word) for word in shlex.split(entry["Exec"])], check=True)
    assert pixels(target).shape == (24, 32, 3)

    install_desktop(Report(True), remove=True)
    assert content_type(film, os.environ) == "video/x-matroska"
    assert not [path for path in folder.rglob("*gvc*")]


def test_a_keyframe_that_is_damaged_leaves_its_place_empty(film, tmp_path):
    pictures = moving_clip(15)
    header, packets, _ = encode(pictures, keyint=5, preset="fast")
    packets[5].data = packets[5].data[:100] + bytes(50) + packets[5].data[150:]  # The still is in there
    with Muxer(tmp_path / "film.mkv", header, video_format(pictures)) as muxer:
        for packet in packets:
            muxer.write(packet)
    assert "keyframe is damaged" in preview(tmp_path / "film.mkv")
    sheet = pixels(tmp_path / "film.png")
    assert np.ptp(sheet[GAP : GAP + 48, 2 * GAP + 64 :][:, :64]) == 0
