# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A link between two programs on this machine that loses datagrams, as a relay on a bad network would."""

import socket
from collections.abc import Callable
from pathlib import Path
from threading import Condition, Thread

from players import PATIENCE, poll

HOST = "127.0.0.1"
KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}
LARGEST = 1 << 16  # bytes of a datagram
BUFFER = 1 << 21  # bytes that may wait in a socket


def free_port(protocol: str = "udp") -> int:
    """Return a port that nobody has. protocol: udp (default) or tcp."""
    with socket.socket(socket.AF_INET, KINDS[protocol]) as candidate:
        candidate.bind((HOST, 0))
        return candidate.getsockname()[1]


def listens(port: int, protocol: str = "udp") -> bool:
    """Return whether a program listens at a port. protocol: udp (default) or tcp."""
    return any(f":{port:04X} " in line for line in Path("/proc/net", protocol).read_text().splitlines())


class LossyLink:
    """A thread that forwards datagrams to a receiver, all but the lost ones.

    The first datagram has the header of a stream. Whoever joins gets it first, and then what comes from there on.

    Args:
        loses: function that tells whether the datagram of a number is lost; numbers begin at 0.

    Attributes:
        lost: number of datagrams that the receiver did not get.
    """

    def __init__(self, loses: Callable[[int], bool] = lambda number: False):
        self.lost, self._loses, self._receiver = 0, loses, 0
        self._came: list[bytes] = []
        self._changed = Condition()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.bind((HOST, 0))
        self._thread = Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> str:
        """URL that a sender sends to."""
        return f"udp://{HOST}:{self._socket.getsockname()[1]}"

    def join(self, port: int) -> None:
        """Send to a receiver once it listens at a port."""
        poll(lambda: listens(port))
        with self._changed:
            self._receiver = port
            if self._came:
                self._send(self._came[0])

    def wait_for(self, count: int) -> None:
        """Wait until so many datagrams came."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._came) >= count, PATIENCE)

    def _run(self) -> None:
        while datagram := self._socket.recv(LARGEST):
            with self._changed:
                number = len(self._came)
                self._came.append(datagram)
                self._changed.notify_all()
                if self._receiver and self._loses(number):
                    self.lost += 1
                elif self._receiver:
                    self._send(datagram)

    def _send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, (HOST, self._receiver))
