# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The warm engine: one process for many clients, each with a thread and a session of its own."""

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
from .waker import Bell

FAREWELL = "the warm engine (gvc serve) was stopped in the middle; without one, an engine is started for each use"
CODE = Path(__file__).parents[1], ("**/*.py", "**/*.so")
LOADED = file_states(*CODE)
LAST_SECONDS = 5  # from the farewell to the end


def log(text: str) -> None:
    """Print a line to standard error; if nobody reads it, go on."""
    with suppress(OSError):
        print(f"{time.strftime('%H:%M:%S')} gvc serve: {visible(text)}", file=sys.stderr, flush=True)


class Client(threading.Thread):
    """One connection, from HELLO to its end."""

    def __init__(self, connection: socket.socket, name: str, server: "Server"):
        super().__init__(name=name, daemon=True)
        self._server = server
        self.channel = Channel(connection)

    def turn_away(self, reason: str) -> None:
        """Hang up before HELLO: libgvc then starts an engine of its own."""
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
    """Accepts clients until it is told to stop or until nobody has come for long.

    idle: seconds without clients after which it ends; 0: never.
    most: clients at a time.
    """

    def __init__(self, address: Address, pool: PriorPool, idle: float, most: int):
        self.pool = pool
        self._address, self._idle, self._most = address, idle, most
        self._bell, self._stops = Bell(), 0
        self._clients: set[Client] = set()
        self._count = 0  # of all clients so far

    def stop(self) -> None:
        """Take no new clients; when called again, take leave of those that are there."""
        self._stops += 1
        self._bell.ring()

    def heed_signals(self) -> None:
        """Let SIGINT and SIGTERM ask to stop; for the main thread."""
        self._bell.ring_at_signals()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stop())

    def run(self) -> None:
        """Serve; return when the last client has gone."""
        with self._address.listen() as listener:
            log(f"ready at {self._address.path}, process {os.getpid()}")
            self._accept(listener)
            self._address.release()  # a new engine may start while the last clients are served
        self._finish()
        log("ends")

    def leave(self, client: Client) -> None:
        """Forget a client that is done; called by its thread."""
        self._clients.discard(client)
        log(f"{client.name} left")
        self._bell.ring()

    def _accept(self, listener: socket.socket) -> None:
        while not self._stops:
            patience = self._idle if self._idle and not self._clients else None
            ready, _, _ = select.select([listener, self._bell], [], [], patience)
            self._bell.silence()
            if not ready:
                log(f"nobody came for {self._idle:g} s")
                return
            if listener in ready and file_states(*CODE) != LOADED:
                log("GVC was installed anew; whoever comes now is served by the new one")
                return
            if listener in ready:
                with suppress(OSError):  # it is gone again
                    self._welcome(listener.accept()[0])

    def _welcome(self, connection: socket.socket) -> None:
        pid, uid = peer_of(connection)
        self._count += 1
        client = Client(connection, f"client {self._count} ({_program(pid)}, process {pid})", self)
        if uid != os.geteuid():
            client.turn_away("belongs to another user")
        elif len(self._clients) >= self._most:
            client.turn_away(f"is one more than the {self._most} that are served at a time")
        else:
            self._clients.add(client)
            client.start()

    def _finish(self) -> None:
        """Serve the clients that are left to their end, or until the second signal."""
        if self._clients:
            log(f"takes no new clients and ends with the last of {len(self._clients)}; a second signal ends it at once")
        while self._clients and self._stops < 2:
            self._wait(None)
        for client in list(self._clients):
            client.channel.dismiss(FAREWELL)
        deadline = time.monotonic() + LAST_SECONDS
        while self._clients and (left := deadline - time.monotonic()) > 0:
            self._wait(left)

    def _wait(self, seconds: float | None) -> None:
        select.select([self._bell], [], [], seconds)
        self._bell.silence()


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return "gone"
