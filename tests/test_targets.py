# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Targets of output: regular files, links, pipes, devices and descriptors."""

import os
import stat
import threading
from pathlib import Path

import av
import clips
import pytest
from gvc_container.demux import Demuxer
from gvc_container.files import is_stream, output_file
from gvc_container.mux import Muxer

from gvc.cli.decode import decode
from gvc.cli.encode import encode
from gvc.cli.info import info
from gvc.cli.report import Report
from gvc.errors import OptionError

FRAMES = 5


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """Return a GVC file, which tests decode or encode again."""
    path = tmp_path_factory.mktemp("targets") / "film.mkv"
    pictures = clips.moving_clip(FRAMES)
    header, packets, _ = clips.encode(pictures, gop=5, preset="fast")
    with Muxer(path, header, clips.video_format(pictures)) as muxer:
        for packet in packets:
            muxer.write(packet)
    return path


def to_mkv(film, target, **options):
    arguments = {"overwrite": False, "audio": True, "verify": False} | options
    encode(str(film), target, {"preset": "fast"}, Report(quiet=True), **arguments)


def to_pictures(film, target, **options):
    decode(film, target, {}, Report(quiet=True), **({"overwrite": False, "audio": True} | options))


class Reader(threading.Thread):
    """Reads a pipe to its end."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.data = path, b""
        self.start()

    def run(self):
        self.data = self.path.read_bytes()


@pytest.mark.parametrize(
    ("name", "write", "begins"),
    [
        ("out.mkv", to_mkv, b"\x1aE\xdf\xa3"),
        ("out", to_mkv, b"\x1aE\xdf\xa3"),
        ("out.nut", to_mkv, b"nut/multimedia"),
        ("out.y4m", to_pictures, b"YUV4MPEG2"),
        ("out", to_pictures, b"YUV4MPEG2"),
        ("out.mkv", to_pictures, b"\x1aE\xdf\xa3"),
    ],
)
def test_a_named_pipe_is_written_through(film, tmp_path, name, write, begins):
    pipe, copy = tmp_path / name, tmp_path / f"copy{Path(name).suffix}"
    os.mkfifo(pipe)
    reader = Reader(pipe)
    write(film, pipe)
    reader.join(timeout=60)
    assert reader.data.startswith(begins)
    assert pipe.is_fifo()
    copy.write_bytes(reader.data)
    with av.open(str(copy)) as container:
        assert sum(1 for packet in container.demux(video=0) if packet.size) == FRAMES


def test_a_pipe_that_is_read_is_read_once(tmp_path, capsys):
    """A pipe's other tracks would need a second pass, so a warning names them."""
    with av.open(str(tmp_path / "two.mkv"), "w") as output:
        track = output.add_stream("mpeg4", 25, width=64, height=48)
        track.codec_context.pix_fmt = "yuv420p"
        output.add_stream("mpeg4", 25, width=64, height=48).codec_context.pix_fmt = "yuv420p"
        output.mux([*track.encode(av.VideoFrame(64, 48, "yuv420p")), *track.encode(None)])
    pipe = tmp_path / "pipe.mkv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=((tmp_path / "two.mkv").read_bytes(),), daemon=True)
    writer.start()
    to_mkv(pipe, tmp_path / "out.mkv")
    writer.join(timeout=60)
    assert "1 other tracks are left out" in capsys.readouterr().err
    with Demuxer(tmp_path / "out.mkv") as demuxer:
        assert sum(1 for _ in demuxer.packets()) == 1


def test_what_needs_the_size_of_a_file_refuses_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.mkv")
    for path in (tmp_path / "pipe.mkv", Path("-")):
        with pytest.raises(OptionError, match="can be read only once"):
            info(path, as_json=False)


def test_formats_that_are_finished_at_their_beginning_refuse_a_pipe(film, tmp_path):
    os.mkfifo(tmp_path / "out.mp4")
    with pytest.raises(OptionError, match="through a pipe"):
        to_pictures(film, tmp_path / "out.mp4")


@pytest.mark.parametrize("write", [to_mkv, to_pictures])
def test_devices_and_descriptors_stay_what_they_are(film, tmp_path, write):
    write(film, Path("/dev/null"))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with (tmp_path / "given").open("wb") as file:
        write(film, Path(f"/dev/fd/{file.fileno()}"))
        assert os.fstat(file.fileno()).st_size > 500
        assert os.fstat(file.fileno()).st_ino == (tmp_path / "given").stat().st_ino


def test_a_link_leads_to_the_file_that_is_written(film, tmp_path):
    (tmp_path / "folder").mkdir()
    link = tmp_path / "link.mkv"
    link.symlink_to("folder/real.mkv")
    to_mkv(film, link)  # The target of the link does not exist yet.
    first = (tmp_path / "folder" / "real.mkv").read_bytes()
    with pytest.raises(OptionError, match="use -y"):
        to_mkv(film, link)
    to_mkv(film, link, overwrite=True)
    assert link.is_symlink() and not (tmp_path / "folder" / "real.mkv").is_symlink()
    assert len((tmp_path / "folder" / "real.mkv").read_bytes()) == len(first)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["folder", "link.mkv", "real.mkv"]


@pytest.mark.parametrize("mode", [0o600, 0o664])
def test_a_replaced_file_leaves_its_permissions_to_the_new_one(film, tmp_path, mode):
    target = tmp_path / "out.mkv"
    target.write_text("old")
    target.chmod(mode)
    with output_file(target, overwrite=True) as path:
        assert stat.S_IMODE(path.stat().st_mode) == mode  # The mode is also right while the file is written.
        path.write_text("new")
    assert target.read_text() == "new" and stat.S_IMODE(target.stat().st_mode) == mode


def test_an_error_leaves_the_old_file(tmp_path):
    target = tmp_path / "out.mkv"
    target.write_text("old")
    with pytest.raises(RuntimeError), output_file(target, overwrite=True) as path:
        path.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_the_input_is_not_overwritten(film, tmp_path):
    film_bytes, link, hard = film.read_bytes(), tmp_path / "link.mkv", tmp_path / "hard.mkv"
    link.symlink_to(film)
    hard.hardlink_to(film)
    for target in (film, link, hard):
        for write in (to_mkv, to_pictures):
            with pytest.raises(OptionError, match="is the input as well"):
                write(film, target, overwrite=True)
    assert film.read_bytes() == film_bytes


def test_names_that_look_like_protocols_are_files(film, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    to_mkv(film, Path("a:b.mkv"))
    with Demuxer(tmp_path / "a:b.mkv") as demuxer:
        assert sum(1 for _ in demuxer.packets()) == FRAMES


def test_what_cannot_be_read_back_cannot_be_verified(film):
    with pytest.raises(OptionError, match="--verify"):
        to_mkv(film, Path("/dev/null"), verify=True)


def test_regular_files_are_no_streams(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "loop").symlink_to("loop")
    assert not any(map(is_stream, [tmp_path / "file", tmp_path, tmp_path / "missing", tmp_path / "loop"]))
