# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Trust between the warm engine and its clients, and their reaction to attacks."""

import array
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
from test_libgvc import HEIGHT, WIDTH
from warm import Server, call, own, served  # noqa: F401

from gvc.engine.protocol import constants
from gvc.engine.protocol import ffi as wire


def head(kind: int, size: int = 0, **fields: int) -> bytes:
    return bytes(wire.buffer(wire.new("gvc_message *", {"type": kind, "size": size, **fields})))


def opening(role: int, changes: dict[str, int] | None = None, **fields) -> bytes:
    video = {"width": WIDTH, "height": HEIGHT, "time_base_num": 1, "time_base_den": 25}
    video |= {"frame_rate_den": 1, "sar_den": 1, "sample_format": 1, **(changes or {})}
    payload = bytes(wire.buffer(wire.new("gvc_open *", {"role": role, "format": video, **fields})))
    return head(constants.GVC_MSG_OPEN, len(payload)) + payload


def answer(line: socket.socket) -> tuple[int, str]:
    """Return code and sentence of the FAILURE that ends a conversation; (0, "") if it ends without one."""
    data = b""
    with suppress(ConnectionResetError):  # The other side closed with unread data.
        while part := line.recv(65536):
            data += part
    code, sentence = 0, ""
    while data:
        message = wire.from_buffer("gvc_message *", bytearray(data[:40]))
        if message.type == constants.GVC_MSG_FAILURE:
            code, sentence = message.code, data[40 : 40 + message.size].decode()
        data = data[40 + message.size :]
    return code, sentence


def test_broken_clients_do_no_harm(own, tmp_path):  # noqa: F811
    (tmp_path / "short").write_bytes(bytes(10))
    writable, readonly = os.open(tmp_path / "short", os.O_RDWR), os.open(tmp_path / "short", os.O_RDONLY)
    pipe, other_end = os.pipe()
    folder = os.open(tmp_path, os.O_RDONLY)
    encoder, picture = opening(constants.GVC_ENCODER), head(constants.GVC_MSG_PICTURE)
    impossible = [("time_base_den", 0), ("sar_den", -1), ("frame_rate_num", -1), ("width", 0), ("height", 2**31 - 1)]
    impossible += [("color_trc", -1), ("chroma_location", -2)]
    attacks = [  # (bytes, descriptors, text in the answer)
        (b"GET / HTTP/1.1\r\n" * 10, [], "unknown to this engine"),
        (encoder, [], "did not begin with an OPEN"),
        (encoder, [folder], "something other than shared memory"),
        (encoder, [pipe], "something other than shared memory"),
        (encoder, [readonly], "something other than shared memory"),
        (encoder + picture, [writable], "no room for its pictures"),
        (encoder + picture, [writable, writable, writable], "no room for its pictures"),
        (encoder + head(constants.GVC_MSG_PICTURE, slot=8), [writable], "unknown to this engine"),
        (encoder + head(constants.GVC_MSG_RELEASE), [writable], "no place"),
        *((opening(constants.GVC_ENCODER, {name: value}), [writable], f"{name} {value}") for name, value in impossible),
        (opening(constants.GVC_DECODER, options_size=2**31), [writable], "OPEN message of the wrong size"),
        (head(constants.GVC_MSG_OPEN, 2**32 - 1), [writable], "unknown to this engine"),
        (encoder[:50], [writable], ""),
    ]
    with Server(own) as server:
        assert served()
        server.wait_for("left")
        files = server.open_files()
        for data, descriptors, sentence in attacks:
            with call(server.socket) as line:
                line.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))])
                line.shutdown(socket.SHUT_WR)
                code, text = answer(line)
            assert sentence in text, data
            assert (code < 0) == bool(text)
            server.wait_for("left")
        assert server.open_files() == files
        assert served()
        server.process.terminate()
        assert "Traceback" not in "".join(server.lines) + server.end()
    for descriptor in (writable, readonly, folder, pipe, other_end):
        os.close(descriptor)


def test_clients_beyond_the_limit_help_themselves(own):  # noqa: F811
    with Server(own, "--clients", 1) as server:
        with call(server.socket) as silent:
            assert len(silent.recv(64)) == 40  # The engine sends HELLO and then waits.
            assert not served()
        server.wait_for("left")
        assert served()


def test_folders_that_others_could_use_are_refused(own, tmp_path):  # noqa: F811
    with Server(own) as server:
        server.folder.chmod(0o755)
        assert not served()
        server.folder.chmod(0o700)
        assert served()
        server.folder.rename(tmp_path / "elsewhere")
        server.folder.symlink_to(tmp_path / "elsewhere")
        assert not served()
    assert "cannot be opened as a folder" in refusal()
    server.folder.unlink()
    server.folder.mkdir()
    server.folder.chmod(0o770)
    assert f"{server.folder} must be yours and closed to others" in refusal()


def refusal() -> str:
    """Return the error message of a `gvc serve` that does not start."""
    command = [sys.executable, "-m", "gvc.cli", "serve"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    return done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_other_users_are_refused(own):  # noqa: F811
    nobody = 65534
    with Server(own) as server:
        server.folder.chmod(0o711)
        server.socket.chmod(0o666)
        folder = os.open(server.folder, os.O_PATH)
        stranger = (
            f"import os, socket; os.setuid({nobody}); line = socket.socket(socket.AF_UNIX);"
            f"line.connect('/proc/self/fd/{folder}/{server.socket.name}'); print(line.recv(64))"
        )
        done = subprocess.run([sys.executable, "-c", stranger], pass_fds=[folder], capture_output=True, check=True)
        assert done.stdout == b"b''\n"
        server.wait_for("belongs to another user and was turned away")
        server.folder.chmod(0o700)
        assert served()
        os.chown(server.folder, nobody, -1)
        assert not served()
        os.chown(server.folder, 0, -1)
        with posing(server, head(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION), uid=nobody):
            assert not served()
        os.close(folder)


class posing:  # noqa: N801 - reads as a function
    """Run a program of user `uid` that listens in place of a server, and sends a greeting to each client."""

    def __init__(self, server: Server, greeting: bytes, uid: int | None = None):
        self._path, self._greeting = server.socket, greeting
        self._listener = socket.socket(socket.AF_UNIX)
        folder = os.open(self._path.parent, os.O_PATH)
        self._path.unlink()
        self._listener.bind(f"/proc/self/fd/{folder}/{self._path.name}")
        os.close(folder)
        if uid is not None:
            os.seteuid(uid)
        self._listener.listen()
        os.seteuid(os.getuid())
        self._thread = threading.Thread(target=self._greet)

    def __enter__(self):
        self._thread.start()

    def _greet(self):
        line, _ = self._listener.accept()
        with line, suppress(ConnectionError):
            line.sendall(self._greeting)
            line.recv(1)  # Waits until the client closes.

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()


@pytest.mark.parametrize(
    "greeting",
    [head(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION + 1), b"220 mail.example.org ESMTP", b"?" * 40],
)
def test_a_server_of_another_version_or_kind_is_ignored(own, greeting):  # noqa: F811
    with Server(own) as server, posing(server, greeting):
        assert not served()
