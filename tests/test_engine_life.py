# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The behaviour of libgvc when its engine dies, is stopped, does not answer, or is shared by a fork."""

import os
import signal
import socket
import sys
import threading
from contextlib import suppress

import pytest
from fake_engine import SIZE, make_engine
from libgvc import CallError, Decoder, Encoder, lib
from test_libgvc import (  # noqa: F401
    FIELDS,
    HEIGHT,
    OPTIONS,
    WIDTH,
    children,
    coded,
    decoded,
    new_child,
    new_children,
    pictures,
    same,
)

from gvc.media import Packet

KEY = Packet(b"key", 0, 1, key=True)
OTHER = Packet(b"\0", 0, 1)


def wait_for_end(process: int) -> None:
    """Wait until a child has ended, without collecting its exit status, which libgvc does."""
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)


def check_that_it_goes_on(decoder, coded, decoded, harm, said):  # noqa: F811
    """Check that after `harm` to the engine each packet gives a picture or an error until a keyframe."""
    packets = [*coded[1][2:], *coded[1]]
    shown = decoder.decode(coded[1][:2])
    harm()
    taken, errors = decoder.decode_in_spite_of_errors([*packets, None])
    assert len(shown) + len(taken) + len(errors) == len(packets) + 2
    assert {error.code for error in errors} == {lib.GVC_ERROR_ENGINE}
    assert all(said in error.sentence for error in errors), errors
    assert same(taken[-16:], decoded[8:] + decoded)


def test_a_decoder_goes_on_with_another_engine_at_the_next_keyframe(coded, decoded):  # noqa: F811
    before = children()
    with Decoder(extradata=coded[0]) as decoder:
        check_that_it_goes_on(
            decoder, coded, decoded, lambda: os.kill(new_child(before), signal.SIGKILL), "signal 9, as"
        )
    assert not new_children(before)


def test_a_seek_also_brings_another_engine(coded, decoded):  # noqa: F811
    before = children()
    with Decoder(extradata=coded[0]) as decoder:
        decoder.decode(coded[1][:2])
        engine = new_child(before)
        os.kill(engine, signal.SIGKILL)
        wait_for_end(engine)
        decoder.flush()
        assert same(decoder.decode([*coded[1], None]), decoded)


@pytest.mark.parametrize("harm", ["KILL", "STOP"])
def test_an_engine_that_is_ended_before_it_is_ready_has_a_successor(coded, decoded, tmp_path, monkeypatch, harm):  # noqa: F811
    """The system is most likely to end an engine while it loads a model."""
    chosen = tmp_path / "python"
    chosen.write_text(
        f'#!/bin/sh\nmkdir {tmp_path}/first 2> /dev/null && kill -{harm} $$\nexec {sys.executable} "$@"\n'
    )
    chosen.chmod(0o755)
    monkeypatch.setenv("GVC_PYTHON", str(chosen))
    before = children()
    with Decoder(extradata=coded[0]) as decoder:
        taken, errors = decoder.decode_in_spite_of_errors([*coded[1], *coded[1], None])
    assert len(taken) + len(errors) == 2 * len(coded[1])
    said = {"KILL": "signal 9", "STOP": "is stopped"}[harm]
    assert all(said in error.sentence for error in errors), errors
    assert same(taken[-8:], decoded[-8:])
    assert len(taken) >= len(decoded)
    assert not new_children(before)


def test_pictures_that_have_come_survive_their_engine(tmp_path, monkeypatch):
    """Pictures that were received before the engine died are returned even after the next engine has started."""
    dying = "lay_out()\nfor value in (1, 2, 3):\n    channel.receive()\n    show(value, 10 * value)\n"
    monkeypatch.setenv("GVC_PYTHON", make_engine(tmp_path, dying))
    before = children()
    with Decoder() as decoder:
        decoder.send(KEY)
        engine = new_child(before)
        for _ in range(2):
            decoder.send(OTHER)
        wait_for_end(engine)
        for _ in range(3):
            decoder.send(KEY)
        taken, _ = decoder.decode_in_spite_of_errors([None])
    assert [int(picture.planes[0][SIZE // 2, SIZE // 2]) for picture in taken] == [10, 20, 30, 10, 20, 30]


def test_an_engine_that_dies_again_and_again_is_given_up(tmp_path, monkeypatch):
    starts = tmp_path / "starts"
    dying = f"with open({str(starts)!r}, 'a') as file:\n    print('start', file=file)\nchannel.receive()\n"
    monkeypatch.setenv("GVC_PYTHON", make_engine(tmp_path, dying))
    packets = [KEY, OTHER] * 20
    with Decoder() as decoder:
        taken, errors = decoder.decode_in_spite_of_errors([*packets, None])
        assert (len(taken), len(errors)) == (0, len(packets))
        assert "is not started again" in errors[-1].sentence
        with pytest.raises(CallError, match="is not started again"):
            decoder.flush()
    assert 2 <= len(starts.read_text().split()) <= 8


def test_the_death_of_an_encoders_engine_is_final(pictures):  # noqa: F811
    before = children()
    with Encoder(WIDTH, HEIGHT, options=OPTIONS) as encoder:
        os.kill(new_child(before), signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(CallError, match="signal 9") as failure:
                encoder.encode(pictures)
            assert failure.value.code == lib.GVC_ERROR_ENGINE


def test_a_stopped_engine_is_an_error_of_an_encoder(pictures):  # noqa: F811
    before = children()
    with Encoder(WIDTH, HEIGHT, options=OPTIONS) as encoder:
        os.kill(new_child(before), signal.SIGSTOP)
        with pytest.raises(CallError, match="is stopped") as failure:
            encoder.encode(pictures)
        assert failure.value.code == lib.GVC_ERROR_ENGINE
    assert not new_children(before)


def test_a_decoder_replaces_a_stopped_engine(coded, decoded):  # noqa: F811
    before = children()
    with Decoder(extradata=coded[0], options="low_delay=1") as decoder:
        check_that_it_goes_on(decoder, coded, decoded, lambda: os.kill(new_child(before), signal.SIGSTOP), "is stopped")
    assert not new_children(before)


def test_an_engine_may_be_stopped_for_a_while(coded, pictures, decoded):  # noqa: F811
    before = children()
    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder:
        engine = new_child(before)
        os.kill(engine, signal.SIGSTOP)
        threading.Timer(2, os.kill, (engine, signal.SIGCONT)).start()
        assert encoder.encode(pictures) == coded[1]


def test_a_flush_does_not_wait_for_the_engine(tmp_path, monkeypatch):
    """A flush returns at once even if the socket is full, and decoding works afterwards."""
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    busy = f"""
        lay_out()
        channel.receive()
        show(0, 10)
        Path({str(ready)!r}).read_text()
        flushed = False
        while True:
            message, _ = channel.receive()
            if message.type == c.GVC_MSG_FLUSH:
                flushed = True
                channel.send(c.GVC_MSG_FLUSH)
            elif message.type == c.GVC_MSG_PACKET:
                show(1, 20) if flushed else channel.send(c.GVC_MSG_DONE)
    """
    monkeypatch.setenv("GVC_PYTHON", make_engine(tmp_path, busy))
    with Decoder() as decoder:
        decoder.send(KEY)
        for _ in range(messages_that_a_socket_holds()):
            decoder.send(OTHER)
        assert decoder.receive().planes[0][0, 0] == 10
        for _ in range(3):
            decoder.flush()
        ready.write_text("go on")
        decoder.send(KEY)
        while (picture := decoder.receive()) == lib.GVC_AGAIN:
            pass
        assert picture.planes[0][0, 0] == 20


def messages_that_a_socket_holds() -> int:
    ours, theirs = socket.socketpair()
    count = 0
    with ours, theirs, suppress(BlockingIOError):
        ours.setblocking(False)
        while ours.send(bytes(41)):
            count += 1
    return count


def test_signals_do_not_make_a_player_wait(tmp_path, monkeypatch):
    """A decoder waits a tenth of a second for a picture, also if a timer interrupts it."""
    monkeypatch.setenv("GVC_PYTHON", make_engine(tmp_path, "while True:\n    channel.receive()\n"))
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    with Decoder() as decoder:
        decoder.send(KEY)
        signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
        try:
            assert decoder.receive() == lib.GVC_AGAIN
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)


def in_a_fork(work) -> int:
    """Run `work` in a child process; return its exit status."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_fork_may_free_what_it_inherited(coded, decoded, pictures):  # noqa: F811
    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder, Decoder(extradata=coded[0]) as decoder:
        shown = decoder.decode(coded[1][:2])
        encoder.send(pictures[0])
        assert in_a_fork(encoder.close) == in_a_fork(decoder.close) == 0
        for picture in pictures[1:]:
            encoder.send(picture)
        encoder.send(None)
        packets = []
        while isinstance(packet := encoder.receive(), Packet):
            packets.append(packet)
        assert packets == coded[1]
        assert same(shown + decoder.decode([*coded[1][2:], None]), decoded)


def test_a_fork_cannot_code_in_the_session_of_its_parent(coded, decoded, pictures):  # noqa: F811
    def encode():
        for _ in range(2):
            with pytest.raises(CallError, match="forked process"):
                encoder.send(pictures[0])
        with pytest.raises(CallError, match="forked process"):
            encoder.receive()
        with pytest.raises(CallError, match="forked process"):
            encoder.flush()

    def decode():
        with pytest.raises(CallError, match="forked process"):
            decoder.send(coded[1][2])
        decoder.flush()  # After a seek to a keyframe the fork starts an engine of its own.
        assert same(decoder.decode([*coded[1], None]), decoded)
        decoder.close()

    with Encoder(WIDTH, HEIGHT, options=OPTIONS, **FIELDS) as encoder, Decoder(extradata=coded[0]) as decoder:
        shown = decoder.decode(coded[1][:2])
        assert in_a_fork(encode) == in_a_fork(decode) == 0
        assert encoder.encode(pictures) == coded[1]
        assert same(shown + decoder.decode([*coded[1][2:], None]), decoded)


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONPATH": "."},
        {"PYTHONHOME": "/nowhere", "PYTHONPLATLIBDIR": "nowhere"},
        {"PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2", "PYTHONINSPECT": "1", "PYTHONSTARTUP": "numpy.py"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_variables_for_another_python_do_not_reach_the_engine(tmp_path, monkeypatch, capfd, variables):
    for name in ("numpy", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('of another Python')")
    monkeypatch.chdir(tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with Encoder(WIDTH, HEIGHT) as encoder:
        assert encoder.extradata
    assert capfd.readouterr().err == ""


def test_a_script_may_set_variables_for_the_engine(tmp_path, monkeypatch):
    chosen = tmp_path / "python"
    chosen.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path} exec {sys.executable} "$@"\n')
    chosen.chmod(0o755)
    (tmp_path / "sitecustomize.py").write_text(f"open({str(tmp_path / 'seen')!r}, 'w')")
    monkeypatch.setenv("GVC_PYTHON", str(chosen))
    with Encoder(WIDTH, HEIGHT) as encoder:
        assert encoder.extradata
    assert (tmp_path / "seen").exists()
