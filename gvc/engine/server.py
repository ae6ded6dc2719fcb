# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The warm engine: one process that serves many clients, each with its own thread and session."""

import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from ..machine.file_state import file_states
from ..priors.pool import PriorPool
from ..terminal import visible
from .address import Address, peer_of
from .protocol import Channel
from .session import serve
from .waker import Waker

STOPPED = "the warm engine (gvc serve) was stopped while in use; without it, an engine is started for each use"
CODE = Path(__file__).parents[1], ("**/*.py", "**/*.so")
LOADED = file_states(*CODE)  # The code that this process runs, to notice when another version is installed
LAST_SECONDS = 5  # Seconds that dismissed clients have to end before the process ends


def log(text: str) -> None:
    """Print a line to standard error. A closed standard error is ignored."""
    with suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')} gvc serve: {visible(text)}", file=sys.stderr, flush=True)


class Client(threading.Thread):
    """The thread that serves one connection."""

    def __init__(self, connection: socket.socket, name: str, server: "Server"):
        super().__init__(name=name, daemon=True)
        self._server = server
        self.channel = Channel(connection)

    def refuse(self, reason: str) -> None:
        """Close the connection before HELLO, which makes libgvc start an engine of its own."""
        log(f"{self.name} {reason} and was turned away")
        self.channel.close()

    def run(self) -> None:
        log(f"{self.name} came")
        try:
            with self._server.pool.lending(self.channel.check) as opener:
                serve(self.channel, opener)
        finally:
            self.channel.close()
            self._server.leave(self)


class Server:
    """Accepts clients until it is told to stop, or until it has had no client for some time.

    address: address at which it listens.
    pool: opened priors that clients share.
    idle: seconds without clients after which it ends; 0 = never.
    most: largest number of clients at a time.
    """

    def __init__(self, address: Address, pool: PriorPool, idle: float, most: int):
        self.pool = pool
        self._address, self._idle, self._most = address, idle, most
        self._waker, self._stops = Waker(), 0
        self._clients: set[Client] = set()
        self._count = 0  # Number of clients so far, for their names in the log

    def stop(self) -> None:
        """Accept no new clients; when called again, dismiss the clients that are there."""
        self._stops += 1
        self._waker.wake()

    def stop_at_signals(self) -> None:
        """Call `stop` at each SIGINT and SIGTERM. Only the main thread may call this."""
        self._waker.wake_at_signals()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def run(self) -> None:
        """Serve clients; return when the last one has gone."""
        with self._address.listen() as listener:
            log(f"ready at {self._address.path}, process {os.getpid()}")
            self._accept(listener)
            self._address.release()  # A new engine may start while the last clients are served
        self._finish()
        log("ends")

    def leave(self, client: Client) -> None:
        """Remove a client that is done. The client's thread calls this."""
        self._clients.discard(client)
        log(f"{client.name} left")
        self._waker.wake()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stops:
            patience = self._idle if self._idle and not self._clients else None
            ready, _, _ = select.select([listener, self._waker], [], [], patience)
            self._waker.clear()
            if not ready:
                log(f"nobody came for {self._idle:g} s")
                return
            if listener in ready and file_states(*CODE) != LOADED:
                log("GVC was installed anew; new clients are served by the new version")
                return
            if listener in ready:
                with suppress(OSError):  # The client may have gone before it was accepted
                    self._admit(listener.accept()[0])

    def _admit(self, connection: socket.socket) -> None:
        pid, uid = peer_of(connection)
        self._count += 1
        client = Client(connection, f"client {self._count} ({_program(pid)}, process {pid})", self)
        if uid != os.geteuid():
            client.refuse("belongs to another user")
        elif len(self._clients) >= self._most:
            client.refuse(f"is one more than the {self._most} that are served at a time")
        else:
            self._clients.add(client)
            client.start()

    def _finish(self) -> None:
        """Serve the remaining clients until they are done, or until the second call of `stop`; then dismiss them."""
        if self._clients:
            log(f"takes no new clients and ends with the last of {len(self._clients)}; a second signal ends it at once")
        while self._clients and self._stops < 2:
            self._wait(None)
        for client in list(self._clients):
            client.channel.dismiss(STOPPED)
        deadline = time.monotonic() + LAST_SECONDS
        while self._clients and (left := deadline - time.monotonic()) > 0:
            self._wait(left)

    def _wait(self, seconds: float | None) -> None:
        select.select([self._waker], [], [], seconds)
        self._waker.clear()


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "gone"
