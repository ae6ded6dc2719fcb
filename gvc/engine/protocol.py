"""The engine's end of the wire: messages and shared pictures as gvc_protocol.h lays them out."""

import mmap
import os
import socket
from fractions import Fraction
from pathlib import Path

import numpy as np
from cffi import FFI

from ..errors import EngineError
from ..media import VideoFormat

NOPTS = -(2**63)


def read_declarations(header: Path) -> str:
    """Return the C declarations of `header` without the lines that only a preprocessor understands."""
    return "\n".join(line for line in header.read_text().splitlines() if not line.startswith("#"))


ffi = FFI()
ffi.cdef(read_declarations(Path(__file__).parents[1] / "lib" / "include" / "gvc_protocol.h"))
constants = ffi.dlopen(None)

# Bytes of payload that a client may send with each type of message.
MAX_PAYLOAD = {
    constants.GVC_MSG_OPEN: ffi.sizeof("gvc_open") + constants.GVC_MAX_OPTIONS + constants.GVC_MAX_HEADER,
    constants.GVC_MSG_PACKET: constants.GVC_MAX_PACKET,
    constants.GVC_MSG_PICTURE: 0,
    constants.GVC_MSG_RELEASE: 0,
    constants.GVC_MSG_END: 0,
    constants.GVC_MSG_FLUSH: 0,
}


class DisconnectedError(Exception):
    """The client has closed the socket: the sign to quit."""


class Channel:
    """Messages over a stream socket. All calls raise DisconnectedError when the client is gone."""

    def __init__(self, connection: socket.socket):
        self._connection = connection

    def send(self, kind: int, payload: bytes = b"", **fields: int) -> None:
        """Send a gvc_message with these fields and payload."""
        message = ffi.new("gvc_message *", {"type": kind, "size": len(payload), **fields})
        try:
            self._connection.sendall(bytes(ffi.buffer(message)))
            self._connection.sendall(payload)
        except ConnectionError:
            raise DisconnectedError from None

    def receive(self) -> tuple[FFI.CData, bytearray]:
        """Wait for the next message; return it and its payload. Raises EngineError if it makes no sense."""
        message = ffi.from_buffer("gvc_message *", self._receive_exactly(ffi.sizeof("gvc_message")))
        limit = MAX_PAYLOAD.get(message.type, -1)
        if message.size > limit or message.slot >= constants.GVC_SLOTS:
            raise EngineError(f"message {message.type} of {message.size} bytes from libgvc is unknown to this engine")
        return message, self._receive_exactly(message.size)

    def _receive_exactly(self, size: int) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            try:
                count = self._connection.recv_into(rest)
            except ConnectionError:
                count = 0
            if not count:
                raise DisconnectedError
            rest = rest[count:]
        return data


class Slots:
    """Shared memory of GVC_SLOTS pictures of one format."""

    def __init__(self, video_format: VideoFormat, grow: bool):
        """Map the memory that the client handed over; `grow` makes it large enough first (a decoder's part)."""
        self._shapes = video_format.plane_shapes
        self._picture_size = sum(height * width for height, width in self._shapes)
        size = constants.GVC_SLOTS * self._picture_size
        if grow and os.fstat(constants.GVC_MEMORY_FD).st_size < size:
            os.ftruncate(constants.GVC_MEMORY_FD, size)
        self._memory = np.frombuffer(mmap.mmap(constants.GVC_MEMORY_FD, size), np.uint8)

    def planes(self, slot: int) -> list[np.ndarray]:
        """Y, Cb, Cr of a slot as views, uint8 [height, width]."""
        views, start = [], slot * self._picture_size
        for height, width in self._shapes:
            views.append(self._memory[start : start + height * width].reshape(height, width))
            start += height * width
        return views


PLAIN_FIELDS = ("width", "height", "color_range", "color_primaries", "color_trc", "colorspace", "chroma_location")
RATIO_FIELDS = {"time_base": "time_base", "frame_rate": "frame_rate", "sample_aspect_ratio": "sar"}
INT32_MAX = 2**31 - 1


def video_format_of(wire: FFI.CData) -> VideoFormat:
    """The VideoFormat that a gvc_format describes."""
    plain = {name: getattr(wire, name) for name in PLAIN_FIELDS}
    ratios = {
        name: Fraction(getattr(wire, f"{prefix}_num"), getattr(wire, f"{prefix}_den"))
        for name, prefix in RATIO_FIELDS.items()
    }
    return VideoFormat(**plain, **ratios)


def wire_format_of(video_format: VideoFormat) -> bytes:
    """The gvc_format of a VideoFormat, as bytes; a ratio that does not fit (in a strange stream) becomes unknown."""
    fields = {name: getattr(video_format, name) for name in PLAIN_FIELDS}
    for name, prefix in RATIO_FIELDS.items():
        num, den = getattr(video_format, name).as_integer_ratio()
        fits = max(num, den) <= INT32_MAX
        fields[f"{prefix}_num"], fields[f"{prefix}_den"] = (num, den) if fits else (0, 1)
    return bytes(ffi.buffer(ffi.new("gvc_format *", fields)))
