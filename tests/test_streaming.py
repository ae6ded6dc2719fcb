# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A film that FFmpeg sends over UDP, of which datagrams are lost on the way.

MPEG-TS has no place for GVC, so it is live Matroska with a cluster for each frame: readers go on with the next one.
"""

import shutil
import socket
import subprocess

import pytest
from clips import facts, moving_clip
from gvc_container.file import FileReader, FileWriter

from gvc import plugin
from gvc.media import VideoFormat

if not shutil.which("ffmpeg"):
    pytest.skip("FFmpeg is not installed", allow_module_level=True)

FRAMES, KEYINT = 39, 13
PATIENCE = 60  # seconds


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
        live = ["-f", "matroska", "-live", "1", "-cluster_time_limit", "1", "-flush_packets", "1"]
        command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(film), "-c", "copy", *live, target]
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
