# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The source for VapourSynth: each number has its frame, in whatever order frames are asked for."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from clips import encode, in_samples, moving_clip, video_format
from gvc_container.mux import Muxer

import gvc

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("vapoursynth", "av", "numpy", "platformdirs")
EXERCISE = ROOT / "tests" / "vapoursynth_exercise.py"
FRAMES, QUICK = 30, {"preset": "fast", "gop": 5, "keyint": 10}


def newer_pythons():
    """Yield Pythons that VapourSynth's wheel is made for, 3.12 and newer; those of pyenv are looked for as well."""
    folder = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    for minor in (12, 13, 14):
        for python in (f"python3.{minor}", *folder.glob(f"3.{minor}.*/bin/python")):
            try:
                subprocess.run([python, "-c", "import venv"], capture_output=True, check=True)
                yield python
            except (OSError, subprocess.CalledProcessError):
                continue


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Return a Python with VapourSynth, PyAV and what of GVC a program needs that leaves coding to an engine."""
    base = next(newer_pythons(), None)
    if base is None:
        pytest.skip("VapourSynth's wheel needs Python 3.12 or newer, and none is here")
    folder = tmp_path_factory.mktemp("vapoursynth")
    subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--python", folder / "bin" / "python"]
    install = ["install", "--no-compile", "--no-deps", "--only-binary=:all:", "-c", ROOT / "constraints.txt", *PACKAGES]
    done = subprocess.run([*pip, *install], capture_output=True, text=True, timeout=240, check=False)
    if done.returncode:
        pytest.skip(f"VapourSynth cannot be had here: {done.stderr.strip()}")
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "gvc").symlink_to(ROOT / "gvc")
    (packages / "gvc_container").symlink_to(ROOT / "container")
    return folder / "bin" / "python"


def run(python, *command, check=True, engine=sys.executable):
    environment = os.environ | {"GVC_PYTHON": str(engine), "XDG_CONFIG_HOME": str(python.parent.parent)}
    return subprocess.run([python, *map(str, command)], env=environment, capture_output=True, timeout=120, check=check)


def write(path, header, packets, video):
    with Muxer(path, header, video) as muxer:
        for packet in packets:
            muxer.write(packet)
    return path


def expected(path):
    """Return the MD5 of each picture as `gvc decode` has it, of R'G'B' pictures in VapourSynth's order of planes."""
    with gvc.open(path) as film:
        order = (2, 0, 1) if film.format.samples.rgb else (0, 1, 2)
        planes = [[picture.planes[i].tobytes() for i in order] for picture in film]
    return [hashlib.md5(b"".join(picture)).hexdigest() for picture in planes]


@pytest.fixture(scope="module")
def coded():
    """Return a clip's format, sequence header and packets."""
    pictures = moving_clip(FRAMES)
    video = video_format(pictures, frame_rate=Fraction(24), color_range=2, colorspace=1, chroma_location=1)
    header, packets, _ = encode(pictures, video, **QUICK)
    return video, header, packets


@pytest.fixture(scope="module")
def films(coded, tmp_path_factory):
    """Return films by name: a plain one, and some that are difficult."""
    folder = tmp_path_factory.mktemp("films")
    video, header, packets = coded
    deep, deep_video = in_samples(moving_clip(9), "gbrp10le")
    deep = [replace(picture, pts=picture.pts**2) for picture in deep]
    damaged = [*packets]
    damaged[15] = replace(packets[15], data=packets[15].data[:-9] + bytes(9))
    smaller = [replace(p, pts=FRAMES + i) for i, p in enumerate(encode(moving_clip(2, 32, 32), **QUICK)[1])]
    odd = moving_clip(1, 47, 33)
    (folder / "text.mkv").write_text("no film")
    return {
        "plain": write(folder / "plain.mkv", header, packets, video),
        "deep": write(folder / "deep.mkv", *encode(deep, deep_video, **QUICK)[:2], deep_video),
        "damaged": write(folder / "damaged.mkv", header, damaged, video),
        "headless": write(folder / "headless.mkv", header, packets[3:], video),
        "joined": write(folder / "joined.mkv", header, [*packets, *smaller], video),
        "odd": write(folder / "odd.mkv", *encode(odd, **QUICK)[:2], video_format(odd)),
        "text": folder / "text.mkv",
    }


@pytest.fixture(scope="module")
def found(python, films):
    """Return the exercise's report on each film."""
    reports = json.loads(run(python, EXERCISE, *films.values()).stdout)
    return {name: reports[str(path)] for name, path in films.items()}


@pytest.mark.parametrize("name", ["plain", "deep", "headless"])
def test_frames_are_those_of_the_film_in_any_order(films, found, name):
    assert found[name]["linear"] == found[name]["mixed"] == expected(films[name])


def test_frames_are_described(found):
    report, props = found["plain"], found["plain"]["props"]
    assert (report["format"], report["rate"], found["deep"]["format"]) == ("YUV420P8", "24", "RGB30")
    assert (props["_Matrix"], props["_Range"], props["_ChromaLocation"]) == ("1", "1", "0")
    assert (props["_AbsoluteTime"], props["_DurationNum"], props["_DurationDen"]) == ("0.04", "1", "25")
    assert (props["_PictType"], props["gvc_concealed"]) == ("P", "0")


def test_damage_is_told_and_hits_only_its_own_frames(films, found):
    frames, good = found["damaged"]["linear"], expected(films["plain"])
    assert frames == found["damaged"]["mixed"] == expected(films["damaged"])
    assert [i for i in range(FRAMES) if frames[i] != good[i]] == [15, 16, 17, 18, 19]
    assert found["damaged"]["concealed"] == [15, 16, 17, 18, 19] and not found["plain"]["concealed"]


def test_a_film_of_two_sizes_gives_the_frames_of_the_first(films, found):
    frames = found["joined"]["linear"]
    assert frames == found["joined"]["mixed"]
    assert frames[:FRAMES] == expected(films["plain"])
    assert all("was joined from videos of different kinds" in said for said in frames[FRAMES:])


def test_files_that_cannot_be_clips_are_refused(found):
    assert found["odd"]["error"].startswith("MediaError: VapourSynth has no 4:2:0 pictures of 47x33")
    assert found["text"]["error"].startswith("MediaError: ") and "text.mkv cannot be read" in found["text"]["error"]


def said_by_source(python, film, *, engine=sys.executable, **options):
    """Return what is said when the first frame is asked for."""
    script = f"from gvc.vapoursynth import source; source({str(film)!r}, **{options}).get_frame(0)"
    done = run(python, "-c", script, engine=engine, check=False)
    assert done.returncode == 1
    return done.stderr.decode()


def test_wrong_options_are_named(python, films):
    assert "option 'quality' is unknown" in said_by_source(python, films["plain"], quality=3)


def test_a_missing_engine_is_named(python, films, tmp_path):
    said = said_by_source(python, films["plain"], engine=tmp_path / "none")
    last = said.strip().splitlines()[-1]
    assert f"picture 0 of {films['plain']} cannot be decoded" in last and str(tmp_path / "none") in last


def test_vspipe_gives_a_part(python, films, tmp_path):
    """Av1an has parts of a script decoded in this way, by one process each."""
    script = tmp_path / "film.vpy"
    script.write_text(f"from gvc.vapoursynth import source\nsource({str(films['plain'])!r}).set_output()\n")
    run(python, "-m", "vapoursynth", "config")
    samples = run(python, python.with_name("vspipe"), script, "-", "--start", "12", "--end", "14").stdout
    size = len(samples) // 3
    assert [hashlib.md5(samples[i * size :][:size]).hexdigest() for i in range(3)] == expected(films["plain"])[12:15]
