# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The warm engine: its results for clients, and its and their behaviour when something fails."""

import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from libgvc import CallError, Decoder, Encoder, lib
from programs import ENCODE, STOCK, Programs, built, source
from test_engine_life import check_that_it_goes_on
from test_ffmpeg import test_interrupt_leaves_a_playable_file  # noqa: F401
from test_libgvc import (  # noqa: F401 - these tests hold with a warm engine as well
    FIELDS,
    FORMAT,
    HEIGHT,
    OPTIONS,
    WIDTH,
    children,
    coded,
    decoded,
    new_children,
    pictures,
    same,
    test_bad_colour,
    test_bad_decoder_options_show_with_the_first_packet,
    test_bad_encoder_options,
    test_corrupted_packets_do_not_stop_the_decoder,
    test_decodes_like_the_python_api,
    test_decodes_without_extradata,
    test_encoder_goes_on_after_flush,
    test_encodes_like_the_python_api,
    test_flush_forgets_what_is_queued,
    test_garbage_packet_without_extradata,
)
from warm import Server, own, served  # noqa: F401

import gvc
from gvc.cli.checks import _warm_engine
from gvc.encoder import Encoder as PythonEncoder
from gvc.engine import server as serving
from gvc.engine.address import Address
from gvc.media import Packet
from gvc.options import split_options
from gvc.priors.pool import PriorPool


@pytest.fixture(scope="module", autouse=True)
def runtime(tmp_path_factory):
    """Return a private folder for sockets, in which clients look for a warm engine."""
    folder = tmp_path_factory.mktemp("runtime")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.delenv("GVC_SERVE", raising=False)
        # One thread is fastest for tiny networks, and all processes must use the same number.
        patch.setenv("OMP_NUM_THREADS", "1")
        yield folder


@pytest.fixture(scope="module", autouse=True)
def server(runtime):
    """Start the warm engine that most tests share."""
    with Server(runtime, "--idle", "0") as warm:
        yield warm
        assert warm.process.poll() is None, "it died"


def test_a_client_starts_no_engine_of_its_own(monkeypatch):
    assert served()
    monkeypatch.setenv("GVC_SERVE", "0")
    assert not served()


@pytest.fixture(params=[STOCK, *built()], ids=lambda programs: programs.name)
def programs(request) -> Programs:
    request.param.require("ffmpeg")
    return request.param


def test_ffmpeg_makes_the_same_bytes_and_pictures(programs, own, tmp_path, monkeypatch):  # noqa: F811
    def code(path: Path) -> tuple[bytes, list[str]]:
        programs.ffmpeg(*source(frames=9), *ENCODE, "-fflags", "+bitexact", path)
        return path.read_bytes(), programs.hashes(path)

    with Server(own) as server:
        warm = code(tmp_path / "warm.mkv")
        server.wait_for("client 1 (ffmpeg")
        server.wait_for("client 2 (ffmpeg")
        monkeypatch.setenv("GVC_SERVE", "0")
        assert code(tmp_path / "cold.mkv") == warm


def test_several_clients_at_once(coded, decoded, pictures):  # noqa: F811
    """Four clients start before the first one continues; each gets the same as it would alone."""
    together = threading.Barrier(4)

    def encode():
        with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder:
            together.wait()
            return encoder.encode(pictures) == coded[1]

    def decode():
        with Decoder(extradata=coded[0]) as decoder:
            first = decoder.decode(coded[1][:1])
            together.wait()
            return same(first + decoder.decode([*coded[1][1:], None]), decoded)

    before = children()
    with ThreadPoolExecutor(4) as pool:
        results = [pool.submit(work) for work in (encode, decode, encode, decode)]
        assert all(result.result() for result in results)
    assert not new_children(before)


def test_a_killed_client_leaves_nothing_behind(own):  # noqa: F811
    STOCK.require("ffmpeg")
    with Server(own) as server:
        assert served()  # After this call everything that is loaded only once is loaded.
        server.wait_for("client 1 (")
        server.wait_for("left")
        files = server.open_files()
        endless = ["ffmpeg", "-v", "error", *source(frames=10**6), *ENCODE, "-f", "null", "-"]
        with subprocess.Popen(endless, env=STOCK.environment, stdin=subprocess.DEVNULL) as ffmpeg:
            server.wait_for(f"client 2 (ffmpeg, process {ffmpeg.pid}) came")
            ffmpeg.kill()
        server.wait_for("client 2 (ffmpeg")
        assert server.open_files() == files
        assert served()


def test_after_a_killed_server_clients_do_without(own, coded, decoded):  # noqa: F811
    with Server(own) as first, Decoder(extradata=coded[0]) as decoder:

        def kill():
            first.process.kill()
            first.process.wait()

        check_that_it_goes_on(decoder, coded, decoded, kill, "gvc serve) ended unexpectedly")
        decoder.close()
        assert not served()
        with Server(own):  # The old socket of the killed server is no obstacle.
            assert served()


def test_a_stopped_server_holds_nobody_up(own, coded, decoded):  # noqa: F811
    with Server(own) as server, Decoder(extradata=coded[0], options="low_delay=1") as decoder:

        def stop():
            server.process.send_signal(signal.SIGSTOP)

        check_that_it_goes_on(decoder, coded, decoded, stop, "is stopped")
        assert server.process.poll() is None, "it is not the client's to end"
        decoder.close()
        assert not served()
        server.process.send_signal(signal.SIGCONT)
        assert served()


def test_there_is_one_server_at_a_time(server, runtime):
    second = subprocess.run(
        [sys.executable, "-m", "gvc.cli", "serve"], capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 1
    assert second.stderr == f"gvc: a warm engine runs already at {server.socket}; one is enough for all programs\n"
    assert served()


def test_it_ends_when_nobody_comes(own):  # noqa: F811
    with Server(own, "--idle", 2) as server:
        with Encoder(WIDTH, HEIGHT, options=OPTIONS):
            server.wait_for("came")
        log = server.end()
    assert log.index("left") < log.index("nobody came for 2 s")
    assert not server.socket.exists()
    assert not served()


def test_shutdown_lets_clients_finish(own, coded, decoded):  # noqa: F811
    with Server(own) as server, Decoder(extradata=coded[0]) as decoder:
        shown = decoder.decode(coded[1][:2])
        server.process.terminate()
        server.wait_for("takes no new clients and ends with the last of 1")
        assert not served()
        assert same(shown + decoder.decode([*coded[1][2:], None]), decoded)
        decoder.close()
        assert "ends" in server.end()


def test_a_second_signal_tells_clients_and_ends(own, coded, decoded, pictures):  # noqa: F811
    farewell = "was stopped while in use"
    with Server(own) as server, Decoder(extradata=coded[0]) as decoder, Encoder(WIDTH, HEIGHT) as encoder:

        def end():
            server.process.send_signal(signal.SIGINT)
            server.wait_for("takes no new clients")
            server.process.send_signal(signal.SIGINT)
            server.end()

        check_that_it_goes_on(decoder, coded, decoded, end, farewell)
        for _ in range(2):  # The error is final.
            with pytest.raises(CallError, match=farewell) as failure:
                for picture in pictures:
                    encoder.send(picture)
                    encoder.receive()
            assert failure.value.code == lib.GVC_ERROR_ENGINE


def test_a_server_whose_code_was_replaced_makes_way(own, tmp_path):  # noqa: F811
    package = shutil.copytree(Path(gvc.__file__).parent, tmp_path / "gvc", ignore=shutil.ignore_patterns("__pycache__"))
    with Server(own, PYTHONPATH=str(tmp_path)) as server:
        assert served()
        (package / "loop.py").touch()
        assert not served()
        assert "installed anew" in server.end()


def test_doctor_says_whether_a_warm_engine_runs(server, own, monkeypatch, runtime):  # noqa: F811
    assert not _warm_engine().ok
    assert "none runs" in _warm_engine().found
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    assert _warm_engine().ok
    assert str(server.process.pid) in _warm_engine().found
    monkeypatch.setenv("GVC_SERVE", "0")
    assert not _warm_engine().ok
    assert "GVC_SERVE=0" in _warm_engine().found


@pytest.fixture
def wan_server(own):  # noqa: F811
    """Run a server in a thread of this process, which has imported torch; yield its log of models."""
    own.mkdir(mode=0o700)
    log = []
    server = serving.Server(Address(), PriorPool(log.append), idle=0, most=16)
    thread = threading.Thread(target=server.run)
    thread.start()
    yield log
    server.stop()
    thread.join()


def test_a_model_is_loaded_once_and_again_when_it_changes(wan_server, tmp_path, monkeypatch, pictures):  # noqa: F811
    """Two simultaneous clients share a network that both name relative to their own folders."""
    from tiny_wan import build_tiny_wan

    clip, options = pictures[:5], "mode=t2v:preset=gvcc:atoms=4:gop=5:prior=wan\\:model"
    build_tiny_wan(tmp_path / "model", "t2v")
    monkeypatch.chdir(tmp_path)
    together = threading.Barrier(2)

    def encode(_) -> list[Packet]:
        with Encoder(WIDTH, HEIGHT, options=options, **FIELDS) as encoder:
            together.wait()
            return encoder.encode(clip)

    with ThreadPoolExecutor(2) as pool:
        packets, others = pool.map(encode, range(2))
    alone = PythonEncoder(FORMAT, split_options(options))
    assert packets == others == [packet for picture in [*clip, None] for packet in alone.encode(picture)]
    with Decoder(options="prior=wan\\:model") as decoder:
        assert len(decoder.decode([*packets, None])) == len(clip)
    assert [line.split(" ")[0] for line in wan_server] == ["loaded"]
    build_tiny_wan(tmp_path / "model", "t2v", seed=1)
    with Decoder(options="prior=wan\\:model:low_delay=1") as decoder:
        decoder.send(packets[0])
        with pytest.raises(CallError, match="other weights") as failure:
            decoder.receive()
    assert failure.value.code == lib.GVC_ERROR_PRIOR
    assert "have changed" in wan_server[1]
    assert [line.split(" ")[0] for line in wan_server[2:]] == ["loaded"]
