# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The decoder module in VLC: by libVLC, which gives exact pictures, and in the program cvlc."""

import hashlib
import os
import shutil
import subprocess
import sys
import wave
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import av
import pytest
from lazily import Lazily
from players import poll
from programs import STOCK
from small_films import FRAMES, damaged, decoded, processes_with, write

import gvc
from gvc import plugin
from tools.compatibility.kit import as_user

FORMATS = {"yuv420p": "I420", "yuv444p": "I444", "gbrp": "GBR8", "yuv420p10le": "I0AL", "gbrp10le": "GBAL"}
PROGRAM = Path(__file__).with_name("vlc_pictures.py")
PACKAGES = "vlc-bin vlc-plugin-base libvlccore-dev"
# VLC leaves out pictures, even the first, if the next one's time has come too. So a machine that is busy with other
# tests gets more time for each picture, or a film is played again.
SLOW = "--rate=0.2"
TRIES = 4
ENVIRONMENT: dict[str, str] = {}


def run(command, **variables):
    return subprocess.run(
        [*map(str, command)], env=ENVIRONMENT | variables, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def environment(tmp_path_factory):
    """Set the variables of all programs here: those of `gvc run`, without FFmpeg's plugin."""
    missing = [] if shutil.which("cvlc") else ["cvlc"]
    try:
        plugin.vlc_folder()
    except gvc.EngineError as error:
        missing.append(str(error))
    if missing:
        pytest.skip(f"VLC or its headers are not here: {', '.join(missing)} (apt-get install {PACKAGES})")
    ENVIRONMENT.update(os.environ, GVC_PYTHON=sys.executable, HOME=str(tmp_path_factory.mktemp("home")))
    ENVIRONMENT.update(plugin.vlc_environment(ENVIRONMENT))


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Return films in Matroska by their sample formats."""
    folder = tmp_path_factory.mktemp("films")
    return Lazily(lambda pix_fmt: write(folder / f"{pix_fmt}.mkv", pix_fmt))


@pytest.fixture(scope="module")
def long_film(tmp_path_factory):
    return write(tmp_path_factory.mktemp("long") / "film.mkv", frames=60)


def expected(path, **options):
    """Return what vlc_pictures prints of a whole film, by GVC's own decoder."""
    return [line for line, _ in groupby(line for *_, line in decoded(path, FORMATS, **options))]


def shown(path, *words, **variables):
    """Return the lines that vlc_pictures prints."""
    done = run([sys.executable, PROGRAM, path, "--no-audio", *words], **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def shown_as(wanted, path, *words, judged=lambda lines: lines):
    """Return what vlc_pictures prints, or what `judged` makes of it. The film is played again if it is not `wanted`."""
    for _ in range(TRIES):
        found = judged(shown(path, *words))
        if found == wanted:
            break
    return found


def all_shown(path, *words, **options):
    """Return the lines that vlc_pictures prints of a whole film, and those of GVC's own decoder."""
    whole = expected(path, **options)
    return shown_as(whole, path, "watch=1", f"step={len(whole) - 1}", *words), whole


def runs(path, found):
    """Return the first picture's number of each part of `found` that the film has without a gap."""
    whole = expected(path)
    numbers = [whole.index(line) for line in found]
    return [numbers[0], *(b for a, b in pairwise(numbers) if b != a + 1)]


@pytest.fixture(scope="module")
def cvlc():
    """Return a function that runs `gvc cvlc` to the end of a film. VLC refuses root, so root becomes another user."""
    if run([*as_user(), "true"]).returncode:
        pytest.skip("VLC does not run as root, and this machine has no user namespaces (unshare --user)")
    command = [*as_user(), sys.executable, "-m", "gvc.cli", "cvlc", "--no-audio", "--play-and-exit"]

    def play(*words, **variables):
        return run([*command, *words], **variables)

    return play


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "gbrp", "yuv420p10le"])
def test_pictures_are_those_of_gvc_decode(films, pix_fmt):
    found, whole = all_shown(films[pix_fmt])
    assert found == whole and len(whole) == FRAMES


@pytest.mark.parametrize("suffix", [".avi", ".mov"])
def test_other_containers(films, tmp_path, suffix):
    STOCK.require("ffmpeg")
    film = tmp_path / f"film{suffix}"
    STOCK.ffmpeg("-i", films["yuv444p"], "-c", "copy", film)
    found, whole = all_shown(film)
    assert found == whole


def test_seeks_end_at_the_picture_of_that_time(long_film):
    steps = "watch=3", "seek=1000", "watch=6", "seek=120", "watch=6"
    wanted = [0, 25, 3]
    assert shown_as(wanted, long_film, SLOW, *steps, judged=partial(runs, long_film)) == wanted


def test_sound_and_subtitles_beside(films, tmp_path):
    STOCK.require("ffmpeg")
    if not run(["fc-list"]).stdout:
        pytest.skip("there are no fonts for subtitles here (apt-get install fontconfig fonts-dejavu-core)")
    words, film, sound = (tmp_path / name for name in ("words.srt", "film.mkv", "sound.wav"))
    words.write_text("1\n00:00:00,200 --> 00:00:00,600\nGVC\n")
    beside = ("-f", "lavfi", "-t", "0.96", "-i", "sine=440:r=48000", "-i", words, "-c:a", "pcm_s16le", "-c:s", "subrip")
    STOCK.ffmpeg("-i", films["yuv420p"], *beside, "-map", "0", "-map", "1", "-map", "2", "-c:v", "copy", film)
    whole = expected(films["yuv420p"])

    def in_time(found):
        before, texts, after = (list(lines) for _, lines in groupby(found, whole.__contains__))
        begins = whole[:5] == before or set(before) < set(whole[:5])
        return begins and bool(texts) and set(after) <= set(whole[15:])

    options = "--audio", "--aout=afile", f"--audiofile-file={sound}", "--sub-track=0"
    assert shown_as(True, film, *options, "watch=99", judged=in_time)
    with wave.open(str(sound)) as wav:
        assert wav.getnframes() == 46080


def test_the_format_may_change_in_mid_stream(films, tmp_path):
    """VLC then drops what it has not yet shown in the old format."""
    STOCK.require("ffmpeg")
    paths = films["yuv420p"], write(tmp_path / "wide.mkv", "gbrp10le", frames=12, width=96)
    (tmp_path / "list").write_text("".join(f"file {path}\n" for path in paths))
    film = tmp_path / "film.mkv"
    STOCK.ffmpeg("-f", "concat", "-safe", "0", "-i", tmp_path / "list", "-c", "copy", film)
    before, after = map(expected, paths)
    found = shown(film, "watch=1", f"step={FRAMES + 4}")
    assert found == [line for line in before + after if line in found]
    assert len(found) > FRAMES and set(found) & set(after)


def test_options_are_those_of_vlc(films):
    found, whole = all_shown(films["yuv420p"], "--gvc-realism=0.7", "--gvc-low_delay=1", "--gvc-threads=1", realism=0.7)
    assert found == whole != expected(films["yuv420p"])


@pytest.mark.filterwarnings("ignore::UserWarning")  # GVC's own decoder warns of the damage
def test_a_damaged_gop_is_concealed_as_by_gvc_decode(films, tmp_path):
    found, whole = all_shown(damaged(films["yuv420p"], tmp_path / "damaged.mkv"))
    assert found == whole != expected(films["yuv420p"])


def test_another_engine_goes_on_at_a_keyframe(long_film):
    def after_keyframes(found):
        first, *others = runs(long_film, found)
        return [first, *(number % 12 for number in others)]

    steps = "watch=1", "step=2", "kill", "step=25"
    assert shown_as([0, 0], long_film, *steps, judged=after_keyframes) == [0, 0]


def test_no_engine_and_no_file_is_left(long_film, tmp_path):
    """The player stops in the middle of a film."""
    assert len(shown(long_film, "watch=3", TMPDIR=str(tmp_path))) >= 3
    poll(lambda: processes_with(f"TMPDIR={tmp_path}") == 0)
    assert not [*tmp_path.iterdir()]
    assert [path.name for path in plugin.vlc_folder().rglob("*") if path.is_file()] == ["libgvc_plugin.so"]


def test_cvlc_writes_a_film(cvlc, films, tmp_path):
    """VLC's transcoding loses the last two pictures, whatever the codec."""
    film = tmp_path / "film.avi"
    done = cvlc(f"--sout=#transcode{{vcodec=I420}}:std{{access=file,mux=avi,dst={film}}}", films["yuv420p"])
    assert done.returncode == 0, done.stderr
    with av.open(str(film)) as container:
        packets = [hashlib.md5(bytes(packet)).hexdigest() for packet in container.demux(video=0) if packet.size]
    assert packets == [line.split()[-1] for line in expected(films["yuv420p"])][: FRAMES - 2]


@pytest.mark.parametrize(
    ("option", "variables", "message"),
    [
        ((), {"GVC_PYTHON": "/nowhere/python"}, "the GVC engine cannot be started with /nowhere/python"),
        ((), {"GVC_PYTHON": "/bin/false"}, "/bin/false -m gvc.engine ended unexpectedly"),
        (("--gvc-prior=wan:/nowhere",), {}, "there is no folder /nowhere"),
    ],
)
def test_what_is_missing_is_named(cvlc, films, option, variables, message):
    done = cvlc("--vout=vdummy", *option, films["yuv420p"], **variables)
    assert done.returncode == 0 and message in done.stderr
