# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Decoding by workers: the same pictures and errors as in one process, few of them in memory."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import zlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from clips import encode, facts, moving_clip, video_format
from gvc_container.file import FileReader
from gvc_container.mux import Muxer
from hypothesis import given, settings
from hypothesis import strategies as st
from small_streams import KINDS, stream
from test_cli import gvc
from test_robustness import header_changes, mutate

from gvc.ahead import AheadDecoder
from gvc.bitstream import is_show, read_packet, write_gop
from gvc.errors import BitstreamError, EngineError, GvcError, PriorError
from gvc.fleet import decoder as fleet_decoder
from gvc.fleet.crew import Crew
from gvc.fleet.decoder import FleetDecoder
from gvc.fleet.decoding import GREETING, Expected, outcomes_of, welcome
from gvc.fleet.failures import WorkerLostError
from gvc.fleet.processes import ProcessWorker
from gvc.fleet.tasks import Tasks
from gvc.media import Packet, VideoFormat
from gvc.priors import FAMILIES, has_memory, prior_module
from gvc.priors.diffusion import ConditionedDiffusion, DiffusionPrior

SECONDS = 60  # Longest time that a test waits for something
CHAINS = [("t2v", 0), ("t2v", 2), ("i2v", 0), ("flf2v", 0)]


class Here:
    """A worker in this process.

    gate: semaphore that each task acquires. Default: tasks need not wait.
    lost: how many tasks end with the loss of the worker.
    """

    def __init__(self, gate=None, lost=0):
        self.name, self._tasks, self._gate, self._lost = "here", Tasks("here", {"threads": 1}), gate, lost
        self.titles = []

    def run(self, task, on_step=None):
        self.titles.append(task.title)
        if self._gate:
            assert self._gate.acquire(timeout=SECONDS)
        if self._lost:
            self._lost -= 1
            raise WorkerLostError("lost")
        return self._tasks.run(task, on_step)

    def close(self):
        pass


def told(picture):
    return *facts(picture), picture.concealed


def answered(pictures, error=None):
    """What has become of a packet: its error and its picture, of which either may be missing."""
    return [error and (type(error), str(error)), *map(told, pictures)]


def alone(extradata, packets, **options):
    """What AheadDecoder makes of each packet: a picture, nothing, or an error."""
    decoder, found = AheadDecoder(extradata, {"threads": 1, **options}, fills=True), []
    for packet in [*packets, None]:
        decoder.put(packet)
        found += [answer for answer in decoder.answers() if answer.number is not None]
    decoder.close()
    return answers_to(packets, found)


def answers_to(packets, answers):
    """What has become of each packet; also the pictures must come with the packets that they belong to."""
    assert [answer.number for answer in answers] == [*range(len(packets))]
    return [answered(answer.pictures, answer.error) for answer in answers]


def by_workers(extradata, packets, workers=(), ahead=3, **options):
    """The same by workers."""
    found = []
    with Crew(workers or [Here(), Here()]) as crew:
        decoder = FleetDecoder(extradata, options, crew, ahead)
        for packet in [*packets, None]:
            decoder.put(packet)
            found += decoder.answers()
    return answers_to(packets, found)


@cache
def chains(mode, overlap=0):
    """Two chains of three and two GOPs; in t2v without overlap each GOP is a keyframe."""
    options = {"mode": mode, "gop": 5, "keyint": 13, "preset": "fast", "overlap": overlap}
    extradata, packets, shown = encode(moving_clip(21, 32, 24), **options)
    return extradata, packets, [answered([picture]) for picture in shown]


@pytest.mark.parametrize("workers", [1, 2, 3])
@pytest.mark.parametrize(("mode", "overlap"), CHAINS)
def test_the_pictures_are_those_of_one_process(mode, overlap, workers):
    extradata, packets, shown = chains(mode, overlap)
    assert by_workers(extradata, packets, [Here() for _ in range(workers)]) == shown
    assert by_workers(None, packets, [Here() for _ in range(workers)]) == shown


@pytest.mark.parametrize(("mode", "overlap"), CHAINS)
def test_realism_is_that_of_one_process(mode, overlap):
    extradata, packets, _ = chains(mode, overlap)
    assert by_workers(extradata, packets, realism=1) == alone(extradata, packets, realism=1)


@pytest.mark.parametrize(("mode", "overlap"), CHAINS)
def test_cut_chains_are_decoded_alike(mode, overlap, monkeypatch):
    """As if two GOPs were too many pictures for a task."""
    extradata, packets, shown = chains(mode, overlap)
    monkeypatch.setattr(fleet_decoder, "RUN_SAMPLES", 5 * 32 * 24)
    worker = Here()
    assert by_workers(extradata, packets, [worker], realism=1) == alone(extradata, packets, realism=1)
    assert len(worker.titles) > sum(packet.key for packet in packets) or mode == "t2v"
    monkeypatch.setattr(fleet_decoder, "RUN_PACKETS", 3)
    assert by_workers(extradata, packets) == shown


@pytest.mark.parametrize("kind", ["lost", "damaged", "twice", "shuffled"])
@pytest.mark.parametrize(("mode", "overlap"), CHAINS)
def test_damaged_streams_are_decoded_alike(mode, overlap, kind):
    extradata, packets, _ = chains(mode, overlap)
    starts = [i for i, packet in enumerate(packets) if not is_show(packet.data)]
    for index in (*starts, 2, 15):
        damaged = [*packets]
        match kind:
            case "lost":
                del damaged[index]
            case "damaged":
                data = bytearray(packets[index].data)
                data[random.Random(index).randrange(len(data))] ^= 64
                damaged[index] = replace(packets[index], data=bytes(data))
            case "twice":
                damaged.insert(index, packets[index])
            case "shuffled":
                random.Random(index).shuffle(damaged)
        assert by_workers(extradata, damaged) == alone(extradata, damaged)
    late = {"low_delay": 1} if kind == "lost" else {"frame_delay": 2}
    assert by_workers(extradata, damaged, **late) == alone(extradata, damaged, **late)


def test_joined_streams_are_decoded_alike():
    parts = [chains(*kind)[1] for kind in CHAINS]
    large = encode(moving_clip(9, 48, 40), gop=5, preset="fast")[1]
    joined = [packet for part in (*parts, large, parts[1][9:], parts[2]) for packet in part]
    for extradata in (None, chains("flf2v")[0]):
        assert by_workers(extradata, joined) == alone(extradata, joined)


@settings(max_examples=25)
@given(data=st.data())
def test_hostile_streams_are_decoded_alike(data):
    extradata, packets, _ = stream(*data.draw(st.sampled_from(KINDS)))
    index = data.draw(st.sampled_from([i for i, packet in enumerate(packets) if not is_show(packet.data)]))
    if data.draw(st.booleans()):
        body = mutate(packets[index].data[:-4], data.draw)
        hostile = body + zlib.crc32(body).to_bytes(4, "little")
    else:
        unit = read_packet(packets[index].data)
        part = data.draw(st.sampled_from(["first", "last", "side", "atoms", "tail"]))
        unit = replace(unit, **{part: mutate(getattr(unit, part), data.draw)})
        if unit.header:
            unit = replace(unit, header=replace(unit.header, **data.draw(header_changes)))
        hostile = write_gop(unit)
    packets = [*packets[:index], replace(packets[index], data=hostile), *packets[index + 1 :], *packets]
    expected = alone(extradata, packets)
    end = next((i for i, told in enumerate(expected) if told[0] and told[0][0] is PriorError), len(packets))
    assert by_workers(extradata, packets)[: end + 1] == expected[: end + 1]  # A reader of files stops there.


@pytest.mark.parametrize("mode", ["t2v", "flf2v", "i2v"])
def test_a_large_model_gets_gops_one_by_one_where_they_do_not_need_each_other(wan_folders, mode):
    options = {"prior": f"wan:{wan_folders[mode]}", "mode": mode, "gop": 5, "keyint": 13, "preset": "fast"}
    extradata, packets, _ = encode(moving_clip(15, 32, 24), quality=10, **options)
    worker = Here()
    found = by_workers(extradata, packets, [worker], prior=options["prior"])
    assert found == alone(extradata, packets, prior=options["prior"])
    titles = [*worker.titles]
    names = ["chain 0, GOP 1", "chain 0, GOP 2", "chain 0, GOP 3", "chain 1, GOP 1"]
    if mode == "t2v":  # All GOPs are keyframes.
        names = [f"chain {number}, GOP 1" for number in range(len(titles))]
    assert titles == (["chain 0, GOP 1 to 3", "chain 1, GOP 1"] if mode == "i2v" else names)
    damaged = packets[:5] + packets[9:]
    found = by_workers(extradata, damaged, [worker], prior=options["prior"])
    assert found == alone(extradata, damaged, prior=options["prior"])


@pytest.mark.parametrize("family", FAMILIES)
def test_models_whose_gops_are_decoded_one_by_one_have_no_memory(family):
    assert not has_memory(f"{family}/1")
    assert issubclass(getattr(prior_module(family), FAMILIES[family]), DiffusionPrior)
    assert ConditionedDiffusion.memory is None
    assert all("memory" not in vars(kind) for kind in subclasses(ConditionedDiffusion))


def subclasses(kind: type) -> list[type]:
    """Return all classes that are derived from a class."""
    found = kind.__subclasses__()
    return found + [further for each in found for further in subclasses(each)]


def test_a_prior_that_is_missing_is_an_error_in_its_place():
    extradata, packets, shown = chains("flf2v")
    unit = read_packet(packets[13].data)
    other = replace(unit, header=replace(unit.header, prior="wan/t2v"))
    packets = [*packets[:13], replace(packets[13], data=write_gop(other)), *packets[14:]]
    found = by_workers(extradata, packets)
    assert found[:13] == shown[:13]
    assert found == alone(extradata, packets) and found[13][0][0] == PriorError


def test_a_lost_worker_costs_no_picture():
    extradata, packets, shown = chains("flf2v")
    assert by_workers(extradata, packets, [Here(lost=1), Here(lost=1)]) == shown


def test_without_workers_there_is_an_error():
    extradata, packets, shown = chains("flf2v")
    found = by_workers(extradata, packets, [Here(lost=4)])
    assert found[0][0][0] is WorkerLostError and found[13:] == shown[13:]


@pytest.mark.parametrize("ahead", [1, 3])
def test_few_pictures_are_in_memory(monkeypatch, ahead):
    """A worker does a task only when the decoder waits for it; until then no further ones are handed in."""
    extradata, packets, shown = chains("flf2v")
    gate, outstanding = threading.Semaphore(0), []
    worker = Here(gate)
    wait = fleet_decoder.wait

    def let_one_pass(futures):
        outstanding.append(crew.handed_in - len(outstanding))
        gate.release()
        wait(futures, SECONDS)

    class Counting(Crew):
        handed_in = 0

        def submit(self, *task):
            self.handed_in += 1
            return super().submit(*task)

    monkeypatch.setattr(fleet_decoder, "wait", let_one_pass)
    with Counting([worker]) as crew:
        decoder = FleetDecoder(extradata, {}, crew, ahead)
        found = []
        for packet in [*packets * 5, None]:
            decoder.put(packet)
            found += [answered(answer.pictures) for answer in decoder.answers()]
    assert found == shown * 5
    assert outstanding == [ahead + 1] * (10 - ahead) + [*range(ahead, 0, -1)]


def test_many_packets_without_a_gop_do_not_wait(monkeypatch):
    monkeypatch.setattr(fleet_decoder, "RUN_PACKETS", 4)
    extradata, packets, _ = chains("flf2v")
    packets = packets[:1] + [Packet(b"\x02") for _ in range(50)]
    assert by_workers(extradata, packets) == alone(extradata, packets)


def test_progress_tells_chains_and_gops():
    extradata, packets, _ = chains("flf2v")
    steps, done = set(), []
    with Crew([Here()]) as crew:
        decoder = FleetDecoder(
            extradata, {}, crew, 2, on_step=lambda chain, gop, *_: steps.add((chain, gop)), on_done=done.append
        )
        for packet in [*packets, None]:
            decoder.put(packet)
            list(decoder.answers())
    assert steps == {(0, 1), (0, 2), (0, 3), (1, 1), (1, 2)}
    assert done == [0, 1]


def test_wrong_answers_are_errors():
    video = VideoFormat(4, 2)
    pictures = [Expected(video, 2), Expected(video, 1), Expected(video, 0), Expected(video, 1)]
    error = b'{"kind": "BitstreamError", "element": "atoms", "offset": 3, "reason": "odd"}'
    parts = [b'{"clip": 2, "concealed": true}', b'{"error": ' + error + b', "substitute": null}']
    parts += [b'{"error": null, "substitute": [1, 4]}', b'{"failure": {"kind": "PriorError", "text": "none"}}']

    def answer_of(*parts):
        text = b"[" + b",".join(parts) + b"]"
        return len(text).to_bytes(4, "big") + text + bytes(range(48))

    answer = answer_of(*parts)
    clip, failed, missing, failure = outcomes_of(answer, pictures)
    assert clip.concealed and [plane.shape for plane in clip.clip] == [(2, 2, 4), (2, 1, 2), (2, 1, 2)]
    assert np.concatenate([plane.ravel() for plane in clip.clip]).tolist() == [*range(24)]
    assert isinstance(failed.error, BitstreamError) and failed.clip is failed.substitute is None
    assert str(failed.error) == "invalid GVC data at byte 3 (atoms): odd"
    substitute = missing.substitute
    assert (substitute.start, substitute.span, substitute.last[2].tolist()) == (1, 4, [[46, 47]])
    assert isinstance(failure, PriorError)
    changes = [(0, b"2", b"1"), (0, b"2", b"-2"), (0, b"2", b"2.5"), (0, b"clip", b"klip"), (1, b"3", b'"x"')]
    changes += [(2, b"1", b"0"), (2, b"4", b"5000"), (2, b"4", b"Infinity"), (2, b"[1, 4]", b"[1]"), (2, b"null", b"1")]
    changes += [(2, b"[1, 4]", b"null"), (3, b"{", b"[" * 100_000), (3, parts[3], b"[]"), (3, parts[3], b"\xff")]
    for index, was, now in changes:
        with pytest.raises(EngineError):
            outcomes_of(answer_of(*parts[:index], parts[index].replace(was, now), *parts[index + 1 :]), pictures)
    for wrong in ([], parts[:3], [*parts, parts[0]]):
        with pytest.raises(EngineError):
            outcomes_of(answer_of(*wrong), pictures)
    for wrong in [b"", answer[:10], answer[:-1], answer + b"\0", b"\xff" * 8]:
        with pytest.raises(EngineError):
            outcomes_of(wrong, pictures)


# Processes


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A file of forty chains. A GOP is damaged in one of them, missing in another one, and a keyframe is in a third."""
    path = tmp_path_factory.mktemp("fleet") / "film.mkv"
    extradata, packets, _ = chains("flf2v")
    with Muxer(path, extradata, video_format(moving_clip(1, 32, 24))) as muxer:
        for number in sorted({*range(20 * len(packets))} - {26, 63}):
            packet = replace(packets[number % len(packets)], pts=number)
            muxer.write(replace(packet, data=packet.data[:-9] + bytes(9)) if number == 18 else packet)
    return path


def test_the_command_writes_the_same_file(film, tmp_path):
    plain, fleet = tmp_path / "plain.y4m", tmp_path / "fleet.y4m"
    for arguments in ((plain,), (fleet, "--workers", 2, "--progress", "json")):
        done = gvc("decode", film, *arguments, code=3)
    assert fleet.read_bytes() == plain.read_bytes()
    said = [json.loads(line) for line in done.stderr.splitlines()]
    warning = next(told["text"] for told in said if told["type"] == "warning")
    assert warning.startswith("packet 18: invalid GVC data")
    assert "chain" in said[0] and said[-1]["type"] == "error"


def test_a_film_may_be_sought_in(film):
    with Crew([Here()]) as crew:
        by_fleet = FileReader(film, warn=list, decoder=lambda header: FleetDecoder(header, {}, crew, 2))
        with by_fleet, FileReader(film, warn=list) as plain:
            for second in (15, 0, 7):
                for reader in (by_fleet, plain):
                    reader.seek(second)
                assert [told(next(by_fleet)) for _ in range(30)] == [told(next(plain)) for _ in range(30)]


def test_a_process_that_is_killed_costs_no_picture():
    extradata, packets, shown = chains("flf2v")
    worker, said = ProcessWorker("1", {"threads": 1}), []
    with Crew([worker], GREETING, welcome, warn=said.append) as crew:
        assert crew.idle.acquire(timeout=SECONDS)
        os.kill(worker._process.pid, signal.SIGKILL)
        decoder = FleetDecoder(extradata, {}, crew, 1)
        for packet in [*packets, None]:
            decoder.put(packet)
        found = [answered(answer.pictures) for answer in decoder.answers()]
    assert found == shown
    assert len(said) == 1 and "chain 0, GOP 1 to 3 is tried again" in said[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_of_a_command_that_is_stopped(film, tmp_path, number):
    command = [sys.executable, "-m", "gvc.cli", "decode", film, tmp_path / "out.mkv", "--workers", "2"]
    # In the background of a shell script interrupts are ignored, and children inherit that.
    heeding = {"start_new_session": True, "preexec_fn": lambda: signal.signal(number, signal.SIG_DFL)}
    running = subprocess.Popen([*command, "--progress", "json"], stderr=subprocess.PIPE, text=True, **heeding)
    assert json.loads(running.stderr.readline())["stage"] == "decode"  # Its workers are being started
    running.send_signal(number)
    said = running.communicate(timeout=SECONDS)[1]
    assert (json.loads(said.splitlines()[-1])["type"], running.returncode) == ("error", 128 + number), said
    assert not [*tmp_path.iterdir()]
    with pytest.raises(ProcessLookupError):
        os.killpg(running.pid, 0)


def test_workers_with_other_versions_are_refused():
    answer = Tasks("here").run(GREETING)
    welcome("here", answer)
    with pytest.raises(EngineError, match=r"^gvc is 0\.0\.9 .* there and .* here; install the same"):
        welcome("here", answer.replace(b'"gvc": "', b'"gvc": "0.0.9 '))
    for other in (b"", b"[", b"null", b"{}"):
        with pytest.raises(GvcError):
            welcome("here", other)


def test_devices_of_a_cluster_are_for_ray_to_choose(film, tmp_path):
    arguments = ("--cluster", "local", "--devices", "cuda:0")
    assert "--devices" in gvc("decode", film, tmp_path / "out.mkv", *arguments, code=2).stderr
