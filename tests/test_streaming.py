# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A film that FFmpeg sends over UDP, of which datagrams are lost on the way, or over TCP, where none are.

MPEG-TS has no place for GVC, so it is live Matroska with a cluster for each frame: readers go on with the next one.
"""

import random
import shutil
import socket
import subprocess
from contextlib import contextmanager

import pytest
from clips import facts, moving_clip
from gvc_container.file import FileReader, FileWriter
from lossy_link import HOST, LossyLink, free_port, listens
from players import poll
from programs import STOCK

from gvc import plugin
from gvc.media import VideoFormat

if not shutil.which("ffmpeg"):
    pytest.skip("FFmpeg is not installed", allow_module_level=True)

FRAMES, KEYINT = 39, 13
PATIENCE = 60  # seconds
LIVE = ("-c", "copy", "-f", "matroska", "-live", "1", "-cluster_time_limit", "1", "-flush_packets", "1")
RECEIVED = 2 * FRAMES  # pictures of a film that begins anew at its end, after which a receiver stops
DAMAGED = range(4, 50)  # datagrams that may be lost


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("film") / "film.mkv"
    options = {"gop": 5, "keyint": KEYINT, "preset": "fast", "scenecut": 0}
    with FileWriter(path, video_format=VideoFormat(64, 48), **options) as writer:
        for picture in moving_clip(FRAMES):
            writer.write(picture)
    return path


@pytest.fixture(scope="module")
def datagrams(film):
    """What FFmpeg sends: first the header, then a datagram or more for each frame."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        receiver.bind(("127.0.0.1", 0))
        target = f"udp://127.0.0.1:{receiver.getsockname()[1]}?pkt_size=1316"
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), *LIVE, target]
        subprocess.run(command, env=plugin.environment(), check=True, timeout=PATIENCE)
        receiver.setblocking(False)
        received = []
        while True:  # All of them are in the buffer now
            try:
                received.append(receiver.recv(1 << 16))
            except BlockingIOError:
                return received


def seen(datagrams, folder):
    """Return the pictures of a film of which these datagrams came, by number, and the warnings."""
    path, said = folder / "received.mkv", []
    path.write_bytes(b"".join(datagrams))
    with FileReader(path, warn=said.append) as reader:
        step = 1 / reader.format.frame_rate / reader.format.time_base
        return [(picture, round(picture.pts / step)) for picture in reader], said


def test_all_that_is_sent_arrives(film, datagrams, tmp_path):
    found, said = seen(datagrams, tmp_path)
    with FileReader(film) as reader:
        assert [facts(picture)[3:] for picture, _ in found] == [facts(picture)[3:] for picture in reader]
    assert said == [] and len(found) == FRAMES


@pytest.mark.parametrize("period", [5, 8, 13])
def test_lost_datagrams_cost_their_frames_and_what_builds_on_them(film, datagrams, tmp_path, period):
    kept = [data for i, data in enumerate(datagrams) if i < 4 or i % period]
    found, _ = seen(kept, tmp_path)
    with FileReader(film) as reader:
        right = [facts(picture)[3:] for picture in reader]
    assert FRAMES - len(found) <= len(datagrams) - len(kept)
    assert all(picture.concealed or facts(picture)[3:] == right[number] for picture, number in found)
    assert sum(not picture.concealed for picture, _ in found) > FRAMES / 4


def test_a_receiver_that_comes_late_begins_with_the_next_keyframe(film, datagrams, tmp_path):
    found, _ = seen(datagrams[:1] + datagrams[len(datagrams) // 2 :], tmp_path)
    with FileReader(film) as reader:
        right = [facts(picture)[3:] for picture in reader][-KEYINT:]
    assert [facts(picture)[3:] for picture, _ in found] == right and found[0][0].key


# Live: a program that sends the film again and again in its own time, the link, and a program that receives


@contextmanager
def sending(film, link):
    """Run an FFmpeg that sends a film without end."""
    endless = ["-re", "-stream_loop", "-1", "-i", str(film)]
    command = ["ffmpeg", "-nostdin", "-v", "error", *endless, *LIVE, f"{link.address}?pkt_size=1316"]
    with subprocess.Popen(command, env=plugin.environment()) as sender:
        try:
            yield
        finally:
            sender.kill()


@contextmanager
def receiving(frames, protocol="udp"):
    """Run an FFmpeg that receives so many pictures; give its port, and a function for them as (number, MD5)."""
    port = free_port(protocol)
    address = f"{protocol}://{HOST}:{port}" + ("?listen=1" if protocol == "tcp" else "")
    output = ["-frames:v", str(frames), "-fps_mode", "passthrough", "-copyts", "-f", "framemd5", "-"]
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", address, *output]
    with subprocess.Popen(command, env=plugin.environment(), stdout=subprocess.PIPE, text=True) as receiver:

        def pictures():
            said, _ = receiver.communicate(timeout=PATIENCE)
            assert receiver.returncode == 0
            lines = [line.split(",") for line in said.splitlines() if not line.startswith("#")]
            return [(int(pts), digest.strip()) for _, _, pts, *_, digest in lines]

        try:
            yield port, pictures
        finally:
            receiver.kill()


@pytest.fixture(scope="module")
def right(film):
    """Return the MD5 of each picture."""
    return STOCK.hashes(film)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_receiver_goes_on_after_losses(film, right, seed):
    """From the keyframe after the last lost datagram on all is as it should be."""
    rng = random.Random(seed)
    lost = {number for number in DAMAGED if rng.random() < 0.2}
    with LossyLink(lost.__contains__) as link, receiving(RECEIVED) as (port, pictures):
        link.join(port)
        with sending(film, link):
            found = pictures()
    numbers = [number for number, _ in found]
    assert link.lost == len(lost) and numbers == sorted({*numbers})
    assert numbers[0] == 0 and numbers[-1] < RECEIVED + len(lost)
    exact = {number for number, digest in found if digest == right[number % FRAMES]}
    recovered = (DAMAGED.stop // KEYINT + 1) * KEYINT
    assert {*range(recovered, numbers[-1] + 1)} <= exact and len(exact) > RECEIVED / 2


def test_a_receiver_that_joins_begins_with_the_next_keyframe(film, right):
    with LossyLink() as link, sending(film, link), receiving(FRAMES) as (port, pictures):
        link.wait_for(KEYINT + 6)
        link.join(port)
        found = pictures()
    first = found[0][0]
    assert first > KEYINT and first % KEYINT == 0
    assert found == [(number, right[number % FRAMES]) for number in range(first, first + FRAMES)]


@pytest.mark.parametrize("container", [LIVE, ("-c", "copy", "-f", "nut")], ids=["matroska", "nut"])
def test_over_tcp_all_pictures_come(film, right, container):
    with receiving(FRAMES, "tcp") as (port, pictures):
        poll(lambda: listens(port, "tcp"))
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), *container, f"tcp://{HOST}:{port}"]
        subprocess.run(command, env=plugin.environment(), check=True, timeout=PATIENCE)
        assert pictures() == list(enumerate(right))
