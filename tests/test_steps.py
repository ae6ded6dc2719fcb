# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Observers of the loop's steps, listeners of its stages, and the progress that users see."""

import io
import itertools
import json
import queue
import re
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from clips import moving_clip, video_format
from test_cli import clip
from test_loop import HEADER, SDE, Gaussian, search, unit_of
from typer.testing import CliRunner

from gvc.ahead import AheadDecoder
from gvc.bitstream import read_packet
from gvc.cli.app import app
from gvc.cli.decode import decode
from gvc.cli.encode import encode
from gvc.cli.report import Report, Shown, reported
from gvc.decoder import Decoder
from gvc.encoder import Encoder
from gvc.gop.rule import rule_of
from gvc.loop.denoise import denoise, estimate
from gvc.loop.noise import ReplayNoise
from gvc.loop.search import SearchNoise
from gvc.machine import parallel
from gvc.machine.stages import listening, stage

# Observers of steps


class Seen(list):
    """An observer that records its arguments (step, t, s, x0_hat)."""

    def __call__(self, step, t, s, x0_hat):
        self.append((step, t, s, np.array(x0_hat)))


@pytest.mark.parametrize("header", [HEADER, SDE, replace(SDE, x0_cache=1)], ids=["ancestral", "sde", "x0_cache"])
def test_the_loop_tells_of_each_step(header):
    prior = Gaussian()
    coded = search(prior, prior.sample(), header=header, fixed=4 if header.transition == "sde" else None)
    rule = rule_of(header, unit_of(header, 0, coded.noise.stop))
    seen = Seen()
    with ReplayNoise(prior, header, 0, coded.atoms, rule.noisy) as noise:
        first = noise.initial()
        x, t = denoise(prior, rule, noise, seen)
    steps, befores, afters, estimates = zip(*seen, strict=True)
    assert list(steps) == list(range(len(rule.times)))
    assert list(befores) == [1.0, *rule.times[:-1]] and list(afters) == rule.times and afters[-1] == t
    assert np.array_equal(estimates[0], estimate(prior, first, 1.0))
    # With the cache the second step reuses the estimate.
    assert np.array_equal(estimates[1], estimates[0]) == header.x0_cache
    assert np.array_equal(x, coded.x)  # An observer does not change the result.


def test_an_observer_is_told_where_a_budget_ends_a_step():
    prior, seen = Gaussian(), Seen()
    x0 = prior.sample()
    levels = list(range(500, 200, -16))
    with SearchNoise(prior, HEADER, 0, x0, levels, budget=search(prior, x0, 300).noise.bits / 2) as noise:
        _, t = denoise(prior, rule_of(HEADER, unit_of(HEADER, 0, 200)), noise, seen)
    assert noise.exhausted and len(seen) < len(levels) and seen[-1][2] == t


def coded_clip(**options):
    """Encode 17 pictures; return the encoder, its packets, and an observer's record [(GOP, steps, step), ...]."""
    pictures, seen = moving_clip(17, 32, 24), []
    told = {"mode": "i2v", "preset": "fast", "gop": 9, **options}
    encoder = Encoder(video_format(pictures), told, on_step=lambda step, *_: seen.append((*encoder.gop, step)))
    return encoder, [packet for picture in [*pictures, None] for packet in encoder.encode(picture)], seen


@pytest.mark.parametrize("transition", ["ancestral", "sde"])
def test_both_sides_say_which_step_of_which_gop_it_is(transition):
    encoder, packets, coded = coded_clip(transition=transition)
    units = [unit for packet in packets if (unit := read_packet(packet.data))]
    lengths = [len(rule_of(encoder.header, unit).times) for unit in units]
    assert len(units) == 2
    assert coded == [(gop, steps, i) for gop, steps in enumerate(lengths, 1) for i in range(steps)]

    plain, ahead = [], []
    decoder = Decoder(encoder.extradata, on_step=lambda step, *_: plain.append((*decoder.gop, step)))
    for packet in packets:
        decoder.decode(packet)
    other = AheadDecoder(encoder.extradata, on_step=lambda step, *_: ahead.append((*other.gop, step)))
    for packet in [*packets, None]:
        other.put(packet)
    assert len(list(other.answers())) > len(packets)
    other.close()
    assert plain == ahead == coded


def test_gops_in_several_threads_are_told_apart(monkeypatch):
    monkeypatch.setattr(parallel, "PROCESSORS", 4)
    encoder, packets, coded = coded_clip(mode="flf2v", gop=5)
    units = [unit for packet in packets if (unit := read_packet(packet.data))]
    lengths = [len(rule_of(encoder.header, unit).times) for unit in units]
    decoded = []
    decoder = AheadDecoder(encoder.extradata, on_step=lambda step, *_: decoded.append((*decoder.gop, step)))
    for packet in [*packets, None]:
        decoder.put(packet)
    list(decoder.answers())
    decoder.close()
    assert len(set(lengths)) > 1
    assert sorted(coded) == sorted(decoded)
    assert sorted(decoded) == [(gop, steps, i) for gop, steps in enumerate(lengths, 1) for i in range(steps)]


# Listeners of stages


def test_a_listener_hears_the_stages_of_its_own_thread():
    heard = []

    @contextmanager
    def listener(name):
        heard.append(f"{name} begins")
        yield
        heard.append(f"{name} ends")

    @stage("inner")
    def work():
        return 5

    with stage("before"):
        pass
    with listening(listener):
        with stage("outer"):
            assert work() == 5
        other = threading.Thread(target=work)
        other.start()
        other.join()
    work()
    assert heard == ["outer begins", "inner begins", "inner ends", "outer ends"]


def test_the_stages_of_a_gop():
    heard = []

    @contextmanager
    def listener(name):
        heard.append(name)
        yield

    with listening(listener):
        encoder, packets, steps = coded_clip(transition="sde")
        of_encoder, heard = heard, []
        decoder = Decoder(encoder.extradata)
        for packet in packets:
            decoder.decode(packet)
    noisy = sum(step < 17 for _, _, step in steps)  # The last three of the paper's steps have no noise.
    for found in (of_encoder, heard):
        # Each GOP ends with one more call.
        assert (found.count("initial_noise"), found.count("atoms")) == (2, noisy + 2)
    assert heard.count("stills") == 1


# Progress


class Terminal(io.StringIO):
    def isatty(self):
        return True


def plain(text):
    """Text without what only controls the terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return clip(tmp_path_factory.mktemp("film") / "film.mkv", frames=10, size=(64, 48))


def run(film, report):
    """Encode and decode the film, which consists of three GOPs."""
    coded, shown = film.with_name("coded.mkv"), film.with_name("shown.mkv")
    options = {"preset": "gvcc", "mode": "i2v", "gop": 5, "atoms": 4}
    encode(str(film), coded, options, report, overwrite=True, audio=False, verify=False)
    decode(coded, shown, {}, report, overwrite=True, audio=False)


def test_slow_models_are_seen_to_work(film, capsys):
    run(film, Report(clock=itertools.count(0, 6).__next__))  # Time advances by six seconds with each event.
    text = capsys.readouterr().err
    for verb in ("encoding", "decoding"):
        steps = [f"GOP {gop}, step {step} of 20" for gop in (1, 2, 3) for step in range(1, 21)]
        assert re.findall(rf"{verb}: \d+ of 10 frames, (.*)", text) == steps


def test_fast_models_are_not(film, capsys):
    run(film, Report(clock=lambda: 0.0))
    said = capsys.readouterr().err
    assert "GOP" not in said and len(said.splitlines()) == 2  # One line of summary for each command.


def test_quiet_is_quiet(film, capsys):
    run(film, Report(quiet=True, clock=itertools.count(0, 6).__next__))
    assert not capsys.readouterr().err


def test_lines_have_a_pause_between_them(capsys):
    now = 0.0
    report = Report(clock=lambda: now)

    def batches():
        nonlocal now
        for step in range(13):
            report.step(1, 40, step)
            now += 2
        yield ["picture"] * 3
        now += 5
        yield ["picture"]

    assert len(list(report.progress(batches(), "code"))) == 4
    report.step(2, 40, 0)  # No progress is shown any more.
    assert capsys.readouterr().err.splitlines() == [
        "encoding: 0 frames, GOP 1, step 4 of 40",
        "encoding: 0 frames, GOP 1, step 7 of 40",
        "encoding: 0 frames, GOP 1, step 10 of 40",
        "encoding: 0 frames, GOP 1, step 13 of 40",
        "encoding: 4 frames",
    ]


def test_a_terminal_shows_a_step_until_frames_come(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    report = Report(clock=itertools.count(0, 2).__next__)

    def batches():
        report.step(3, 40, 11)
        yield ["picture"] * 9
        yield ["picture"]

    assert len(list(report.progress(batches(), "code", 1000))) == 10
    shown = [line.rstrip() for line in re.split(r"[\r\n]+", plain(terminal.getvalue())) if "frames" in line]
    assert re.fullmatch(r"encoding ━+ +0/1000 frames, 0.0/s, -:--:-- GOP 3, step 12 of 40", shown[1])
    assert "10/1000 frames" in shown[-1] and "step" not in shown[-1]


def test_a_terminal_shows_chains_that_are_coded_at_a_time(monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    report = Report(clock=itertools.count(0, 2).__next__)
    with report.stage("code", 1000, 17):
        report.chain_done(0, 500, 4000, earlier=True)
        report.chain_step(2, 1, 50, 11)
        report.chain_step(1, 3, 40, 0)
        report.chain_step(3, 7, 30, 0)
        seen = len(terminal.getvalue())
        report.chain_done(2, 100, 900)
        report.chain_failed(3)
    before, after = (plain(text) for text in (terminal.getvalue()[:seen], terminal.getvalue()[seen:]))
    assert re.search(r"500/1000 frames, 0.0/s, -:--:--, 1 of 17 chains", before)
    assert "chain 3: GOP 7" in before and "chain 3: GOP 7" not in after
    assert "chain 1: GOP 3, step 1 of 40" in before and "chain 2: GOP 1, step 12 of 50" in before
    assert re.search(r"600/1000 frames, [\d.]+/s, 0:\d\d:\d\d, 2 of 17 chains", after)
    assert "chain 1:" in after and "chain 2:" not in after


def objects(text):
    """The objects of --progress json; each line is one."""
    return [json.loads(line) for line in text.splitlines()]


def test_programs_read_progress(film, capsys):
    run(film, Report(shown=Shown.JSON))
    found = objects(capsys.readouterr().err)
    summaries = [told for told in found if told["type"] == "summary"]
    assert [told["pictures"] for told in summaries] == [10, 10] and summaries[0]["bytes"] > 0
    for name in ("code", "decode"):
        first, *_, last = [told for told in found if told.get("stage") == name]
        keys = {"type", "stage", "chain", "chains", "chains_done", "gop", "step", "steps"}
        assert first.keys() == last.keys() == keys | {"pictures", "total", "pictures_per_second", "eta", "bytes"}
        assert (first["pictures"], first["total"], first["eta"]) == (0, 10, None)
        assert (last["pictures"], last["total"], last["eta"]) == (10, 10, 0)
        assert last["pictures_per_second"] > 0
        assert last["bytes"] == (summaries[0]["bytes"] if name == "code" else None)


def test_programs_read_the_progress_of_chains(capsys):
    now = 0.0
    report = Report(clock=lambda: now, shown=Shown.JSON)
    started = time.monotonic()
    with report.stage("code"):
        report.expect(1000, 5)
        report.chain_done(0, 400, 90, earlier=True)
        now = 10.0
        report.chain_done(1, 100, 30)
        for step in range(2000):
            report.chain_step(2, 1, 2000, step)
        now = 20.0
    took = time.monotonic() - started
    found = objects(capsys.readouterr().err)
    assert 2 <= len(found) <= 3 + 10 * took  # A program need not read each step.
    assert found[-1] == {
        "type": "progress",
        "stage": "code",
        "chain": 2,
        "chains": 5,
        "chains_done": 2,
        "gop": 1,
        "step": 2000,
        "steps": 2000,
        "pictures": 500,
        "total": 1000,
        "pictures_per_second": 10,
        "eta": 40,
        "bytes": 120,
    }


def test_programs_read_a_change_that_nothing_follows(monkeypatch):
    class Told(io.StringIO):
        def flush(self):
            flushed.put(self.getvalue())

    flushed = queue.Queue()
    monkeypatch.setattr(sys, "stderr", Told())
    report = Report(shown=Shown.JSON)
    with report.stage("decode"):
        report.step(1, 40, 0)
        flushed.get(timeout=60)
        assert objects(flushed.get(timeout=60))[-1]["step"] == 1  # The stage is still under way.


def test_programs_read_messages(film, capsys):
    report = Report(shown=Shown.JSON)
    report.warn("one\ntwo\x1b")
    report.say("three")
    assert objects(capsys.readouterr().err) == [
        {"type": "warning", "text": r"one\ntwo\x1b"},
        {"type": "message", "text": "three"},
    ]
    Report(shown=Shown.NONE).say("three")
    run(film, Report(shown=Shown.NONE, clock=itertools.count(0, 6).__next__))
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "three" and len(said) == 3  # One line of summary for each command.


def test_programs_read_what_libraries_print(capsys):
    @reported
    def command(progress):
        print("half a", end="", file=sys.stderr)
        Report(shown=progress).warn("wrong")
        print(" line\r 10 %\r\nlast", end="", file=sys.stderr)

    command(progress=Shown.JSON)
    found = [(told["type"], told["text"]) for told in objects(capsys.readouterr().err)]
    assert found == [("warning", "wrong"), ("message", "half a line"), ("message", " 10 %"), ("message", "last")]


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (("decode", "none.mkv", "out.mkv"), 3, "none.mkv cannot be read"),
        (("decode", "none.mkv", "out.mkv", "--threads", "x"), 2, "threads='x'"),
        (("decode", "none.mkv", "out.mkv", "--nothing"), 2, "--nothing"),
    ],
)
def test_programs_read_errors(arguments, code, text):
    done = CliRunner().invoke(app, [*arguments, "--progress", "json"])
    [told] = objects(done.stderr)
    assert done.exit_code == code == told["code"]
    assert told["type"] == "error" and text in told["text"]
