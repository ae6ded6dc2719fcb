# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""ffplay and mpv: they play and seek, and an engine that hangs does not hold up their windows."""

import os
import re
import select
import signal
import subprocess
import sys

import numpy as np
import pytest
from players import PATIENCE, Mpv, WithLibraries, poll
from programs import ENCODE, HEIGHT, RATE, STOCK, TICKS, WIDTH, built, source
from test_libgvc import children_of

FRAMES = 90
KEYS = (0, 18, 36, 54, 72)


def name(programs) -> str:
    return programs.name


@pytest.fixture(scope="module", params=[STOCK, *built()], ids=name)
def ffplay(request):
    """Return programs that include ffplay, without a screen and speakers."""
    request.param.require("ffmpeg", "ffplay")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDL_VIDEODRIVER", "dummy")
        patch.setenv("SDL_AUDIODRIVER", "dummy")
        yield request.param


@pytest.fixture(scope="module", params=[STOCK, *(WithLibraries(route.prefix) for route in built())], ids=name)
def mpv(request):
    """Return programs that include mpv."""
    request.param.require("mpv")
    return request.param


@pytest.fixture(scope="module")
def movie(tmp_path_factory):
    STOCK.require("ffmpeg", "ffprobe")
    path = tmp_path_factory.mktemp("players") / "movie.mkv"
    STOCK.ffmpeg(*source(frames=FRAMES), *ENCODE, path)
    assert [i for i, packet in enumerate(STOCK.packets(path)) if "K" in packet["flags"]] == list(KEYS)
    return path


@pytest.fixture(scope="module")
def pictures(movie):
    """Return the luma of the film's pictures."""
    command = ("-v", "error", "-i", movie, "-f", "rawvideo", "-pix_fmt", "gray", "-")
    return np.frombuffer(STOCK.run("ffmpeg", *command, text=False).stdout, np.uint8).reshape(FRAMES, HEIGHT, WIDTH)


# ffplay


def shown(log: str) -> list[tuple[int, str]]:
    """Return the timestamps and checksums of pictures in the output of FFmpeg's filter showinfo."""
    return [(int(pts), checksum) for pts, checksum in re.findall(r"pts: *(\d+) .*? checksum:(\w+)", log)]


@pytest.fixture(scope="module")
def linear(ffplay, movie):
    """Return the result of `shown` for the whole film, played without a seek."""
    options = ("-vf", "showinfo", "-fps_mode", "passthrough", "-f", "null", "-")
    done = ffplay.run("ffmpeg", "-nostdin", "-i", movie, *options, check=False)
    if "No such filter" in done.stderr:
        pytest.skip("this FFmpeg was built without the filter showinfo; build it again by make ffmpeg")
    assert len(shown(done.stderr)) == FRAMES
    return shown(done.stderr)


FFPLAY = ("-hide_banner", "-autoexit", "-noframedrop", "-vf", "showinfo")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), range(FRAMES)),
        (("-ss", "1.6"), range(36, FRAMES)),
        (("-ss", "2.9", "-loop", "2"), [*range(72, FRAMES)] * 2),
    ],
)
def test_ffplay_shows_every_picture(ffplay, movie, linear, arguments, expected):
    log = ffplay.run("ffplay", *FFPLAY, *arguments, movie).stderr
    assert shown(log) == [linear[i] for i in expected]


def read_until(process: subprocess.Popen, pattern: str, times: int = 1) -> None:
    """Read the output of a process until a pattern has occurred a number of times."""
    text = ""
    while len(re.findall(pattern, text)) < times:
        assert select.select([process.stderr], [], [], PATIENCE)[0], "it says nothing any more"
        text += os.read(process.stderr.fileno(), 4096).decode()


def test_ffplay_goes_on_while_the_engine_hangs(ffplay, movie):
    """ffplay's main thread, which also handles the keyboard, keeps printing the time, and ffplay can be ended."""
    command = [ffplay.path("ffplay"), "-hide_banner", "-autoexit", "-loop", "0", movie]
    with subprocess.Popen(command, env=ffplay.environment, stderr=subprocess.PIPE) as process:
        read_until(process, r"\d M-V:", 5)
        (engine,) = children_of(process.pid)
        os.kill(engine, signal.SIGSTOP)
        read_until(process, r"\d M-V:", 100)
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        os.kill(engine, signal.SIGCONT)
    poll(lambda: not os.path.exists(f"/proc/{engine}"))


# mpv


@pytest.fixture
def player(mpv, movie, tmp_path):
    with Mpv(mpv, movie, tmp_path) as running:
        yield running


@pytest.fixture
def index(player, pictures, tmp_path):
    """Return a function that returns the number of the shown picture, checked by content and by time."""

    def look() -> int:
        errors = np.abs(pictures.astype(int) - player.shot(tmp_path / "shot.png")).mean((1, 2))
        best = int(errors.argmin())
        assert player.ask("get_property", "time-pos") == pytest.approx(best * TICKS / 1000)
        return best

    return look


def test_mpv_seeks_exactly(player, index):
    assert index() == 0
    for target in (50, 25, 71, 72, 3):
        player.do("seek", target / RATE, "absolute+exact")
        assert index() == target
    player.do("seek", -2 / RATE, "relative+exact")
    assert index() == 1


def test_mpv_seeks_to_keyframes(player, index):
    for target, key in ((60, 54), (40, 36), (89, 72), (0, 0)):
        player.do("seek", target / RATE, "absolute+keyframes")
        assert index() == key


def test_mpv_steps_forth_and_back(player, index):
    player.do("seek", 1.4, "absolute+exact")
    steps = [(1, "frame-step"), (1, "frame-step"), (-1, "frame-back-step"), (-1, "frame-back-step")]
    at = index()
    for step, command in steps:
        player.step(command)
        at += step
        assert index() == at


def test_mpv_plays_to_the_end_and_again(player, index):
    player.ask("set_property", "loop-file", 1)
    player.do("seek", 3.0, "absolute+exact")
    player.do("set_property", "pause", False)  # Waits until playing has started again.
    player.ask("observe_property", 1, "eof-reached")
    poll(lambda: player.ask("get_property", "eof-reached"))
    assert index() == FRAMES - 1
    assert player.ask("get_property", "decoder-frame-drop-count") == 0


@pytest.mark.parametrize("options", [(), ("--vd-queue-enable=yes",)])
def test_mpv_answers_while_the_engine_hangs(mpv, movie, tmp_path, options):
    """Playing, seeking and quitting do not wait for the engine, which never answers."""
    with Mpv(mpv, movie, tmp_path, "--loop-file=inf", *options) as player:
        player.ask("set_property", "pause", False)
        poll(lambda: player.ask("get_property", "time-pos") > 0.2)
        engine = player.engine
        os.kill(engine, signal.SIGSTOP)
        for target in (2.0, 0.5, 3.0):
            for _ in range(10):
                player.ask("get_property", "pause")
            player.ask("seek", target, "absolute+exact")
        player.ask("quit")
        player.process.wait(PATIENCE)
    poll(lambda: not os.path.exists(f"/proc/{engine}"))


@pytest.mark.parametrize(("own", "setting"), [((), "yes"), (("--vd-queue-enable=no",), "no")])
def test_gvc_mpv_decodes_in_a_thread_unless_told_not_to(movie, own, setting):
    STOCK.require("mpv")
    say = "--term-playing-msg=queue=${options/vd-queue-enable}"
    options = ("--no-config", "--vo=null", "--ao=null", "--frames=1", say)
    command = [sys.executable, "-m", "gvc.cli", "mpv", *options, *own, movie]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert f"queue={setting}\n" in done.stdout
