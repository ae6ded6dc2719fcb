"""The plugin in an unmodified ffmpeg: what is special about this route. What all routes do is in test_ffmpeg.py."""

import os
import shutil
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


def test_programs_without_ffmpeg_notice_nothing(programs):
    done = programs.run("sh", "-c", "echo fine", variables={"GVC_DEBUG": "1"})
    assert (done.stdout, done.stderr) == ("fine\n", "")


def test_unknown_version_is_refused(tmp_path):
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler here to build a library that calls itself libavcodec 60")
    stand_in = tmp_path / "avcodec.c"
    stand_in.write_text("unsigned avcodec_version(void) { return 60 << 16 | 31 << 8; }\n")
    subprocess.run([compiler, "-shared", "-fPIC", stand_in, "-o", tmp_path / "libavcodec.so.60"], check=True)
    script = (
        "import ctypes; from gvc import plugin\n"
        f"ctypes.CDLL({os.fspath(tmp_path / 'libavcodec.so.60')!r}); print(plugin.install())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "libavcodec 60.31 does not serve gvc: only the versions 59.37" in done.stdout
    assert done.stderr == ""
