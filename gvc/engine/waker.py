# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A thread wakes another one."""

import signal
import socket
from contextlib import suppress


class Bell:
    """Wakes a thread that waits for it as for a socket, from any other."""

    def __init__(self):
        self._ear, self._button = socket.socketpair()
        for end in (self._ear, self._button):
            end.setblocking(False)

    def fileno(self) -> int:
        return self._ear.fileno()

    def ring(self) -> None:
        with suppress(BlockingIOError):  # it rings already
            self._button.send(b"!")

    def ring_at_signals(self) -> None:
        """Ring at each signal, whichever thread the kernel gave it to; for the main thread."""
        signal.set_wakeup_fd(self._button.fileno(), warn_on_full_buffer=False)

    def silence(self) -> None:
        with suppress(BlockingIOError):
            self._ear.recv(4096)

    def close(self) -> None:
        for end in (self._ear, self._button):
            end.close()
