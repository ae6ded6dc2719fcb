# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The wheel that `make wheel` has built, in an environment of its own without extras, compiler and build machine."""

import os
import shutil
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest
from programs import STOCK, hashes_in
from test_cli import FAST, clip

ROOT = Path(__file__).resolve().parent.parent
CONTENTS = ("gvc", "container", "ffmpeg_bridge", "setup.py", "pyproject.toml", "CMakeLists.txt", "MANIFEST.in")
MOST = 240_000_000  # bytes that GVC and what it needs may take


def sources():
    """Yield the files that a wheel is made of."""
    for path in map(ROOT.joinpath, CONTENTS):
        if path.is_file():
            yield path
        for folder, folders, names in os.walk(path):
            folders[:] = {*folders} - {"lib", "__pycache__"}
            yield from (Path(folder, name) for name in names if not name.endswith(".so"))


@dataclass(frozen=True)
class Environment:
    """A virtual environment."""

    folder: Path

    def run(self, program, *args, code=0, **variables):
        """Run one of its programs, with the machine's FFmpeg on PATH and nothing else."""
        environment = {name: os.environ[name] for name in ("XDG_CACHE_HOME", "GVC_SERVE")}
        environment |= {"PATH": str(self.folder / "path"), **variables}
        command = [self.folder / "bin" / program, *map(str, args)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == code, done.stderr
        return done


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    tag = "cp{}{}".format(*sys.version_info)
    wheels = sorted((ROOT / "build" / "dist").glob(f"gvc-*-{tag}-{tag}-manylinux_*.whl"))
    if not wheels or wheels[-1].stat().st_mtime < max(path.stat().st_mtime for path in sources()):
        pytest.skip("there is no wheel of these sources (make wheel)")
    STOCK.require("ffmpeg", "ffprobe")
    environment = Environment(tmp_path_factory.mktemp("wheel") / "environment")
    venv.create(environment.folder, symlinks=True)
    (environment.folder / "path").mkdir()
    for program in ("ffmpeg", "ffprobe"):
        (environment.folder / "path" / program).symlink_to(STOCK.path(program))
    pip = [sys.executable, "-m", "pip", "--python", environment.folder / "bin" / "python", "--quiet"]
    install = ["install", "--only-binary=:all:", "--no-compile", "--constraint", ROOT / "constraints.txt", wheels[-1]]
    subprocess.run([*pip, *install], env=os.environ | {"CC": "false", "CXX": "false"}, timeout=240, check=True)
    return environment


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("wheel") / "source.mkv")


@pytest.fixture(scope="module")
def coded(installed, source):
    path = source.with_name("coded.mkv")
    installed.run("gvc", "encode", source, path, "--verify", *FAST)
    return path


def hashes(installed, path, **variables):
    """MD5 of each frame, as the machine's FFmpeg decodes them with the plugin of the wheel."""
    words = ("-v", "error", "-i", path, "-fps_mode", "passthrough", "-f", "framemd5", "-")
    return hashes_in(installed.run("gvc", "ffmpeg", *words, **variables).stdout)


def test_it_is_light(installed):
    packages = {path.name for path in next(installed.folder.glob("lib/python*/site-packages")).iterdir()}
    assert not packages & {"torch", "diffusers", "transformers", "safetensors", "pybind11", "PIL"}
    assert sum(path.lstat().st_blocks * 512 for path in installed.folder.rglob("*")) < MOST


def test_gvc_and_ffmpeg_show_the_same(installed, coded):
    decoded = coded.with_name("decoded.mkv")
    installed.run("gvc", "decode", coded, decoded)
    shown = hashes(installed, coded)
    assert len(shown) > 0 and shown == hashes(installed, decoded)


def test_ffmpeg_encodes(installed, source):
    film = source.with_name("ffmpeg.mkv")
    installed.run("gvc", "ffmpeg", "-v", "error", "-i", source, "-c:v", "gvc", "-preset", "fast", "-gop", "9", film)
    assert "gp/" in installed.run("gvc", "info", film).stdout
    assert len(hashes(installed, film)) == len(hashes(installed, source))


def test_the_plugin_alone_finds_its_engine(installed, coded):
    plugin = next(installed.folder.glob("lib/python*/site-packages/gvc/lib/libgvc_ffmpeg.so"))
    script = "import os, sys; os.execvp('ffmpeg', ['ffmpeg', '-v', 'error', *sys.argv[1:]])"
    words = ("-i", coded, "-fps_mode", "passthrough", "-f", "framemd5", "-")
    done = installed.run("python", "-c", script, *words, LD_PRELOAD=str(plugin))
    assert hashes_in(done.stdout) == hashes(installed, coded)


def test_gstreamer_shows_the_same(installed, coded):
    """The elements are in the wheel if GStreamer's headers were there when it was made."""
    launcher = shutil.which("gst-launch-1.0")
    if launcher is None or not [*installed.folder.rglob("libgstgvc.so")]:
        pytest.skip("there is no GStreamer, or it had no headers when the wheel was made")
    film, raw = coded.with_name("gstreamer.yuv"), coded.with_name("ffmpeg.yuv")
    pipeline = f"filesrc location={coded} ! matroskademux ! gvcdec ! filesink location={film}"
    path = f"{Path(launcher).parent}{os.pathsep}{installed.folder / 'path'}"
    installed.run("gvc", "gst-launch-1.0", "-q", *pipeline.split(), PATH=path)
    installed.run("gvc", "ffmpeg", "-v", "error", "-i", coded, "-fps_mode", "passthrough", "-f", "rawvideo", raw)
    assert film.stat().st_size > 0 and film.read_bytes() == raw.read_bytes()


def test_pictures_are_compared_by_what_is_there(installed, source, coded):
    done = installed.run("gvc", "compare", source, coded)
    assert "PSNR Y" in done.stdout and "pip install 'gvc[metrics]'" in done.stdout


def test_a_missing_extra_is_named(installed, source):
    refused = installed.run("gvc", "encode", source, source.with_name("neural.mkv"), "--prior", "neural", code=4)
    assert "pip install 'gvc[neural]'" in refused.stderr and not source.with_name("neural.mkv").exists()


def test_the_doctor_says_which_extras_are_there(installed):
    text = installed.run("gvc", "doctor").stdout
    assert "extra neural: lacks safetensors, torch" in text and "pip install 'gvc[models]'" in text
    assert "takes the plugin" in text and "starts and codes a picture" in text
