# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""A way for one thread to wake another one."""

import signal
import socket
from contextlib import suppress


class Waker:
    """Wakes a thread that waits in `select`; any other thread may call it.

    The waiting thread watches the waker's file descriptor beside its sockets.
    """

    def __init__(self):
        self._receiver, self._sender = socket.socketpair()
        for end in (self._receiver, self._sender):
            end.setblocking(False)

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the waiting thread is to wake."""
        return self._receiver.fileno()

    def wake(self) -> None:
        """Make the descriptor readable."""
        with suppress(BlockingIOError):  # A full buffer means that a wake-up is pending already
            self._sender.send(b"!")

    def wake_at_signals(self) -> None:
        """Wake the waiting thread at each signal as well. Only the main thread may call this.

        The kernel may deliver a signal to any thread, so a signal alone does not end the wait.
        """
        signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)

    def clear(self) -> None:
        """Discard pending wake-ups, so that the descriptor is no longer readable."""
        with suppress(BlockingIOError):
            self._receiver.recv(4096)

    def close(self) -> None:
        for end in (self._receiver, self._sender):
            end.close()
