# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""`gvc bench`, run as a user runs it, and the stopwatch behind it."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest

from gvc.bench.stopwatch import Stopwatch
from gvc.bench.untrained import TypicalPrior

SMALL = ("--size", "96x64", "--frames", "9", "--preset", "fast")


def bench(*args, code=0):
    command = [sys.executable, "-m", "gvc.cli", "bench", *map(str, args)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def figures(*args):
    return json.loads(bench(*args, "--json").stdout)


def check_sums(side, gops):
    """Check that the times of all stages, and of the network and the rest, add up to the total."""
    network, total = side["network_seconds_per_gop"], side["seconds_per_gop"]
    assert network + side["other_seconds_per_gop"] == pytest.approx(total)
    assert sum(stage["seconds"] for stage in side["stages"].values()) == pytest.approx(total * gops)
    assert sum(stage["network_seconds"] for stage in side["stages"].values()) == pytest.approx(network * gops)
    assert all(0 <= stage["network_seconds"] <= stage["seconds"] for stage in side["stages"].values())
    assert side["network_share"] == pytest.approx(network / total)
    assert side["over_network"] == pytest.approx(total / network - 1)
    assert side["peak_rss_bytes"] > 30e6 and side["startup_seconds"] > 0 and side["load_seconds"] >= 0


def test_the_bundled_prior():
    result = figures(*SMALL, "--gops", 2)
    assert (result["prior"], result["mode"], result["width"], result["height"]) == ("gp/4", "flf2v", 96, 64)
    assert (result["frames"], result["gops"]) == (9, 2)
    assert result["encode"]["pictures"] == result["decode"]["pictures"] == 9 + 8
    for name in ("encode", "decode"):
        side = result[name]
        check_sums(side, result["gops"])
        assert side["network_is"] == "prior"
        assert side["stages"]["conditioning"]["calls"] == 2
        assert side["stages"]["analysis"]["calls"] == 0 or name == "encode"
    decode = result["decode"]["stages"]
    # The prior is called once for each coded step and at the end of each GOP; noise sources also count their end.
    assert decode["velocity"]["calls"] == decode["atoms"]["calls"]
    assert decode["stills"]["calls"] == 3 and decode["latent_encode"]["calls"] == 0
    assert any("too short" in sentence for sentence in result["warnings"])


def test_what_people_read():
    text = bench(*SMALL, "--mode", "t2v", "--frames", 7).stdout
    assert "gp/4, t2v" in text and "1 GOP of 5 pictures of 96x64" in text
    for line in ("everything else", "network's share", "peak of main memory", "network steps", "atoms and noise"):
        assert line in text


def test_a_model_with_a_network(tmp_path):
    tiny_wan = pytest.importorskip("tiny_wan")
    tiny_wan.build_tiny_wan(tmp_path, "t2v")
    result = figures(*SMALL, "--prior", f"wan:{tmp_path}", "--preset", "gvcc", "--atoms", 4, "--lowres_steps", 8)
    assert (result["prior"], result["mode"], result["transition"]) == ("wan/t2v", "t2v", "sde")
    for name in ("encode", "decode"):
        side = result[name]
        check_sums(side, 1)
        assert side["network_is"] == "modules" and side["peak_device_bytes"] is None
        velocity, low = side["stages"]["velocity"], side["stages"]["lowres_velocity"]
        assert velocity["calls"] == velocity["network_calls"] == side["calls_per_gop"] == 12
        assert low["calls"] == low["network_calls"] == side["lowres_calls_per_gop"] == 8
        assert velocity["network_seconds"] > 0.5 * velocity["seconds"]
        assert side["stages"]["atoms"]["network_seconds"] == side["stages"]["stills"]["seconds"] == 0
    assert result["encode"]["stages"]["latent_encode"]["network_seconds"] > 0
    assert result["decode"]["stages"]["latent_decode"]["network_seconds"] > 0


def test_a_file_scaled_to_another_size(tmp_path):
    av = pytest.importorskip("av")
    path = tmp_path / "source.mkv"
    with av.open(str(path), "w") as output:
        track = output.add_stream("ffv1", rate=25, width=130, height=70, pix_fmt="yuv420p")
        for index in range(5):
            frame = av.VideoFrame(130, 70, "yuv420p")
            frame.pts = index
            output.mux(track.encode(frame))
        output.mux(track.encode(None))
    result = figures("--input", path, "--frames", 5, "--size", "65x33", "--mode", "i2v")
    assert (result["width"], result["height"], result["encode"]["pictures"]) == (65, 33, 5)
    assert "has only 5 of the 9 pictures" in bench("--input", path, "--frames", 9, code=3).stderr


@pytest.mark.parametrize(
    ("args", "code", "what"),
    [
        (("--size", "416"), 2, "write WIDTHxHEIGHT"),
        (("--size", "0x240"), 2, "write WIDTHxHEIGHT"),
        (("--frames", "0"), 2, "frames"),
        (("--gops", "0"), 2, "gops"),
        (("--mode", "v2v"), 2, "v2v"),
        (("--random", "wan/t2v-1.3b", "--prior", "gp"), 2, "leave out"),
        (("--random", "gp"), 2, "wan/t2v-1.3b"),
        (("--prior", "auto"), 2, "depends on the machine"),
        (("--prior", "wan:/nowhere"), 4, "/nowhere"),
        (("--input", "/nowhere.mkv"), 3, "/nowhere.mkv"),
    ],
)
def test_wrong_usage_is_explained(args, code, what):
    assert what in bench(*args, code=code).stderr


def test_the_stopwatch_books_on_the_innermost_stage():
    def work(seconds):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass

    stopwatch = Stopwatch(("outer", "inner", "idle"))
    with stopwatch.network():  # Outside of all stages nothing is recorded.
        work(0.01)
    started = time.perf_counter()
    with stopwatch.stage("outer"):
        work(0.01)
        with stopwatch.stage("inner"), stopwatch.network():
            work(0.03)
        with stopwatch.network():
            work(0.02)
    total = time.perf_counter() - started
    outer, inner, idle = (stopwatch.results[name] for name in ("outer", "inner", "idle"))
    assert (outer.calls, inner.calls, idle.calls, outer.network_calls, inner.network_calls) == (1, 1, 0, 1, 1)
    assert outer.seconds >= 0.03 and inner.seconds >= 0.03 and idle.seconds == 0
    assert outer.seconds + inner.seconds <= total
    assert 0.02 <= outer.network_seconds <= outer.seconds - 0.01
    assert inner.network_seconds <= inner.seconds


def test_latents_of_random_weights_have_the_variance_of_trained_ones():
    class Untrained:
        """A prior whose latents are almost zero."""

        def condition(self, condition, side):
            return self

        def encode_latent(self, clip):
            return np.full(8, 0.01, np.float32) * clip

    latent = TypicalPrior(Untrained()).condition(None, b"").encode_latent(np.float32([1, -1] * 4))
    assert latent == pytest.approx(np.float32([1, -1] * 4))
