# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding ahead: the same pictures and errors as without, earlier work, no stale pictures, bounded memory."""

import os
import signal
import threading
from dataclasses import replace

import pytest
from clips import decode, encode, facts, moving_clip, same
from libgvc import Decoder as LibraryDecoder
from libgvc import lib
from make_golden import FOLDER, read_stream
from test_libgvc import children, new_child, new_children

from gvc.ahead import AheadDecoder, Answer
from gvc.bitstream import is_show, read_packet, write_gop
from gvc.decoder import Decoder
from gvc.errors import GvcError
from gvc.machine import parallel
from gvc.media import Packet, Picture
from gvc.priors import open_prior

FRAMES, GOPS = 21, (0, 5, 9, 13, 17)  # number of pictures, and first picture of each GOP
PATIENCE = 120  # seconds after which a test gives up
LOW_DELAY = pytest.mark.parametrize("low_delay", [0, 1])
THREADS = pytest.mark.parametrize("threads", [1, 4])


@pytest.fixture(autouse=True)
def four_processors(monkeypatch):
    monkeypatch.setattr(parallel, "PROCESSORS", 4)


@pytest.fixture(scope="module")
def stream():
    """Extradata, packets and pictures of five GOPs in a chain, then the same once more."""
    extradata, packets, pictures = encode(moving_clip(FRAMES, 32, 24), gop=5, preset="fast")
    assert [i for i, packet in enumerate(packets) if len(packet.data) > 1] == list(GOPS)
    again = [replace(packet, pts=packet.pts + FRAMES) for packet in packets]
    return extradata, packets + again, pictures + [replace(picture, pts=picture.pts + FRAMES) for picture in pictures]


class Gate:
    """Opens the bundled prior, and lets each of its GOPs wait until a test admits it.

    started: number of GOPs that wait or have waited.
    finished: number of GOPs that have been decoded to pictures.
    """

    def __init__(self):
        self.started = self.finished = 0
        self._passes = threading.Semaphore(0)
        self._came = threading.Condition()

    def open_prior(self, spec, options):
        prior = open_prior(spec, options)
        condition = prior.condition

        def wait(*args):
            with self._came:
                self.started += 1
                self._came.notify_all()
            assert self._passes.acquire(timeout=PATIENCE)
            conditioned = condition(*args)
            decode_latent = conditioned.decode_latent
            conditioned.decode_latent = lambda *given: self._finish(decode_latent(*given))
            return conditioned

        prior.condition = wait
        return prior

    def _finish(self, clip):
        self.finished += 1
        return clip

    def let(self, count: int) -> None:
        """Admit `count` further GOPs."""
        self._passes.release(count)

    def wait_for(self, count: int) -> None:
        """Wait until `count` GOPs have started."""
        with self._came:
            assert self._came.wait_for(lambda: self.started >= count, PATIENCE)


class Ahead(AheadDecoder):
    """An AheadDecoder that a `with` statement closes."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def decode(self, packets) -> list[Answer]:
        """Send packets (None at the end) one after another, and return all answers."""
        answers = []
        for packet in packets:
            self.put(packet)
            answers += self.answers()
        return answers


def pictures_of(answers: list[Answer]) -> list[Picture]:
    return [picture for answer in answers for picture in answer.pictures]


def outline(picture: Picture) -> tuple:
    """Return the facts of a picture; without its samples if it is concealed, for which later packets may be used."""
    return facts(picture)[:3] if picture.concealed else facts(picture)


def story(answers: list[Answer], tell=facts) -> list:
    """Return pictures and errors in their order, in a form that can be compared."""
    told = []
    for answer in answers:
        told += [str(answer.error)] if answer.error else []
        told += map(tell, answer.pictures)
    return told


def story_of_decoder(extradata, packets, tell=facts) -> list:
    decoder, told = Decoder(extradata), []
    for packet in packets:
        try:
            pictures = decoder.decode(packet)
            told += [str(picture.error) for picture in pictures if picture.error]
            told += map(tell, pictures)
        except GvcError as error:
            told.append(str(error))
    return told


@LOW_DELAY
@THREADS
@pytest.mark.parametrize("options", [{}, {"mode": "i2v"}, {"mode": "t2v", "overlap": 2}, {"keyint": 5}])
def test_the_same_pictures_as_without(options, threads, low_delay):
    extradata, packets, pictures = encode(moving_clip(13, 32, 24), gop=5, preset="fast", **options)
    with Ahead(extradata, {"low_delay": low_delay, "threads": threads}) as decoder:
        assert same(pictures_of(decoder.decode([*packets, None])), pictures)


def with_damaged_atoms(data: bytes) -> bytes:
    """Return a GOP's packet that reads well, whose loop fails."""
    unit = read_packet(data)
    return write_gop(replace(unit, atoms=unit.atoms[: len(unit.atoms) // 2]))


@LOW_DELAY
@THREADS
def test_errors_and_what_hides_them_come_in_their_places(stream, threads, low_delay):
    extradata, packets, _ = stream
    damaged = list(packets)
    for index in (5, FRAMES + 17):  # a GOP in the middle, and the last one
        damaged[index] = replace(packets[index], data=packets[index].data[:-4] + b"oops")
    damaged[1:1] = [Packet(b"rubbish", 77)]
    tell = facts if low_delay else outline
    expected = story_of_decoder(extradata, damaged, tell)
    assert sum(isinstance(thing, str) for thing in expected) == 3
    with Ahead(extradata, {"low_delay": low_delay, "threads": threads}) as decoder:
        assert story(decoder.decode([*damaged, None]), tell) == expected


@THREADS
def test_a_gop_whose_loop_fails_costs_itself(stream, threads):
    """The GOPs after it need nothing of it but its still."""
    extradata, packets, pictures = stream
    packets = [replace(packets[0]), *packets[1:]]
    packets[5] = replace(packets[5], data=with_damaged_atoms(packets[5].data))
    with Ahead(extradata, {"threads": threads}) as decoder:
        answers = decoder.decode([*packets, None])
    assert [answer.number for answer in answers if answer.error] == [5]
    shown = {picture.pts: picture for picture in pictures_of(answers)}
    assert {pts for pts, picture in shown.items() if picture.concealed} == {5, 6, 7, 8}
    assert same([shown[p.pts] for p in pictures if p.pts not in range(5, 9)], pictures[:5] + pictures[9:])
    assert story(answers) == story_of_decoder(extradata, packets)


def test_with_low_delay_each_picture_comes_with_its_packet(stream):
    extradata, packets, pictures = stream
    with Ahead(extradata, {"low_delay": 1}) as decoder:
        for packet, picture in zip(packets, pictures, strict=True):
            assert same(pictures_of(decoder.decode([packet])), [picture])
        assert decoder.decode([None]) == [Answer([], to_packet=False, last=True)]


def test_a_gop_is_decoded_while_the_one_before_is_shown(stream):
    """While the second GOP waits, the pictures of the first one are returned, one for each packet."""
    extradata, packets, pictures = stream
    gate = Gate()
    with Ahead(extradata, {"threads": 1}, opener=gate.open_prior) as decoder:
        assert pictures_of(decoder.decode(packets[:5])) == []
        decoder.put(packets[5])
        assert decoder.answer() is None, "this packet waits for the first picture"
        gate.let(1)
        assert same(pictures_of(decoder.answers()), pictures[:1])
        gate.wait_for(2)
        assert same(pictures_of(decoder.decode(packets[6:9])), pictures[1:4])
        gate.let(99)
        assert same(pictures_of(decoder.decode([*packets[9:], None])), pictures[4:])


def test_pictures_need_not_wait_for_the_next_gop(stream):
    """A decoded picture is returned with the next packet, also if that packet starts another GOP."""
    extradata, packets, pictures = stream
    gate, decoded = Gate(), threading.Semaphore(0)
    with Ahead(extradata, opener=gate.open_prior, notify=decoded.release) as decoder:
        assert pictures_of(decoder.decode(packets[:2])) == []
        gate.let(1)
        assert all(decoded.acquire(timeout=PATIENCE) for _ in range(2))
        assert same(pictures_of(decoder.decode(packets[2:4])), pictures[:2])


@pytest.mark.parametrize(("threads", "samples", "ahead"), [(1, 2**26, 1), (2, 2**26, 2), (2, 0, 1)])
def test_the_pictures_of_few_gops_are_kept(stream, monkeypatch, threads, samples, ahead):
    monkeypatch.setattr("gvc.ahead.AHEAD_SAMPLES", samples)
    extradata, packets, pictures = stream
    gate = Gate()
    with Ahead(extradata, {"threads": threads}, opener=gate.open_prior) as decoder:
        gate.let(99)
        for packet in [*packets, None]:
            decoder.put(packet)
        taken, answers = [], decoder.answers()
        for shown, start in enumerate(GOPS):
            while len(taken) <= start:
                taken += next(answers).pictures
            gate.wait_for(shown + 1 + ahead)
            assert gate.started == shown + 1 + ahead
        assert decoder.waiting > 0
        assert same(taken + pictures_of(answers), pictures)
        assert decoder.waiting == 0


def test_after_a_seek_nothing_old_comes_and_what_is_under_way_is_given_up(stream):
    extradata, packets, pictures = stream
    gate = Gate()
    with Ahead(extradata, {"threads": 1}, opener=gate.open_prior) as decoder:
        gate.let(1)
        decoder.decode(packets[:6])
        gate.wait_for(2)
        decoder.flush()
        assert decoder.answer() is None
        assert decoder.waiting == 0
        gate.let(99)
        answers = decoder.decode([*packets[FRAMES:], None])
        assert same(pictures_of(answers), pictures[FRAMES:])
        assert gate.started == 1 + 1 + len(GOPS)
        assert gate.finished == 1 + len(GOPS), "the second GOP was of no use any more"


@pytest.mark.parametrize("version", ["gp1", "gp2", "gp3"])
def test_a_seek_stops_the_priors_of_older_streams_too(version):
    extradata, packets = read_stream(FOLDER / version / "flf2v.gvc")
    gops, gate = sum(not is_show(packet.data) for packet in packets), Gate()
    with Ahead(extradata, opener=gate.open_prior) as decoder:
        decoder.put(packets[0])
        gate.wait_for(1)
        decoder.flush()
        gate.let(99)
        assert same(pictures_of(decoder.decode([*packets, None])), decode(extradata, packets))
    assert (gate.started, gate.finished) == (1 + gops, gops)


def test_it_ends_in_the_middle_of_a_gop(stream):
    gate = Gate()
    decoder = Ahead(stream[0], opener=gate.open_prior)
    for packet in stream[1]:
        decoder.put(packet)
    gate.wait_for(1)
    gate.let(1)
    decoder.close()
    assert gate.started == 1


def test_after_its_end_none_of_its_threads_is_left(stream):
    """Nothing is notified any more, so the caller may close what it is notified by."""
    before, reached, released = set(threading.enumerate()), threading.Event(), threading.Event()

    def wait(*_):
        reached.set()
        assert released.wait(PATIENCE)

    decoder = Ahead(stream[0], {"threads": 4}, on_step=wait)
    decoder.put(stream[1][0])
    assert reached.wait(PATIENCE)
    release = threading.Timer(0.2, released.set)
    release.start()
    decoder.close()
    release.join()
    assert set(threading.enumerate()) <= before


# Through libgvc, with the real engine


def take(decoder: LibraryDecoder) -> list[Picture]:
    pictures, end = decoder.drain()
    assert end == lib.GVC_AGAIN
    return pictures


def test_libgvc_gives_pictures_before_the_end(stream):
    extradata, packets, pictures = stream
    with LibraryDecoder(extradata=extradata) as decoder:
        taken = []
        while len(taken) < 2 * FRAMES:  # On a slow machine it takes more packets until a picture is ready.
            for packet in packets:
                decoder.send(packet)
                taken += take(decoder)
        assert same(taken[: 2 * FRAMES], pictures)


def test_an_engine_that_hangs_holds_nobody_up(stream):
    extradata, packets, pictures = stream
    before = children()
    with LibraryDecoder(extradata=extradata) as decoder:
        decoder.send(packets[0])
        engine = new_child(before)
        os.kill(engine, signal.SIGSTOP)
        for packet in packets[1:15]:
            decoder.send(packet)
            assert take(decoder) == []
        decoder.flush()
        for packet in packets:
            decoder.send(packet)
        decoder.flush()
        assert take(decoder) == []
        os.kill(engine, signal.SIGCONT)
        assert same(decoder.decode([*packets, None]), pictures)
        os.kill(engine, signal.SIGSTOP)
    assert not new_children(before)


def test_seeks_in_a_row_end_with_the_right_pictures(stream):
    extradata, packets, pictures = stream
    with LibraryDecoder(extradata=extradata) as decoder:
        for count in (1, 6, 11, 30, 2):
            for packet in packets[:count]:
                decoder.send(packet)
            decoder.receive()
            decoder.flush()
        assert same(decoder.decode([*packets[FRAMES:], None]), pictures[FRAMES:])
        decoder.flush()
        assert same(decoder.decode([*packets, None]), pictures)
