# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Hostile peers: an engine that answers libgvc with anything, and clients that send anything to `gvc serve`.

`python -m hostile --seconds N` runs libgvc against the engine for N seconds; `make sanitize` does so under sanitizers.
"""

import argparse
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

from clips import encode, moving_clip
from fuzz import inputs, messages
from fuzz.pieces import scrambled, split
from libgvc import CallError, Decoder, Encoder

from gvc.engine.address import NAME
from gvc.engine.protocol import constants, ffi
from gvc.media import Packet

HEAD = ffi.sizeof("gvc_message")
WIDTH, HEIGHT = messages.WIDTH, messages.HEIGHT
EDGES = (0, 1, 7, 8, 40, 1023, 1024, 65535, 65536, 2**20, 2**28, 2**28 + 1, 2**31, 2**32 - 1)
TEXTS = (b"", b"%n%s%n", b"a" * 1023, b"b" * 5000)
SECONDS = 30  # time for which the engine waits for a client


def _format(chance: Random) -> bytes:
    """Return a random gvc_format, more often than not a valid one."""
    side = (-1, 0, 1, WIDTH, WIDTH, HEIGHT, 16384, 16385, 2**31 - 1)
    fields = {name: chance.choice((0, 1, 1, 25, -1)) for name, _ in ffi.typeof("gvc_format").fields}
    fields |= {"width": chance.choice(side), "height": chance.choice(side), "sample_format": chance.randint(-1, 8)}
    if chance.random() < 0.6:
        fields |= {"width": WIDTH, "height": HEIGHT, "sample_format": 1}
    return bytes(ffi.buffer(ffi.new("gvc_format *", fields)))


def _answer(chance: Random, sane: float) -> bytes:
    """Return a message; with the probability `sane` it has a type, size and slot that libgvc expects."""
    if chance.random() > sane:
        head = {"slot": chance.choice(EDGES), "flags": chance.choice(EDGES), "code": chance.randint(-20, 3)}
        size = chance.choice(EDGES)
        payload = chance.randbytes(min(size, chance.choice((0, 100, 3000))))
        return messages.message(chance.randint(0, 13), payload, **head, pts=chance.choice(EDGES))[:HEAD] + payload
    kind = chance.randint(constants.GVC_MSG_READY, constants.GVC_MSG_FAILURE)
    payload = {
        constants.GVC_MSG_READY: chance.choice((b"", chance.randbytes(60))),
        constants.GVC_MSG_PACKET: chance.randbytes(chance.choice((0, 1, 500))),
        constants.GVC_MSG_FORMAT: _format(chance),
        constants.GVC_MSG_FAILURE: chance.choice(TEXTS),
    }.get(kind, b"")
    fields = {"slot": chance.randrange(constants.GVC_SLOTS), "flags": chance.randrange(8)}
    return messages.message(kind, payload, pts=chance.choice((-(2**63), 0, 5, 2**63 - 1)), code=-11, **fields)


class Engine(threading.Thread):
    """An engine that listens where libgvc looks for the warm one in `runtime`, and treats each client differently."""

    def __init__(self, runtime: Path, seed: int):
        super().__init__(daemon=True)
        self._chance = Random(seed)
        folder = runtime / "gvc"
        folder.mkdir(mode=0o700, parents=True)
        place = os.open(folder, os.O_PATH)
        self._listener = socket.socket(socket.AF_UNIX)
        # The indirection keeps long paths within the size of an address.
        self._listener.bind(f"/proc/self/fd/{place}/{NAME}.sock")
        os.close(place)
        self._listener.listen()
        self.start()

    def run(self) -> None:
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:  # closed
                return
            with line, suppress(OSError):
                line.settimeout(SECONDS)
                self._converse(line)

    def _converse(self, line: socket.socket) -> None:
        chance = self._chance
        line.sendall(messages.message(constants.GVC_MSG_HELLO, pts=constants.GVC_PROTOCOL_VERSION))
        _, descriptors, _, _ = socket.recv_fds(line, 1 << 16, 1)
        try:
            sane = chance.choice((0.6, 0.9, 1.0))
            if chance.random() < 0.8:
                line.sendall(messages.message(constants.GVC_MSG_READY, chance.choice((b"", HEADER))))
            if chance.random() < 0.3:
                os.ftruncate(descriptors[0], chance.choice((0, 100, 10**6)))
            answers = [_answer(chance, sane) for _ in range(chance.randint(0, 12))]
            line.sendall(b"".join(answers)[: chance.choice((None, chance.randrange(2000)))])
        finally:
            for descriptor in descriptors:
                os.close(descriptor)
        if chance.random() < 0.5:
            line.shutdown(socket.SHUT_WR)
            while line.recv(1 << 16):  # Waits until the client has closed, which must not take long.
                pass

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.join()


HEADER, PACKETS, _ = encode(moving_clip(5, WIDTH, HEIGHT), preset="fast", gop=5)


def session(seed: int) -> bool:
    """Use libgvc as a program does, partly wrongly; return whether the session ended with an error."""
    chance = Random(seed)
    try:
        (_encode if chance.random() < 0.5 else _decode)(chance)
    except CallError as error:
        assert error.code < 0
        return True
    return False


def _encode(chance: Random) -> None:
    with Encoder(WIDTH, HEIGHT, options="preset=fast") as encoder:
        calls: list[Callable] = [encoder.receive, encoder.flush, lambda: encoder.extradata]
        for picture in moving_clip(chance.randint(0, 12), WIDTH, HEIGHT):
            encoder.send(picture)
            if chance.random() < 0.4:
                chance.choice(calls)()
        encoder.send(None)
        while isinstance(encoder.receive(), Packet):
            pass


def _decode(chance: Random) -> None:
    extradata = scrambled(HEADER, chance) if chance.random() < 0.5 else chance.choice((HEADER, b""))
    with Decoder(extradata=extradata) as decoder:
        for packet in [*PACKETS] * chance.randint(0, 3):
            decoder.send(packet)
            if chance.random() < 0.6:
                chance.choice((decoder.drain, decoder.flush, decoder.format))()
        decoder.send(None)
        decoder.drain()


def client(line: socket.socket, seed: int) -> None:
    """Send bytes that libgvc never sends, read a part of the answer, and close."""
    chance = Random(seed)
    data = chance.choice(list(inputs("messages").values()))
    for _ in range(chance.randint(0, 3)):
        data = messages.mutate(data, chance, lambda part: scrambled(part, chance))
    sent = b"".join(split(data)[1:])
    sent = sent[: chance.choice((None, chance.randrange(len(sent) + 1)))]
    memories = [os.memfd_create("hostile") for _ in range(chance.choice((0, 1, 1, 1, 2)))]
    for memory in memories:
        os.ftruncate(memory, chance.choice(messages.MEMORIES))
    try:
        with suppress(OSError):  # The engine has closed the connection.
            socket.send_fds(line, [sent[:HEAD] or b"x"], memories)
            line.sendall(sent[HEAD:])
            if chance.random() < 0.5:
                line.shutdown(socket.SHUT_WR)
                while line.recv(1 << 16):
                    pass
    finally:
        for memory in memories:
            os.close(memory)


def main() -> None:
    parser = argparse.ArgumentParser(prog="hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first session")
    arguments = parser.parse_args()
    end, count, errors = time.monotonic() + arguments.seconds, 0, 0
    with tempfile.TemporaryDirectory() as runtime:
        os.environ |= {"XDG_RUNTIME_DIR": runtime, "GVC_SERVE": "1", "GVC_PYTHON": "/bin/false"}
        engine = Engine(Path(runtime), arguments.seed)
        while time.monotonic() < end:
            errors += session(arguments.seed + count)
            count += 1
        engine.close()
    print(f"{count} sessions of libgvc with a hostile engine, {errors} ended with an error as they should")


if __name__ == "__main__":
    main()
