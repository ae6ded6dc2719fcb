# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Entry point of the process that libgvc starts; see ffmpeg_bridge/libgvc/gvc_protocol.h."""

import os
import select
import signal
import socket
import sys
import threading

from ..machine.process import configure_process

configure_process()

from .protocol import Channel, constants  # noqa: E402
from .session import serve  # noqa: E402


def quit_when_closed(descriptor: int) -> None:
    """End the process as soon as the client closes the socket, whatever the main thread is computing."""
    poll = select.poll()
    poll.register(descriptor, select.POLLRDHUP)
    poll.poll()
    os._exit(0)


def main() -> None:
    try:
        connection = socket.socket(fileno=constants.GVC_SOCKET_FD)
        os.set_inheritable(constants.GVC_SOCKET_FD, False)
    except OSError:
        sys.exit("gvc.engine is started by libgvc, not by hand; use the command gvc instead")
    # The client handles Ctrl-C: it flushes, takes the last packets, then closes the socket.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=quit_when_closed, args=(connection.fileno(),), daemon=True).start()
    serve(Channel(connection))
    sys.stderr.flush()
    os._exit(0)  # Nothing is left to save, and an ordinary exit would spend time on unloading the model


main()
